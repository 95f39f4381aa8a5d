/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memmem */
#include "bot/store_ahead.h"

#include "bot/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the 10,000 parts that the protocol allows: one for the beginning, these while the file grows,
 * and those after it. */
#define MAX_AHEAD 9000u
#define MAX_REST 900
/* The longest header in front: an MP4's index of more than ten hours. */
#define MAX_SHIFT (32 * 1024 * 1024)
#define SEARCH_STEP (1024 * 1024)

typedef struct {
    guint number;
    char *sha256, *etag; /* owned */
} Sent;

/* What the store has of a file. */
typedef struct {
    char *name, *upload_id; /* owned */
    GBytes *head;           /* owned: of the growing file */
    gint64 part_bytes;
    guint n_ahead;   /* parts 2 to n_ahead + 1 are the growing file's from part_bytes on */
    GPtrArray *sent; /* owned Sent */
} Record;

struct BotStoreAhead {
    BotStore *store;                /* borrowed */
    char *path, *name, *state_path; /* owned */
    int fd;                         /* -1: it was not there yet */
    Record *record;                 /* owned; NULL: not begun */
};

static void sent_free(gpointer data)
{
    Sent *sent = data;
    g_free(sent->sha256);
    g_free(sent->etag);
    g_free(sent);
}

static Record *record_new(void)
{
    Record *record = g_new0(Record, 1);
    record->sent = g_ptr_array_new_with_free_func(sent_free);
    return record;
}

static void record_free(Record *record)
{
    g_free(record->name);
    g_free(record->upload_id);
    g_clear_pointer(&record->head, g_bytes_unref);
    g_ptr_array_unref(record->sent);
    g_free(record);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Record, record_free)

static Sent *find_sent(const Record *record, guint number)
{
    for (guint i = record->sent->len; i-- > 0;) {
        Sent *sent = g_ptr_array_index(record->sent, i);
        if (sent->number == number) {
            return sent;
        }
    }
    return NULL;
}

/* One that is there: by is_sound, or because it was sent just now. */
static const Sent *get_sent(const Record *record, guint number)
{
    const Sent *sent = find_sent(record, number);
    g_assert(sent != NULL);
    return sent;
}

static void keep_sent(Record *record, guint number, const char *sha256, const char *etag)
{
    Sent *sent = find_sent(record, number);
    if (sent == NULL) {
        sent = g_new0(Sent, 1);
        sent->number = number;
        g_ptr_array_add(record->sent, sent);
    }
    g_free(sent->sha256);
    g_free(sent->etag);
    sent->sha256 = g_strdup(sha256);
    sent->etag = g_strdup(etag);
}

/* --- what survives a crash --- */

static bool record_save(const Record *record, const char *path, GError **error)
{
    g_autoptr(GKeyFile) state = g_key_file_new();
    gsize length;
    const guchar *head = g_bytes_get_data(record->head, &length);
    g_autofree char *encoded = g_base64_encode(head, length);
    g_key_file_set_string(state, "upload", "id", record->upload_id);
    g_key_file_set_string(state, "upload", "name", record->name);
    g_key_file_set_string(state, "upload", "head", encoded);
    g_key_file_set_int64(state, "upload", "part_bytes", record->part_bytes);
    g_key_file_set_uint64(state, "upload", "ahead", record->n_ahead);
    for (guint i = 0; i < record->sent->len; i++) {
        const Sent *sent = g_ptr_array_index(record->sent, i);
        char group[16];
        g_snprintf(group, sizeof group, "%u", sent->number);
        g_key_file_set_string(state, group, "sha256", sent->sha256);
        g_key_file_set_string(state, group, "etag", sent->etag);
    }
    return g_key_file_save_to_file(state, path, error);
}

static void load_parts(Record *record, GKeyFile *state)
{
    g_auto(GStrv) groups = g_key_file_get_groups(state, NULL);
    for (gsize i = 0; groups[i] != NULL; i++) {
        guint64 number;
        g_autofree char *sha256 = g_key_file_get_string(state, groups[i], "sha256", NULL);
        g_autofree char *etag = g_key_file_get_string(state, groups[i], "etag", NULL);
        if (sha256 != NULL && etag != NULL &&
            g_ascii_string_to_unsigned(groups[i], 10, 1, BOT_S3_MAX_PARTS, &number, NULL)) {
            keep_sent(record, (guint)number, sha256, etag);
        }
    }
}

static bool is_sound(const Record *record)
{
    bool sound = record->upload_id != NULL && record->upload_id[0] != '\0' &&
                 record->name != NULL && record->part_bytes >= BOT_STORE_AHEAD_PART &&
                 record->part_bytes <= BOT_STORE_ONE_REQUEST && record->n_ahead <= MAX_AHEAD &&
                 g_bytes_get_size(record->head) > 0;
    for (guint i = 0; sound && i < record->n_ahead; i++) {
        sound = find_sent(record, i + 2) != NULL;
    }
    return sound;
}

/* NULL: there is none, or none of use. */
static Record *record_load(const char *path)
{
    g_autoptr(GKeyFile) state = g_key_file_new();
    if (!g_key_file_load_from_file(state, path, G_KEY_FILE_NONE, NULL)) {
        return NULL;
    }
    g_autoptr(Record) record = record_new();
    record->upload_id = g_key_file_get_string(state, "upload", "id", NULL);
    record->name = g_key_file_get_string(state, "upload", "name", NULL);
    record->part_bytes = g_key_file_get_int64(state, "upload", "part_bytes", NULL);
    record->n_ahead = (guint)MIN(g_key_file_get_uint64(state, "upload", "ahead", NULL), G_MAXUINT);
    g_autofree char *encoded = g_key_file_get_string(state, "upload", "head", NULL);
    gsize length = 0;
    guchar *head = encoded != NULL ? g_base64_decode(encoded, &length) : NULL;
    record->head = g_bytes_new_take(head, length);
    load_parts(record, state);
    return is_sound(record) ? g_steal_pointer(&record) : NULL;
}

static BotStoreUpload upload_of(BotStore *store, const Record *record, GCancellable *cancellable)
{
    return (BotStoreUpload){store, record->name, cancellable, record->upload_id};
}

/* The store's answer may be another one later. */
static bool is_passing(const GError *error)
{
    return g_error_matches(error, BOT_STORE_ERROR, BOT_STORE_ERROR_UNAVAILABLE) ||
           g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

bool bot_store_ahead_drop(BotStore *store, const char *state_path, GCancellable *cancellable,
                          GError **error)
{
    g_autoptr(Record) record = record_load(state_path);
    if (record != NULL) {
        BotStoreUpload upload = upload_of(store, record, cancellable);
        g_autoptr(GError) failure = NULL;
        if (!bot_store_upload_abort(&upload, &failure) && is_passing(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (failure != NULL) {
            g_info("the store keeps what was sent ahead: %s", failure->message);
        }
    }
    (void)g_unlink(state_path);
    return true;
}

/* --- while it grows --- */

BotStoreAhead *bot_store_ahead_new(BotStore *store, const char *path, const char *name,
                                   const char *state_path)
{
    g_assert(store->config->put_url == NULL);
    BotStoreAhead *ahead = g_new0(BotStoreAhead, 1);
    ahead->store = store;
    ahead->path = g_strdup(path);
    ahead->name = g_strdup(name);
    ahead->state_path = g_strdup(state_path);
    ahead->fd = -1;
    return ahead;
}

void bot_store_ahead_free(BotStoreAhead *ahead)
{
    if (ahead->fd >= 0) {
        close(ahead->fd);
    }
    g_clear_pointer(&ahead->record, record_free);
    g_free(ahead->path);
    g_free(ahead->name);
    g_free(ahead->state_path);
    g_free(ahead);
}

static bool fail_errno(const char *path, GError **error)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", path,
                g_strerror(errno));
    return false;
}

/* -1 with @error; 0: it is not there yet. One descriptor throughout: the finalizer may take the
 * file's name away, but not what was written. */
static gint64 measure(BotStoreAhead *ahead, GError **error)
{
    if (ahead->fd < 0) {
        ahead->fd = open(ahead->path, O_RDONLY | O_CLOEXEC);
    }
    struct stat status;
    if (ahead->fd < 0 && errno == ENOENT) {
        return 0;
    }
    if (ahead->fd < 0 || fstat(ahead->fd, &status) != 0) {
        fail_errno(ahead->path, error);
        return -1;
    }
    return status.st_size;
}

static bool begin(BotStoreAhead *ahead, GBytes *head, GCancellable *cancellable, GError **error)
{
    g_autoptr(Record) record = record_new();
    record->head = g_bytes_ref(head);
    record->name = g_strdup(ahead->name);
    record->part_bytes = BOT_STORE_AHEAD_PART;
    BotStoreUpload upload = upload_of(ahead->store, record, cancellable);
    if (!bot_store_ahead_drop(ahead->store, ahead->state_path, cancellable, error) ||
        !bot_store_upload_begin(&upload, error)) {
        return false;
    }
    record->upload_id = upload.id;
    if (!record_save(record, ahead->state_path, error)) {
        (void)bot_store_upload_abort(&upload, NULL);
        return false;
    }
    ahead->record = g_steal_pointer(&record);
    return true;
}

static bool send_part(BotStore *store, Record *record, guint number, GBytes *bytes,
                      GCancellable *cancellable, GError **error)
{
    g_autofree char *sha256 = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
    const Sent *sent = find_sent(record, number);
    if (sent != NULL && strcmp(sent->sha256, sha256) == 0) {
        g_debug("%s: part %u is there already", record->name, number);
        return true;
    }
    BotStoreUpload upload = upload_of(store, record, cancellable);
    g_autofree char *etag = bot_store_upload_part(&upload, number, bytes, error);
    if (etag == NULL) {
        return false;
    }
    keep_sent(record, number, sha256, etag);
    return true;
}

static guint count_parts(const BotStoreAhead *ahead)
{
    return ahead->record != NULL ? ahead->record->n_ahead : 0;
}

bool bot_store_ahead_push(BotStoreAhead *ahead, GBytes *head, GBytes *part,
                          GCancellable *cancellable, GError **error)
{
    guint n_ahead = count_parts(ahead);
    if (n_ahead >= MAX_AHEAD) {
        g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_REFUSED, "%s has %u parts already",
                    ahead->name, n_ahead);
        return false;
    }
    if ((ahead->record == NULL && !begin(ahead, head, cancellable, error)) ||
        !send_part(ahead->store, ahead->record, n_ahead + 2, part, cancellable, error)) {
        return false;
    }
    ahead->record->n_ahead++;
    return record_save(ahead->record, ahead->state_path, error);
}

bool bot_store_ahead_send(BotStoreAhead *ahead, GCancellable *cancellable, bool *ret_sent,
                          GError **error)
{
    *ret_sent = false;
    gint64 offset = (gint64)BOT_STORE_AHEAD_PART * (count_parts(ahead) + 1);
    gint64 size = measure(ahead, error);
    if (size < offset + BOT_STORE_AHEAD_PART + BOT_STORE_AHEAD_MARGIN) {
        return size >= 0;
    }
    g_autoptr(GBytes) head = bot_store_read(ahead->fd, ahead->path, 0, BOT_STORE_AHEAD_HEAD, error);
    g_autoptr(GBytes) part =
        head != NULL ? bot_store_read(ahead->fd, ahead->path, offset, BOT_STORE_AHEAD_PART, error)
                     : NULL;
    *ret_sent = part != NULL && bot_store_ahead_push(ahead, head, part, cancellable, error);
    return *ret_sent;
}

bool bot_store_ahead_takes_uneven(const BotStoreConfig *config)
{
    /* Cloudflare's R2 refuses the completion ("All non-trailing parts must have the same length").
     */
    g_autoptr(GUri) uri = g_uri_parse(config->endpoint, SOUP_HTTP_URI_FLAGS, NULL);
    return uri == NULL || g_uri_get_host(uri) == NULL ||
           !g_str_has_suffix(g_uri_get_host(uri), ".r2.cloudflarestorage.com");
}

/* --- once it is finished --- */

typedef struct {
    BotStore *store;          /* borrowed */
    const BotStoreFile *file; /* borrowed */
    GCancellable *cancellable;
    Record *record; /* borrowed */
    int fd;
    gint64 shift; /* the growing file's first byte stands here */
} Rest;

static bool differs(const Rest *rest, const char *what, GError **error)
{
    g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_CHANGED, "%s: %s", rest->file->path, what);
    return false;
}

/* A header that was put in front moves everything; one that was rewritten in place hides the
 * growing file's beginning, and moves nothing. */
static bool find_shift(Rest *rest, GError **error)
{
    gsize length;
    const char *head = g_bytes_get_data(rest->record->head, &length);
    rest->shift = 0;
    for (gint64 at = 0; at < MIN(rest->file->bytes, MAX_SHIFT); at += SEARCH_STEP) {
        gint64 size = MIN(SEARCH_STEP + (gint64)length - 1, rest->file->bytes - at);
        g_autoptr(GBytes) window = bot_store_read(rest->fd, rest->file->path, at, size, error);
        if (window == NULL) {
            return false;
        }
        const char *data = g_bytes_get_data(window, NULL);
        const char *found = memmem(data, (gsize)size, head, length);
        if (found != NULL) {
            rest->shift = at + (found - data);
            break;
        }
    }
    return true;
}

static gint64 end_of_ahead(const Rest *rest)
{
    return rest->shift + rest->record->part_bytes * (rest->record->n_ahead + 1);
}

static bool compare(Rest *rest, GError **error)
{
    const Record *record = rest->record;
    if (end_of_ahead(rest) > rest->file->bytes) {
        return differs(rest, "is shorter than what was sent of it", error);
    }
    for (guint i = 0; i < record->n_ahead; i++) {
        gint64 offset = rest->shift + record->part_bytes * (i + 1);
        g_autoptr(GBytes) bytes =
            bot_store_read(rest->fd, rest->file->path, offset, record->part_bytes, error);
        if (bytes == NULL) {
            return false;
        }
        g_autofree char *sha256 = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
        if (strcmp(sha256, get_sent(record, i + 2)->sha256) != 0) {
            return differs(rest, "is not what was sent while it grew", error);
        }
        if (g_cancellable_set_error_if_cancelled(rest->cancellable, error)) {
            return false;
        }
    }
    return true;
}

static bool send_range(Rest *rest, guint number, gint64 offset, gint64 size, GError **error)
{
    g_autoptr(GBytes) bytes = bot_store_read(rest->fd, rest->file->path, offset, size, error);
    if (bytes == NULL ||
        !send_part(rest->store, rest->record, number, bytes, rest->cancellable, error)) {
        return false;
    }
    g_autoptr(GError) problem = NULL;
    if (!record_save(rest->record, rest->file->ahead_path, &problem)) {
        g_info("%s; a crash now means to send some again", problem->message);
    }
    return true;
}

static bool complete(Rest *rest, guint n_parts, GError **error)
{
    g_autoptr(GArray) parts = bot_s3_parts_new();
    for (guint number = 1; number <= n_parts; number++) {
        BotS3Part part = {.number = number, .etag = g_strdup(get_sent(rest->record, number)->etag)};
        g_array_append_val(parts, part);
    }
    BotStoreUpload upload = upload_of(rest->store, rest->record, rest->cancellable);
    return bot_store_upload_complete(&upload, rest->file, parts, error);
}

static bool send_rest(Rest *rest, GError **error)
{
    if (!find_shift(rest, error) || !compare(rest, error) ||
        !send_range(rest, 1, 0, rest->shift + rest->record->part_bytes, error)) {
        return false;
    }
    guint number = rest->record->n_ahead + 1;
    gint64 offset = end_of_ahead(rest);
    gint64 step = MAX(rest->record->part_bytes, (rest->file->bytes - offset) / MAX_REST + 1);
    for (; offset < rest->file->bytes; offset += step) {
        if (!send_range(rest, ++number, offset, MIN(step, rest->file->bytes - offset), error)) {
            return false;
        }
    }
    return complete(rest, number, error);
}

static bool open_and_send(Rest *rest, GError **error)
{
    rest->fd = open(rest->file->path, O_RDONLY | O_CLOEXEC);
    if (rest->fd < 0) {
        return fail_errno(rest->file->path, error);
    }
    bool sent = send_rest(rest, error);
    close(rest->fd);
    return sent;
}

bool bot_store_put_rest(BotStore *store, const BotStoreFile *file, GCancellable *cancellable,
                        bool *ret_put, GError **error)
{
    g_autoptr(Record) record = record_load(file->ahead_path);
    g_autoptr(GError) failure = NULL;
    *ret_put = false;
    if (record != NULL && record->n_ahead > 0 && strcmp(record->name, file->name) == 0) {
        Rest rest = {store, file, cancellable, record, -1, 0};
        if (open_and_send(&rest, &failure)) {
            g_info("%s: %u parts had been sent while it grew", file->name, record->n_ahead);
            (void)g_unlink(file->ahead_path);
            *ret_put = true;
            return true;
        }
        if (is_passing(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        g_message("%s goes whole; what was sent while it grew is of no use: %s", file->name,
                  failure->message);
    }
    return true;
}
