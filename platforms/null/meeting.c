/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/null/meeting.h"

#include "platforms/null/url.h"

#include <errno.h>
#include <string.h>

#define MAX_DOCUMENT_BYTES (1024 * 1024)

struct NullMeeting {
    NullDocument *document; /* owned */
    int64_t zero_us;        /* of the monotonic clock; NULL_NEVER_US: nobody was let in yet */
    PlatformLeft refused_with;
    unsigned n_refused; /* of the joins to come */
    NullReport report;
};

static NullDocument *read_document(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autoptr(GError) cause = NULL;
    if (!g_file_get_contents(path, &text, &length, &cause)) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
                    "there is no null: meeting of that name: %s", cause->message);
        return NULL;
    }
    if (length > MAX_DOCUMENT_BYTES) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_RULES, "%s: larger than %d bytes", path,
                    MAX_DOCUMENT_BYTES);
        return NULL;
    }
    NullDocument *document = null_document_parse(text, length, error);
    if (document == NULL) {
        g_prefix_error(error, "%s: ", path);
    }
    return document;
}

NullMeeting *null_meeting_open(const char *dir, const char *url, GError **error)
{
    static GHashTable *meetings; /* owned strings to owned meetings; kept, as a server would */
    if (dir == NULL) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
                            "null: meetings are not allowed here: they are when the configuration "
                            "names the folder of their documents (null_dir)");
        return NULL;
    }
    if (meetings == NULL) {
        meetings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    }
    g_autofree char *key = g_strdup_printf("%s\n%s", dir, url);
    NullMeeting *meeting = g_hash_table_lookup(meetings, key);
    if (meeting != NULL) {
        return meeting;
    }
    g_autofree char *file = null_url_file(url);
    g_autofree char *path = g_build_filename(dir, file, NULL);
    NullDocument *document = read_document(path, error);
    if (document == NULL) {
        return NULL;
    }
    meeting = g_new0(NullMeeting, 1);
    meeting->document = document;
    meeting->zero_us = NULL_NEVER_US;
    meeting->report.chat = g_ptr_array_new_with_free_func(g_free);
    g_hash_table_insert(meetings, g_steal_pointer(&key), meeting);
    return meeting;
}

const NullDocument *null_meeting_get_document(NullMeeting *meeting)
{
    return meeting->document;
}

NullReport *null_meeting_get_report(NullMeeting *meeting)
{
    return &meeting->report;
}

int64_t null_meeting_admit(NullMeeting *meeting)
{
    int64_t now_us = g_get_monotonic_time();
    if (meeting->zero_us == NULL_NEVER_US) {
        meeting->zero_us = now_us;
    }
    return now_us - meeting->zero_us;
}

int64_t null_meeting_time_us(NullMeeting *meeting)
{
    return meeting->zero_us == NULL_NEVER_US ? NULL_NEVER_US
                                             : g_get_monotonic_time() - meeting->zero_us;
}

int64_t null_meeting_clock_us(NullMeeting *meeting, int64_t time_us)
{
    g_assert(meeting->zero_us != NULL_NEVER_US);
    return meeting->zero_us + time_us;
}

void null_meeting_refuse_joins(NullMeeting *meeting, PlatformLeft left, unsigned n_joins)
{
    meeting->refused_with = left;
    meeting->n_refused = n_joins;
}

bool null_meeting_refuses_join(NullMeeting *meeting, PlatformLeft *ret_left)
{
    if (meeting->n_refused == 0) {
        return false;
    }
    meeting->n_refused--;
    *ret_left = meeting->refused_with;
    return true;
}
