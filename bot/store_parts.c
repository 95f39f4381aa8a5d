/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* CompleteMultipartUpload needs some minutes for large objects; parts in the middle of 10,000. */
#define AIMED_PARTS 5000

/* --- requests --- */

static bool exchange(BotStoreUpload *upload, const char *method, const char *query, GBytes *body,
                     BotStoreAnswer *answer, GError **error)
{
    BotStoreRequest request = {
        .method = method, .name = upload->name, .query = query, .body = body};
    return bot_store_exchange(upload->store, &request, upload->cancellable, answer, error);
}

/* A 200 may carry an Error in its body: the store had begun to answer before it knew. */
static BotS3Answer *parse(const BotStoreUpload *upload, const BotStoreAnswer *answer,
                          const char *root, GError **error)
{
    g_autoptr(BotS3Answer) parsed = bot_s3_answer_parse(answer->text, answer->length, error);
    if (parsed == NULL) {
        g_prefix_error(error, "%s: ", upload->name);
        return NULL;
    }
    if (g_strcmp0(parsed->root, root) != 0) {
        g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_ANSWER, "%s: %s %s (expected %s)",
                    upload->name, parsed->code != NULL ? parsed->code : parsed->root,
                    parsed->message != NULL ? parsed->message : "", root);
        return NULL;
    }
    return g_steal_pointer(&parsed);
}

static char *upload_query(const BotStoreUpload *upload, const char *before)
{
    g_autofree char *id = g_uri_escape_string(upload->id, NULL, FALSE);
    return g_strdup_printf("%suploadId=%s", before, id);
}

bool bot_store_upload_begin(BotStoreUpload *upload, GError **error)
{
    BotStoreRequest request = {
        .method = "POST", .name = upload->name, .query = "uploads=", .makes_object = true};
    g_auto(BotStoreAnswer) answer = {0};
    if (!bot_store_exchange(upload->store, &request, upload->cancellable, &answer, error)) {
        return false;
    }
    g_autoptr(BotS3Answer) parsed = parse(upload, &answer, "InitiateMultipartUploadResult", error);
    if (parsed == NULL) {
        return false;
    }
    if (parsed->upload_id == NULL || parsed->upload_id[0] == '\0') {
        g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_ANSWER, "%s: no upload id",
                    upload->name);
        return false;
    }
    upload->id = g_steal_pointer(&parsed->upload_id);
    return true;
}

char *bot_store_upload_part(BotStoreUpload *upload, guint number, GBytes *bytes, GError **error)
{
    g_autofree char *before = g_strdup_printf("partNumber=%u&", number);
    g_autofree char *query = upload_query(upload, before);
    g_auto(BotStoreAnswer) answer = {0};
    if (!exchange(upload, "PUT", query, bytes, &answer, error)) {
        return NULL;
    }
    if (answer.etag == NULL || answer.etag[0] == '\0') {
        g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_ANSWER, "%s: part %u has no ETag",
                    upload->name, number);
        return NULL;
    }
    return g_steal_pointer(&answer.etag);
}

bool bot_store_upload_complete(BotStoreUpload *upload, const BotStoreFile *file, GArray *parts,
                               GError **error)
{
    g_autofree char *document = bot_s3_complete_document(parts);
    g_autoptr(GBytes) body = g_bytes_new(document, strlen(document));
    g_autofree char *query = upload_query(upload, "");
    g_auto(BotStoreAnswer) answer = {0};
    g_autoptr(GError) failure = NULL;
    if (!exchange(upload, "POST", query, body, &answer, &failure)) {
        /* An answer that was lost on the way: the second try no longer finds the upload. */
        if (answer.status == 404 &&
            bot_store_confirm(upload->store, file, upload->cancellable, NULL)) {
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    g_autoptr(BotS3Answer) parsed = parse(upload, &answer, "CompleteMultipartUploadResult", error);
    return parsed != NULL;
}

bool bot_store_upload_abort(BotStoreUpload *upload, GError **error)
{
    g_autofree char *query = upload_query(upload, "");
    g_auto(BotStoreAnswer) answer = {0};
    g_autoptr(GError) failure = NULL;
    if (exchange(upload, "DELETE", query, NULL, &answer, &failure) || answer.status == 404) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

GBytes *bot_store_read(int fd, const char *path, gint64 offset, gint64 size, GError **error)
{
    gsize wanted = (gsize)size;
    g_autofree guint8 *data = g_malloc(wanted);
    gsize done = 0;
    while (done < wanted) {
        ssize_t n = pread(fd, data + done, wanted - done, (off_t)offset + (off_t)done);
        if (n <= 0) {
            g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_CHANGED, "%s: %s", path,
                        n < 0 ? g_strerror(errno) : "the file became shorter");
            return NULL;
        }
        done += (gsize)n;
    }
    return g_bytes_new_take(g_steal_pointer(&data), wanted);
}

/* --- a file --- */

typedef struct {
    const BotStoreFile *file; /* borrowed */
    BotStoreUpload upload;
    gint64 part_bytes;
    GArray *parts; /* owned, BotS3Part: what the store has and what we sent */
    int fd;
} Parts;

/* --- what survives a crash --- */

static void remember(Parts *parts)
{
    g_autoptr(GKeyFile) state = g_key_file_new();
    g_key_file_set_string(state, "upload", "id", parts->upload.id);
    g_key_file_set_string(state, "upload", "name", parts->file->name);
    g_key_file_set_string(state, "upload", "sha256", parts->file->sha256);
    g_key_file_set_int64(state, "upload", "part_bytes", parts->part_bytes);
    g_autoptr(GError) error = NULL;
    if (!g_key_file_save_to_file(state, parts->file->state_path, &error)) {
        g_info("%s: %s; a crash now means to start anew", parts->file->state_path, error->message);
    }
}

static void forget(Parts *parts)
{
    (void)g_unlink(parts->file->state_path);
}

/* The same file with the same parts, or nothing. */
static bool recall(Parts *parts)
{
    g_autoptr(GKeyFile) state = g_key_file_new();
    if (!g_key_file_load_from_file(state, parts->file->state_path, G_KEY_FILE_NONE, NULL)) {
        return false;
    }
    g_autofree char *name = g_key_file_get_string(state, "upload", "name", NULL);
    g_autofree char *sha256 = g_key_file_get_string(state, "upload", "sha256", NULL);
    gint64 part_bytes = g_key_file_get_int64(state, "upload", "part_bytes", NULL);
    if (g_strcmp0(name, parts->file->name) != 0 || g_strcmp0(sha256, parts->file->sha256) != 0 ||
        part_bytes < BOT_STORE_PART) {
        return false;
    }
    parts->part_bytes = part_bytes;
    parts->upload.id = g_key_file_get_string(state, "upload", "id", NULL);
    return parts->upload.id != NULL;
}

static bool begin(Parts *parts, GError **error)
{
    if (!bot_store_upload_begin(&parts->upload, error)) {
        return false;
    }
    parts->part_bytes = MAX(BOT_STORE_PART, parts->file->bytes / AIMED_PARTS + 1);
    remember(parts);
    return true;
}

/* Which parts the store has. False without @error: it does not know the upload any more. */
static bool list(Parts *parts, GError **error)
{
    guint marker = 0;
    for (;;) {
        g_autofree char *before = g_strdup_printf("max-parts=1000&part-number-marker=%u&", marker);
        g_autofree char *query = upload_query(&parts->upload, before);
        g_auto(BotStoreAnswer) answer = {0};
        g_autoptr(GError) failure = NULL;
        if (!exchange(&parts->upload, "GET", query, NULL, &answer, &failure)) {
            if (answer.status != 404) {
                g_propagate_error(error, g_steal_pointer(&failure));
            }
            return false;
        }
        g_autoptr(BotS3Answer) parsed = parse(&parts->upload, &answer, "ListPartsResult", error);
        if (parsed == NULL) {
            return false;
        }
        for (guint i = 0; i < parsed->parts->len && parts->parts->len < BOT_S3_MAX_PARTS; i++) {
            BotS3Part *part = &g_array_index(parsed->parts, BotS3Part, i);
            BotS3Part kept = {part->number, part->bytes, g_steal_pointer(&part->etag)};
            g_array_append_val(parts->parts, kept);
        }
        if (!parsed->truncated || parsed->next_marker <= marker) {
            return true;
        }
        marker = parsed->next_marker;
    }
}

/* --- sending --- */

static GBytes *read_part(Parts *parts, guint number, GError **error)
{
    gint64 offset = (gint64)(number - 1) * parts->part_bytes;
    gint64 size = MIN(parts->part_bytes, parts->file->bytes - offset);
    return bot_store_read(parts->fd, parts->file->path, offset, size, error);
}

static BotS3Part *find_part(Parts *parts, guint number)
{
    for (guint i = 0; i < parts->parts->len; i++) {
        BotS3Part *part = &g_array_index(parts->parts, BotS3Part, i);
        if (part->number == number) {
            return part;
        }
    }
    return NULL;
}

/* A part's ETag is the MD5 of its bytes, but with some kinds of encryption: then it goes again. */
static bool has_part(Parts *parts, guint number, GBytes *bytes)
{
    const BotS3Part *part = find_part(parts, number);
    if (part == NULL || part->bytes != (gint64)g_bytes_get_size(bytes)) {
        return false;
    }
    g_autofree char *md5 = g_compute_checksum_for_bytes(G_CHECKSUM_MD5, bytes);
    return g_ascii_strcasecmp(md5, part->etag) == 0;
}

static void keep_part(Parts *parts, guint number, gint64 bytes, const char *etag)
{
    BotS3Part *known = find_part(parts, number);
    if (known != NULL) {
        g_free(known->etag);
        *known = (BotS3Part){number, bytes, g_strdup(etag)};
        return;
    }
    BotS3Part part = {number, bytes, g_strdup(etag)};
    g_array_append_val(parts->parts, part);
}

static bool send_part(Parts *parts, guint number, GError **error)
{
    g_autoptr(GBytes) bytes = read_part(parts, number, error);
    if (bytes == NULL) {
        return false;
    }
    if (has_part(parts, number, bytes)) {
        g_debug("%s: part %u is there already", parts->file->name, number);
        return true;
    }
    g_autofree char *etag = bot_store_upload_part(&parts->upload, number, bytes, error);
    if (etag == NULL) {
        return false;
    }
    keep_part(parts, number, (gint64)g_bytes_get_size(bytes), etag);
    return true;
}

static int compare_parts(gconstpointer a, gconstpointer b)
{
    const BotS3Part *left = a, *right = b;
    return left->number < right->number ? -1 : left->number > right->number;
}

static bool resume_or_begin(Parts *parts, GError **error)
{
    if (recall(parts)) {
        g_autoptr(GError) failure = NULL;
        if (list(parts, &failure)) {
            g_info("%s: going on with an upload of %u parts", parts->file->name, parts->parts->len);
            return true;
        }
        if (failure != NULL) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        g_clear_pointer(&parts->upload.id, g_free);
        g_array_set_size(parts->parts, 0);
    }
    return begin(parts, error);
}

static bool send_all(Parts *parts, GError **error)
{
    if (!resume_or_begin(parts, error)) {
        return false;
    }
    guint n_parts = (guint)((parts->file->bytes + parts->part_bytes - 1) / parts->part_bytes);
    for (guint number = 1; number <= n_parts; number++) {
        if (!send_part(parts, number, error)) {
            return false;
        }
    }
    g_array_sort(parts->parts, compare_parts);
    g_array_set_size(parts->parts, n_parts);
    if (!bot_store_upload_complete(&parts->upload, parts->file, parts->parts, error)) {
        return false;
    }
    forget(parts);
    return true;
}

bool bot_store_put_parts(BotStore *store, const BotStoreFile *file, GCancellable *cancellable,
                         GError **error)
{
    Parts parts = {.file = file, .upload = {store, file->name, cancellable, NULL}};
    parts.fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (parts.fd < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", file->path,
                    g_strerror(errno));
        return false;
    }
    parts.parts = bot_s3_parts_new();
    bool sent = send_all(&parts, error);
    g_array_unref(parts.parts);
    g_free(parts.upload.id);
    close(parts.fd);
    return sent;
}
