/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/http.h"

#include "base/file_name.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files of bots, to whoever holds a signed link. Pages are read as they are sent: a file is mapped,
 * not loaded. */

/* Returns (transfer full): NULL when it is no regular file, or a link. */
static GBytes *map_file(const OrchBot *bot, const char *name)
{
    g_autofree char *path = g_build_filename(bot->output_dir, name, NULL);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return NULL;
    }
    struct stat status;
    bool regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    g_autoptr(GMappedFile) mapped = regular ? g_mapped_file_new_from_fd(fd, FALSE, NULL) : NULL;
    close(fd);
    return mapped != NULL ? g_mapped_file_get_bytes(mapped) : NULL;
}

static void reply_unsatisfiable(OrchRequest *request, gsize total)
{
    g_autofree char *range = g_strdup_printf("bytes */%" G_GSIZE_FORMAT, total);
    orch_reply_header(request, "Content-Range", range);
    orch_reply_error(request, SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE, "RangeNotSatisfiable",
                     "The file ends before this range begins.");
}

/* One range; of several, none: the whole file is a right answer, too (RFC 9110, 14.2). */
static void reply_file(OrchRequest *request, const char *name, GBytes *bytes)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(request->message);
    gsize total = g_bytes_get_size(bytes);
    SoupRange *ranges = NULL;
    int n = 0;
    bool asked = soup_message_headers_get_one(headers, "Range") != NULL &&
                 soup_message_headers_get_ranges(headers, (goffset)total, &ranges, &n);
    orch_reply_header(request, "Accept-Ranges", "bytes");
    orch_reply_header(request, "X-Content-Type-Options", "nosniff");
    orch_reply_header(request, "Cache-Control", "private");
    if (asked && n == 1 && ranges[0].start >= (goffset)total) {
        reply_unsatisfiable(request, total);
    } else if (asked && n == 1) {
        goffset end = MIN(ranges[0].end, (goffset)total - 1);
        g_autoptr(GBytes) part = g_bytes_new_from_bytes(bytes, (gsize)ranges[0].start,
                                                        (gsize)(end - ranges[0].start + 1));
        soup_message_headers_set_content_range(
            soup_server_message_get_response_headers(request->message), ranges[0].start, end,
            (goffset)total);
        orch_reply_bytes(request, SOUP_STATUS_PARTIAL_CONTENT, base_file_name_get_mime_type(name),
                         part);
    } else {
        soup_message_headers_remove(headers, "Range"); /* libsoup would copy the whole file */
        orch_reply_bytes(request, SOUP_STATUS_OK, base_file_name_get_mime_type(name), bytes);
    }
    if (ranges != NULL) {
        soup_message_headers_free_ranges(headers, ranges);
    }
}

static void get_file(OrchRequest *request)
{
    const char *bot_id = request->params[0];
    const char *name = request->params[1];
    const OrchLinks *links = orch_bots_links(request->bots);
    bool valid = orch_links_check(links, bot_id, name, orch_request_query(request, "expires"),
                                  orch_request_query(request, "signature"), orch_now_ms());
    if (!valid || !base_file_name_is_plain(name)) {
        orch_reply_error(request, SOUP_STATUS_FORBIDDEN, "LinkInvalid",
                         "This link is not one of ours, or its time is over. GET "
                         "/bots/meeting_data gives a new one.");
        return;
    }
    g_autoptr(OrchBot) bot = orch_store_bot_get(orch_bots_store(request->bots), bot_id);
    g_autoptr(GBytes) bytes = bot != NULL && bot->deleted_ms == 0 ? map_file(bot, name) : NULL;
    if (bytes == NULL) {
        orch_reply_error(request, SOUP_STATUS_NOT_FOUND, "FileNotFound",
                         "There is no such file, or it was deleted.");
        return;
    }
    reply_file(request, name, bytes);
}

const OrchRoute orch_file_routes[] = {
    {"GET", "/files/{bot}/{name...}", ORCH_AUTH_NONE, false, get_file, "get_file"},
    {NULL, NULL, ORCH_AUTH_NONE, false, NULL, NULL},
};
