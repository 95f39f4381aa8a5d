/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/config.h"

#include "base/proxy.h"
#include "media/json.h"

#include <stdio.h>
#include <string.h>

#define MAX_PREFIX_BYTES 900 /* names in a bucket are counted in bytes */
#define MAX_DOCUMENT_BYTES (4 * 1024 * 1024)
#define MAX_DEPTH 64

static const BotFieldTable table = {bot_config_fields, "docs/worker.md"};

static void fill_in(JsonObject *document)
{
    if (!json_object_has_member(document, "bot_id")) {
        g_autofree char *uuid = g_uuid_string_random();
        json_object_set_string_member(document, "bot_id", uuid);
    }
    if (!json_object_has_member(document, "output_dir")) {
        g_autofree char *dir =
            g_build_filename("recordings", json_object_get_string_member(document, "bot_id"), NULL);
        json_object_set_string_member(document, "output_dir", dir);
    }
}

static bool check_bot_id(const char *bot_id, GError **error)
{
    for (const char *c = bot_id; *c != '\0'; c++) {
        if (!g_ascii_isalnum(*c) && *c != '-' && *c != '_') {
            g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                        "$.bot_id: \"%s\" is not letters, digits, '-' and '_'", bot_id);
            return false;
        }
    }
    return true;
}

static bool is_loopback(const char *host)
{
    if (g_ascii_strcasecmp(host, "localhost") == 0) {
        return true;
    }
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);
    return address != NULL && g_inet_address_get_is_loopback(address);
}

/* The wire carries what people say: plain text only to this machine, or by explicit wish. */
static bool check_stream_url(const BotConfig *config, const char *path, const char *url,
                             GError **error)
{
    if (url == NULL || config->stream_allow_insecure) {
        return true;
    }
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    if (strcmp(g_uri_get_scheme(uri), "wss") == 0 || is_loopback(g_uri_get_host(uri))) {
        return true;
    }
    g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                "$.%s: ws:// to %s would send speech in the clear; use wss://, or set "
                "streaming.allow_insecure to true",
                path, g_uri_get_host(uri));
    return false;
}

static bool check_proxy(const BotConfig *config, GError **error)
{
    static const char *const names[] = {"http", "https"};
    for (gsize i = 0; config->proxy != NULL && i < G_N_ELEMENTS(names); i++) {
        const char *url = json_object_get_string_member_with_default(config->proxy, names[i], NULL);
        g_autoptr(GError) cause = NULL;
        if (url != NULL && !base_proxy_check(url, &cause)) {
            g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD, "$.proxy.%s: %s", names[i],
                        cause->message);
            return false;
        }
    }
    return true;
}

bool bot_config_use_proxy(JsonObject *proxy, GError **error)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    JsonArray *none = json_object_has_member(proxy, "no_proxy")
                          ? json_object_get_array_member(proxy, "no_proxy")
                          : NULL;
    for (guint i = 0; none != NULL && i < json_array_get_length(none); i++) {
        g_strv_builder_add(builder, json_array_get_string_element(none, i));
    }
    g_auto(GStrv) except = g_strv_builder_end(builder);
    return base_proxy_set(json_object_get_string_member_with_default(proxy, "http", NULL),
                          json_object_get_string_member_with_default(proxy, "https", NULL),
                          (const char *const *)except, error);
}

static bool check_control_token(const BotConfig *config, GError **error)
{
    if (config->control_token != NULL && strpbrk(config->control_token, "\r\n") != NULL) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                    "$.control_token: it has more than one line");
        return false;
    }
    return true;
}

/* Two values for one header would leave it to chance which one counts. */
static bool check_token(const BotConfig *config, GError **error)
{
    if (config->stream_token == NULL) {
        return true;
    }
    if (strpbrk(config->stream_token, "\r\n") != NULL) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                    "$.streaming.token: it has more than one line");
        return false;
    }
    g_autoptr(GList) names =
        config->stream_headers != NULL ? json_object_get_members(config->stream_headers) : NULL;
    for (GList *item = names; item != NULL; item = item->next) {
        if (g_ascii_strcasecmp(item->data, "Authorization") == 0) {
            g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                        "$.streaming.token: streaming.headers has an Authorization, too; leave one "
                        "of them out");
            return false;
        }
    }
    return true;
}

static const char *get_string(JsonObject *object, const char *name)
{
    return json_object_get_string_member_with_default(object, name, NULL);
}

static void read_recording(BotConfig *config, JsonObject *recording)
{
    const char *resolution = get_string(recording, "resolution");
    if (strcmp(resolution, "720p") == 0) {
        config->width = 1280;
        config->height = 720;
    } else if (strcmp(resolution, "1080p") == 0) {
        config->width = 1920;
        config->height = 1080;
    }
    config->fps = (uint8_t)json_object_get_int_member(recording, "fps");
    config->video_bitrate_bps = (uint32_t)json_object_get_int_member(recording, "video_bitrate");
    config->quality = (uint8_t)json_object_get_int_member(recording, "quality");
    config->capture = get_string(recording, "capture");
    config->encoder = get_string(recording, "encoder");
    config->audio_wav = json_object_get_boolean_member(recording, "audio_wav");
    config->separate_audio = json_object_get_boolean_member(recording, "separate_audio");
    config->chapters = json_object_get_boolean_member(recording, "chapters");
    config->screenshots_s = (uint32_t)json_object_get_int_member(recording, "screenshots");
}

static void read_streaming(BotConfig *config, JsonObject *streaming)
{
    config->stream_input = get_string(streaming, "input");
    config->stream_output = get_string(streaming, "output");
    config->stream_rate_hz =
        (uint32_t)atoi(get_string(streaming, "audio_frequency")) * 1000u; /* "24khz" */
    config->stream_frame_ms = (uint16_t)json_object_get_int_member(streaming, "frame_ms");
    config->stream_service_directions = strcmp(get_string(streaming, "directions"), "service") == 0;
    config->stream_allow_insecure = json_object_get_boolean_member(streaming, "allow_insecure");
    if (json_object_has_member(streaming, "headers")) {
        config->stream_headers = json_object_get_object_member(streaming, "headers");
    }
    config->stream_token = get_string(streaming, "token");
    config->stream_per_participant = json_object_get_boolean_member(streaming, "per_participant");
    config->stream_attendee = strcmp(get_string(streaming, "format"), "attendee") == 0;
    config->stream_replay_s = (uint16_t)json_object_get_int_member(streaming, "replay_s");
}

/* What a bucket needs is all there, or nothing is. */
static bool check_s3(JsonObject *s3, GError **error)
{
    static const char *const needed[] = {"bucket", "access_key", "secret_key"};
    static const char *const marks[] = {"bucket", "access_key",    "secret_key", "endpoint",
                                        "prefix", "session_token", NULL};
    bool wanted = false;
    for (gsize i = 0; marks[i] != NULL; i++) {
        wanted = wanted || json_object_has_member(s3, marks[i]);
    }
    for (gsize i = 0; wanted && i < G_N_ELEMENTS(needed); i++) {
        if (!json_object_has_member(s3, needed[i])) {
            g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                        "$.upload.s3.%s: missing; a bucket needs bucket, access_key and secret_key",
                        needed[i]);
            return false;
        }
    }
    const char *prefix = get_string(s3, "prefix");
    if (prefix != NULL && strlen(prefix) > MAX_PREFIX_BYTES) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                    "$.upload.s3.prefix: it has more than %d bytes; of a whole name a store takes "
                    "1024",
                    MAX_PREFIX_BYTES);
        return false;
    }
    const char *endpoint = get_string(s3, "endpoint");
    g_autoptr(GUri) uri = endpoint != NULL ? g_uri_parse(endpoint, G_URI_FLAGS_NONE, NULL) : NULL;
    bool bare = uri == NULL ||
                ((strcmp(g_uri_get_path(uri), "") == 0 || strcmp(g_uri_get_path(uri), "/") == 0) &&
                 g_uri_get_query(uri) == NULL && g_uri_get_userinfo(uri) == NULL);
    if (!bare) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                    "$.upload.s3.endpoint: \"%s\" has more than scheme, host and port only; the "
                    "bucket has a field of its own",
                    endpoint);
    }
    return bare;
}

/* It becomes part of a host name or path as it is (rules of S3 for buckets, the older ones too). */
static bool check_bucket(const char *bucket, GError **error)
{
    bool plain = bucket == NULL || (g_ascii_isalnum(bucket[0]) && strstr(bucket, "..") == NULL);
    for (const char *c = bucket; plain && c != NULL && *c != '\0'; c++) {
        plain = g_ascii_isalnum(*c) || strchr("-_.", *c) != NULL;
    }
    if (!plain) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                    "$.upload.s3.bucket: \"%s\" is not a bucket's name (letters, digits, '-', '_' "
                    "and '.')",
                    bucket);
    }
    return plain;
}

static bool read_upload(BotConfig *config, JsonObject *upload, GError **error)
{
    JsonObject *s3 = json_object_get_object_member(upload, "s3");
    if (!check_s3(s3, error) || !check_bucket(get_string(s3, "bucket"), error)) {
        return false;
    }
    BotStoreConfig *store = &config->upload.store;
    *store = (BotStoreConfig){
        .put_url = get_string(upload, "put_url"),
        .region = get_string(s3, "region"),
        .endpoint = get_string(s3, "endpoint"),
        .bucket = get_string(s3, "bucket"),
        .prefix = get_string(s3, "prefix"),
        .path_style = json_object_get_boolean_member(s3, "path_style"),
        .access_key = get_string(s3, "access_key"),
        .secret_key = get_string(s3, "secret_key"),
        .session_token = get_string(s3, "session_token"),
    };
    config->upload.delete_after = json_object_get_boolean_member(upload, "delete_after");
    if (store->put_url != NULL && store->bucket != NULL) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                    "$.upload: put_url and s3 exclude each other");
        return false;
    }
    if (json_object_has_member(upload, "headers")) {
        store->headers = json_object_get_object_member(upload, "headers");
    }
    if (store->endpoint == NULL) {
        config->s3_endpoint = g_strdup_printf("https://s3.%s.amazonaws.com", store->region);
        store->endpoint = config->s3_endpoint;
    }
    if (store->prefix == NULL) {
        config->s3_prefix = g_strdup_printf("%s/", config->bot_id);
        store->prefix = config->s3_prefix;
    }
    config->has_upload = store->put_url != NULL || store->bucket != NULL;
    return true;
}

static unsigned get_seconds(JsonObject *object, const char *name)
{
    return (unsigned)json_object_get_int_member(object, name);
}

static void read_document(BotConfig *config)
{
    JsonObject *document = config->document;
    config->bot_id = get_string(document, "bot_id");
    config->output_dir = get_string(document, "output_dir");
    config->meeting_url = get_string(document, "meeting_url");
    config->bot_name = get_string(document, "bot_name");
    config->entry_message = get_string(document, "entry_message");
    config->image_url = get_string(document, "bot_image");
    config->image_path = get_string(document, "bot_image_file");
    config->image_private = json_object_get_boolean_member(document, "bot_image_private");
    const char *mode = get_string(document, "recording_mode");
    config->mode = strcmp(mode, "audio_only") == 0     ? BOT_MODE_AUDIO_ONLY
                   : strcmp(mode, "gallery_view") == 0 ? BOT_MODE_GALLERY_VIEW
                                                       : BOT_MODE_SPEAKER_VIEW;
    if (json_object_has_member(document, "extra")) {
        config->extra = json_object_get_member(document, "extra");
    }
    JsonObject *leave = json_object_get_object_member(document, "automatic_leave");
    config->auto_leave = (BotAutoLeaveLimits){
        .waiting_room_s = get_seconds(leave, "waiting_room_timeout"),
        .noone_joined_s = get_seconds(leave, "noone_joined_timeout"),
        .silence_s = get_seconds(leave, "silence_timeout"),
        .alone_s = get_seconds(leave, "alone_timeout"),
        .max_duration_s = get_seconds(leave, "max_duration"),
        .silence_after_s = get_seconds(leave, "silence_activate_after"),
    };
    if (json_object_has_member(leave, "ignored_names")) {
        config->ignored_names = json_object_get_array_member(leave, "ignored_names");
    }
    read_recording(config, json_object_get_object_member(document, "recording"));
    read_streaming(config, json_object_get_object_member(document, "streaming"));
    config->browser = json_object_get_object_member(document, "browser");
    if (json_object_has_member(document, "proxy")) {
        config->proxy = json_object_get_object_member(document, "proxy");
    }
    config->null_dir = get_string(document, "null_dir");
    config->control_url = get_string(document, "control_url");
    config->control_token = get_string(document, "control_token");
    config->worker_id = get_string(document, "worker_id");
    config->webhook_url = get_string(document, "webhook_url");
    config->webhook_api_key = get_string(document, "webhook_api_key");
    config->rejoin_attempts = get_seconds(document, "rejoin_attempts");
    config->shutdown_grace_s = get_seconds(document, "shutdown_grace_s");
}

BotConfig *bot_config_new(JsonObject *document, GError **error)
{
    if (!bot_fields_check(&table, document, error)) {
        return NULL;
    }
    g_autoptr(JsonNode) node = json_node_alloc();
    json_node_init_object(node, document);
    g_autofree char *text = json_to_string(node, FALSE);
    g_autoptr(JsonNode) copy = json_from_string(text, error);
    if (copy == NULL) {
        return NULL;
    }
    g_autoptr(BotConfig) config = g_new0(BotConfig, 1);
    config->document = json_object_ref(json_node_get_object(copy));
    if (!bot_fields_fill_in(&table, config->document, error)) {
        return NULL;
    }
    fill_in(config->document);
    read_document(config);
    if (!check_bot_id(config->bot_id, error) ||
        !read_upload(config, json_object_get_object_member(config->document, "upload"), error) ||
        !check_stream_url(config, "streaming.input", config->stream_input, error) ||
        !check_stream_url(config, "streaming.output", config->stream_output, error) ||
        !check_token(config, error) || !check_control_token(config, error) ||
        !check_proxy(config, error)) {
        return NULL;
    }
    return g_steal_pointer(&config);
}

/* Returns (transfer full). */
static JsonObject *parse(const char *text, gsize length, GError **error)
{
    g_autoptr(GError) cause = NULL;
    JsonObject *object =
        media_json_parse(text, length, MAX_DEPTH, MEDIA_JSON_REFUSE_NO_TEXT, &cause);
    if (object == NULL) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_SYNTAX, "$: the document is %s",
                    cause->message);
    }
    return object;
}

BotConfig *bot_config_new_from_data(const char *text, gssize length, GError **error)
{
    gsize size = length >= 0 ? (gsize)length : strlen(text);
    g_autoptr(JsonObject) document = parse(text, size, error);
    return document != NULL ? bot_config_new(document, error) : NULL;
}

/* Copies the members that may change; any other is an error. */
static bool copy_members(JsonObject *to, JsonObject *from, const char *const *may, const char *path,
                         GError **error)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;
    json_object_iter_init(&iter, from);
    while (json_object_iter_next(&iter, &name, &node)) {
        if (!g_strv_contains(may, name)) {
            g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD,
                        "$.%s.%s: is no credential of the upload that there is", path, name);
            return false;
        }
        json_object_set_member(to, name, json_node_copy(node));
    }
    return true;
}

static JsonObject *get_object(JsonObject *parent, const char *name)
{
    JsonNode *node = parent != NULL ? json_object_get_member(parent, name) : NULL;
    return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

BotConfig *bot_config_with_credentials(const BotConfig *config, JsonObject *args, GError **error)
{
    static const char *const of_url[] = {"put_url", "headers", NULL};
    static const char *const of_s3[] = {"access_key", "secret_key", "session_token", NULL};
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), config->document);
    g_autofree char *text = json_to_string(node, FALSE);
    g_autoptr(JsonObject) document = parse(text, strlen(text), error);
    JsonObject *upload = get_object(document, "upload"), *given = get_object(args, "upload");
    JsonObject *s3 = get_object(given, "s3");
    bool to_bucket = config->upload.store.bucket != NULL;
    if (given == NULL || !config->has_upload || to_bucket != (s3 != NULL)) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD, "$.upload: expected %s",
                    !config->has_upload ? "nothing: there is no upload"
                    : to_bucket         ? "s3 with the bucket's new keys"
                                        : "put_url, the new one");
        return NULL;
    }
    bool good = s3 != NULL ? copy_members(get_object(upload, "s3"), s3, of_s3, "upload.s3", error)
                           : copy_members(upload, given, of_url, "upload", error);
    return good ? bot_config_new(document, error) : NULL;
}

static GByteArray *read_all(FILE *file, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    guint8 block[65536];
    gsize n;
    while ((n = fread(block, 1, sizeof block, file)) > 0) {
        g_byte_array_append(bytes, block, (guint)n);
        if (bytes->len > MAX_DOCUMENT_BYTES) {
            g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_READ,
                        "the document is larger than %d bytes", MAX_DOCUMENT_BYTES);
            return NULL;
        }
    }
    if (ferror(file)) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_READ, "%s", g_strerror(errno));
        return NULL;
    }
    return g_steal_pointer(&bytes);
}

/* Returns (transfer full): the object that the file at @path holds. */
static JsonObject *read_file(const char *path, GError **error)
{
    bool from_stdin = strcmp(path, "-") == 0;
    FILE *file = from_stdin ? stdin : fopen(path, "re");
    if (file == NULL) {
        g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_READ, "%s: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    g_autoptr(GByteArray) bytes = read_all(file, error);
    if (!from_stdin) {
        fclose(file);
    }
    return bytes != NULL ? parse((const char *)bytes->data, bytes->len, error) : NULL;
}

static void prefix_error(GError **error, const char *path)
{
    g_prefix_error(error, "%s: ", strcmp(path, "-") == 0 ? "standard input" : path);
}

BotConfig *bot_config_new_from_file(const char *path, GError **error)
{
    g_autoptr(JsonObject) document = read_file(path, error);
    BotConfig *config = document != NULL ? bot_config_new(document, error) : NULL;
    if (config == NULL) {
        prefix_error(error, path);
    }
    return config;
}

JsonObject *bot_config_read_base(const char *path, GError **error)
{
    if (path == NULL) {
        return json_object_new();
    }
    g_autoptr(JsonObject) document = read_file(path, error);
    if (document == NULL || !bot_fields_check(&table, document, error)) {
        prefix_error(error, path);
        return NULL;
    }
    return g_steal_pointer(&document);
}

BotConfig *bot_config_new_assigned(JsonObject *base, JsonObject *document, GError **error)
{
    static const char *const own[] = {"control_url", "control_token", "worker_id", NULL};
    g_autoptr(JsonObject) merged = json_object_new();
    JsonObject *const parts[] = {base, document};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autoptr(GList) names = json_object_get_members(parts[i]);
        for (GList *item = names; item != NULL; item = item->next) {
            if (parts[i] == base || !g_strv_contains(own, item->data)) {
                json_object_set_member(merged, item->data,
                                       json_object_dup_member(parts[i], item->data));
            }
        }
    }
    return bot_config_new(merged, error);
}

bool bot_config_is_listened(const BotConfig *config)
{
    return config->stream_input != NULL || config->stream_output != NULL;
}

void bot_config_free(BotConfig *config)
{
    g_clear_pointer(&config->document, json_object_unref);
    g_free(config->s3_endpoint);
    g_free(config->s3_prefix);
    g_free(config);
}

static char *blot_query(const char *url)
{
    const char *query = strchr(url, '?');
    return query != NULL ? g_strdup_printf("%.*s?***", (int)(query - url), url) : g_strdup(url);
}

char *bot_config_print(const BotConfig *config)
{
    g_autoptr(JsonNode) node = json_node_alloc();
    json_node_init_object(node, config->document);
    g_autofree char *text = json_to_string(node, FALSE);
    g_autoptr(JsonNode) copy = json_from_string(text, NULL);
    JsonObject *document = json_node_get_object(copy);
    for (const BotField *field = bot_config_fields; field->path != NULL; field++) {
        const char *name;
        JsonObject *parent = bot_fields_parent(document, field->path, &name);
        if (!json_object_has_member(parent, name)) {
            continue;
        }
        if ((field->flags & BOT_FIELD_SECRET) != 0) {
            json_object_set_string_member(parent, name, "***");
        } else if ((field->flags & BOT_FIELD_URL) != 0) {
            g_autofree char *blotted = blot_query(json_object_get_string_member(parent, name));
            json_object_set_string_member(parent, name, blotted);
        }
    }
    return json_to_string(copy, TRUE);
}
