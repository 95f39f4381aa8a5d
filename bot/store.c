/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/store_priv.h"

#include "base/agent.h"
#include "base/backoff.h"
#include "base/file_name.h"
#include "base/proxy.h"
#include "bot/sigv4.h"
#include "bot/store_ahead.h"

#include <string.h>

G_DEFINE_QUARK(bot_store_error, bot_store_error)

#define TIMEOUT_S 60
#define MAX_TEXT_SHOWN 300

/* --- making --- */

/* "https://bucket.host:9000" and what stands in the Host header; (transfer full). */
static void get_address(const BotStoreConfig *config, char **ret_base, char **ret_host)
{
    g_autoptr(GUri) uri = g_uri_parse(config->endpoint, SOUP_HTTP_URI_FLAGS, NULL);
    int port = g_uri_get_port(uri);
    bool own_port = port > 0 && port != (strcmp(g_uri_get_scheme(uri), "https") == 0 ? 443 : 80);
    g_autofree char *suffix = own_port ? g_strdup_printf(":%d", port) : g_strdup("");
    *ret_host = config->path_style
                    ? g_strconcat(g_uri_get_host(uri), suffix, NULL)
                    : g_strconcat(config->bucket, ".", g_uri_get_host(uri), suffix, NULL);
    *ret_base = g_strconcat(g_uri_get_scheme(uri), "://", *ret_host, NULL);
}

BotStore *bot_store_new(const BotStoreConfig *config)
{
    BotStore *store = g_new0(BotStore, 1);
    store->config = config;
    store->max_tries = BOT_STORE_MAX_TRIES;
    store->session =
        soup_session_new_with_options("timeout", TIMEOUT_S, "user-agent", BASE_USER_AGENT,
                                      "proxy-resolver", base_proxy_resolver(), NULL);
    if (config->put_url == NULL) {
        get_address(config, &store->base, &store->host);
    }
    return store;
}

void bot_store_set_max_tries(BotStore *store, guint max_tries)
{
    store->max_tries = max_tries;
}

void bot_store_free(BotStore *store)
{
    g_object_unref(store->session);
    g_free(store->base);
    g_free(store->host);
    g_free(store);
}

void bot_store_answer_clear(BotStoreAnswer *answer)
{
    g_clear_pointer(&answer->text, g_free);
    g_clear_pointer(&answer->etag, g_free);
    *answer = (BotStoreAnswer){0};
}

/* --- requests --- */

/* @name: NULL: the bucket itself */
static char *object_path(const BotStoreConfig *config, const char *name)
{
    g_autofree char *key = name != NULL ? g_strconcat(config->prefix, name, NULL) : g_strdup("");
    g_autofree char *encoded = g_uri_escape_string(key, "/", FALSE);
    return config->path_style
               ? g_strconcat("/", config->bucket, name != NULL ? "/" : "", encoded, NULL)
               : g_strconcat("/", encoded, NULL);
}

static BotSigV4Key signing_key(const BotStoreConfig *config)
{
    return (BotSigV4Key){config->access_key, config->secret_key, config->session_token,
                         config->region};
}

static char *amz_now(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    return g_date_time_format(now, "%Y%m%dT%H%M%SZ");
}

static void sign(BotStore *store, SoupMessage *message, const BotStoreRequest *request,
                 const char *path, const char *sha256)
{
    g_autofree char *date = amz_now();
    const char *token = store->config->session_token;
    const char *const headers[] = {"host",
                                   store->host,
                                   "x-amz-content-sha256",
                                   sha256,
                                   "x-amz-date",
                                   date,
                                   token != NULL ? "x-amz-security-token" : NULL,
                                   token,
                                   NULL};
    BotSigV4Key key = signing_key(store->config);
    BotSigV4Request to_sign = {request->method, path, request->query, headers, sha256, date};
    g_autofree char *authorization = bot_sigv4_sign(&key, &to_sign);
    SoupMessageHeaders *sent = soup_message_get_request_headers(message);
    soup_message_headers_replace(sent, "Authorization", authorization);
    for (gsize i = 2; headers[i] != NULL; i += 2) {
        soup_message_headers_replace(sent, headers[i], headers[i + 1]);
    }
}

/* The file is opened anew for each try: a body that was half sent is no good for the next. */
static bool set_body(SoupMessage *message, const BotStoreRequest *request, GError **error)
{
    if (request->body == NULL && request->path == NULL) {
        return true;
    }
    const char *type = base_file_name_get_mime_type(request->name);
    if (request->body != NULL) {
        soup_message_set_request_body_from_bytes(message, type, request->body);
        return true;
    }
    g_autoptr(GFile) file = g_file_new_for_path(request->path);
    g_autoptr(GFileInputStream) stream = g_file_read(file, NULL, error);
    if (stream == NULL) {
        return false;
    }
    soup_message_set_request_body(message, type, G_INPUT_STREAM(stream), request->bytes);
    return true;
}

static bool read_answer(SoupMessage *message, GInputStream *stream, GCancellable *cancellable,
                        BotStoreAnswer *answer, GError **error)
{
    SoupMessageHeaders *headers = soup_message_get_response_headers(message);
    answer->status = soup_message_get_status(message);
    answer->bytes = soup_message_headers_get_content_length(headers);
    const char *etag = soup_message_headers_get_one(headers, "ETag");
    if (etag != NULL) {
        answer->etag = g_strdup(etag);
        g_strdelimit(answer->etag, "\"", ' ');
        g_strstrip(answer->etag);
    }
    g_autofree char *text = g_malloc(BOT_S3_MAX_ANSWER + 1);
    gsize length = 0;
    if (!g_input_stream_read_all(stream, text, BOT_S3_MAX_ANSWER, &length, cancellable, error)) {
        return false;
    }
    text[length] = '\0';
    answer->text = g_realloc(g_steal_pointer(&text), length + 1);
    answer->length = length;
    return true;
}

static bool send_once(BotStore *store, SoupMessage *message, GCancellable *cancellable,
                      BotStoreAnswer *answer, GError **error)
{
    /* On a connection that was used before, libsoup repeats a request whose connection broke by
     * itself, and goes on in the middle of the body. */
    soup_message_add_flags(message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_NEW_CONNECTION);
    g_autoptr(GInputStream) stream = soup_session_send(store->session, message, cancellable, error);
    return stream != NULL && read_answer(message, stream, cancellable, answer, error);
}

/* --- trying again --- */

/* Statuses that pass, and the errors of a body that came damaged or too slowly. */
static bool is_passing(const BotStoreAnswer *answer)
{
    static const char *const codes[] = {"BadDigest", "XAmzContentSHA256Mismatch", "RequestTimeout",
                                        "SlowDown", NULL};
    if (answer->status == 0 || answer->status == 408 || answer->status == 429 ||
        (answer->status >= 500 && answer->status != 501)) {
        return true;
    }
    g_autoptr(BotS3Answer) parsed =
        answer->length > 0 ? bot_s3_answer_parse(answer->text, answer->length, NULL) : NULL;
    return parsed != NULL && parsed->code != NULL && g_strv_contains(codes, parsed->code);
}

/* Keys and presigned URLs are good for a time, and a meeting may be longer. */
static bool is_of_credentials(const BotStoreAnswer *answer)
{
    if (answer->status == 401 || answer->status == 403) {
        return true;
    }
    g_autofree char *text = g_ascii_strdown(answer->text != NULL ? answer->text : "", -1);
    return answer->status == 400 &&
           (strstr(text, "expired") != NULL || strstr(text, "invalidtoken") != NULL ||
            strstr(text, "tokenrefreshrequired") != NULL);
}

bool bot_store_wants_credentials(BotStore *store)
{
    return store->wants_credentials;
}

/* Returns false when cancelled. */
static bool wait_before_retry(guint n_tries, GCancellable *cancellable, GError **error)
{
    guint wait_ms = base_backoff_ms(1000, BOT_STORE_MAX_WAIT_S * 1000, n_tries - 1);
    (void)base_backoff_wait(base_backoff_spread_ms(wait_ms, 0.5, 1, g_random_double()),
                            cancellable);
    return !g_cancellable_set_error_if_cancelled(cancellable, error);
}

/* What the store said, for people: its XML's code and message, or the start of its text. */
static char *explain(const BotStoreAnswer *answer)
{
    g_autoptr(BotS3Answer) parsed =
        answer->length > 0 ? bot_s3_answer_parse(answer->text, answer->length, NULL) : NULL;
    if (parsed != NULL && parsed->code != NULL) {
        return g_strdup_printf("HTTP %u %s: %s", answer->status, parsed->code,
                               parsed->message != NULL ? parsed->message : "");
    }
    g_autofree char *valid = g_utf8_make_valid(answer->text != NULL ? answer->text : "", -1);
    g_autofree char *cut =
        g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), (glong)MAX_TEXT_SHOWN));
    return g_strdup_printf("HTTP %u %s %s", answer->status, soup_status_get_phrase(answer->status),
                           g_strstrip(cut));
}

typedef SoupMessage *(*MakeMessage)(BotStore *store, const BotStoreRequest *request);

static bool exchange(BotStore *store, const BotStoreRequest *request, MakeMessage make,
                     GCancellable *cancellable, BotStoreAnswer *ret_answer, GError **error)
{
    g_autofree char *reason = NULL;
    const char *name = request->name != NULL ? request->name : store->config->bucket;
    for (guint n_tries = 1; n_tries <= store->max_tries; n_tries++) {
        g_autoptr(GError) failure = NULL;
        g_autoptr(SoupMessage) message = make(store, request);
        bot_store_answer_clear(ret_answer);
        if (!set_body(message, request, error)) {
            return false;
        }
        bool answered = send_once(store, message, cancellable, ret_answer, &failure);
        if (g_cancellable_set_error_if_cancelled(cancellable, error)) {
            return false;
        }
        if (answered && SOUP_STATUS_IS_SUCCESSFUL(ret_answer->status)) {
            return true;
        }
        g_free(reason);
        reason = answered ? explain(ret_answer) : g_strdup(failure->message);
        g_info("%s of %s, try %u of %u: %s", request->method, name, n_tries, store->max_tries,
               reason);
        if (answered && !is_passing(ret_answer)) {
            store->wants_credentials = is_of_credentials(ret_answer);
            g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_REFUSED, "%s: %s", name, reason);
            return false;
        }
        if (n_tries < store->max_tries && !wait_before_retry(n_tries, cancellable, error)) {
            return false;
        }
    }
    g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_UNAVAILABLE,
                "%s: given up after %u tries: %s", name, store->max_tries, reason);
    return false;
}

static SoupMessage *make_s3(BotStore *store, const BotStoreRequest *request)
{
    g_autofree char *path = object_path(store->config, request->name);
    g_autofree char *url =
        g_strconcat(store->base, path, request->query[0] != '\0' ? "?" : "", request->query, NULL);
    SoupMessage *message = soup_message_new(request->method, url);
    g_autofree char *sha256 = request->body != NULL
                                  ? g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, request->body)
                                  : g_compute_checksum_for_string(G_CHECKSUM_SHA256, "", 0);
    sign(store, message, request, path, sha256);
    if (request->makes_object) {
        soup_message_headers_replace(soup_message_get_request_headers(message), "Content-Type",
                                     base_file_name_get_mime_type(request->name));
    }
    return message;
}

bool bot_store_exchange(BotStore *store, const BotStoreRequest *request, GCancellable *cancellable,
                        BotStoreAnswer *ret_answer, GError **error)
{
    return exchange(store, request, make_s3, cancellable, ret_answer, error);
}

/* --- whole files --- */

static bool put_whole(BotStore *store, const BotStoreFile *file, GCancellable *cancellable,
                      GError **error)
{
    g_autofree char *data = NULL;
    gsize length;
    if (!g_file_get_contents(file->path, &data, &length, error)) {
        return false;
    }
    g_autoptr(GBytes) body = g_bytes_new_take(g_steal_pointer(&data), length);
    g_autofree char *sha256 = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, body);
    if (strcmp(sha256, file->sha256) != 0) {
        g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_CHANGED,
                    "%s is not what it was when it was described", file->path);
        return false;
    }
    BotStoreRequest request = {.method = "PUT", .name = file->name, .query = "", .body = body};
    g_auto(BotStoreAnswer) answer = {0};
    return bot_store_exchange(store, &request, cancellable, &answer, error);
}

bool bot_store_confirm(BotStore *store, const BotStoreFile *file, GCancellable *cancellable,
                       GError **error)
{
    BotStoreRequest request = {.method = "HEAD", .name = file->name, .query = ""};
    g_auto(BotStoreAnswer) answer = {0};
    g_autoptr(GError) failure = NULL;
    if (!bot_store_exchange(store, &request, cancellable, &answer, &failure)) {
        /* Keys that may only write are usual; the checked answer to the upload must do then. */
        if (answer.status == 403 || answer.status == 405) {
            return true;
        }
        g_propagate_prefixed_error(error, g_steal_pointer(&failure), "not found again: ");
        return false;
    }
    if (answer.bytes != file->bytes) {
        g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_CHANGED,
                    "%s: the store has %" G_GINT64_FORMAT " bytes of %" G_GINT64_FORMAT, file->name,
                    answer.bytes, file->bytes);
        return false;
    }
    return true;
}

/* --- a presigned URL --- */

static char *md5_base64(const char *path, GError **error)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInputStream) stream = g_file_read(file, NULL, error);
    if (stream == NULL) {
        return NULL;
    }
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_MD5);
    g_autofree guint8 *block = g_malloc(1 << 20);
    gssize n;
    while ((n = g_input_stream_read(G_INPUT_STREAM(stream), block, 1 << 20, NULL, error)) > 0) {
        g_checksum_update(checksum, block, n);
    }
    if (n < 0) {
        return NULL;
    }
    guint8 digest[16];
    gsize length = sizeof digest;
    g_checksum_get_digest(checksum, digest, &length);
    return g_base64_encode(digest, length);
}

/* After the body was set: the owner's own Content-Type must win. */
static void add_headers(SoupMessage *message, gpointer user_data)
{
    BotStore *store = user_data;
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;
    if (store->config->headers == NULL) {
        return;
    }
    json_object_iter_init(&iter, store->config->headers);
    while (json_object_iter_next(&iter, &name, &value)) {
        soup_message_headers_replace(soup_message_get_request_headers(message), name,
                                     json_node_get_string(value));
    }
}

static SoupMessage *make_presigned(BotStore *store, const BotStoreRequest *request)
{
    SoupMessage *message = soup_message_new(request->method, store->config->put_url);
    soup_message_headers_replace(soup_message_get_request_headers(message), "Content-MD5",
                                 request->md5);
    g_signal_connect(message, "starting", G_CALLBACK(add_headers), store);
    return message;
}

static bool put_presigned(BotStore *store, const BotStoreFile *file, GCancellable *cancellable,
                          GError **error)
{
    g_autofree char *md5 = md5_base64(file->path, error);
    if (md5 == NULL) {
        return false;
    }
    BotStoreRequest request = {.method = "PUT",
                               .name = file->name,
                               .query = "",
                               .path = file->path,
                               .bytes = file->bytes,
                               .md5 = md5};
    g_auto(BotStoreAnswer) answer = {0};
    return exchange(store, &request, make_presigned, cancellable, &answer, error);
}

/* --- the link --- */

char *bot_store_link(const BotStoreConfig *config, const char *name, guint expires_s)
{
    g_autofree char *base = NULL;
    g_autofree char *host = NULL;
    get_address(config, &base, &host);
    g_autofree char *date = amz_now();
    g_autofree char *path = object_path(config, name);
    BotSigV4Key key = signing_key(config);
    g_autofree char *query = bot_sigv4_presign(&key, "GET", host, path, date, expires_s);
    return g_strconcat(base, path, "?", query, NULL);
}

static char *link_to(BotStore *store, const char *name)
{
    const char *put_url = store->config->put_url;
    return put_url != NULL ? g_strndup(put_url, strcspn(put_url, "?"))
                           : bot_store_link(store->config, name, BOT_STORE_LINK_S);
}

/* What was sent ahead goes last: the store may have refused this file for a reason that passes. */
static bool put_anew(BotStore *store, const BotStoreFile *file, GCancellable *cancellable,
                     GError **error)
{
    bool put = file->bytes > BOT_STORE_ONE_REQUEST
                   ? bot_store_put_parts(store, file, cancellable, error)
                   : put_whole(store, file, cancellable, error);
    g_autoptr(GError) problem = NULL;
    if (put && file->ahead_path != NULL &&
        !bot_store_ahead_drop(store, file->ahead_path, cancellable, &problem)) {
        g_info("%s: parts of no use stay in the store: %s", file->name, problem->message);
    }
    return put;
}

static bool put_s3(BotStore *store, const BotStoreFile *file, GCancellable *cancellable,
                   GError **error)
{
    bool put = false;
    if (file->ahead_path != NULL && !bot_store_put_rest(store, file, cancellable, &put, error)) {
        return false;
    }
    return (put || put_anew(store, file, cancellable, error)) &&
           bot_store_confirm(store, file, cancellable, error);
}

bool bot_store_put(BotStore *store, const BotStoreFile *file, GCancellable *cancellable,
                   char **ret_url, GError **error)
{
    bool put = store->config->put_url != NULL ? put_presigned(store, file, cancellable, error)
                                              : put_s3(store, file, cancellable, error);
    if (!put) {
        g_prefix_error(error,
                       "upload to %s: ", store->base != NULL ? store->base : "the presigned URL");
        return false;
    }
    *ret_url = link_to(store, file->name);
    return true;
}
