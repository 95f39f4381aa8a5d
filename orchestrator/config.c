/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/config.h"

#include "bot/config.h"
#include "orchestrator/json.h"

#include <gio/gio.h>
#include <string.h>

#define STRING(path, max, fallback, help)                                                          \
    {                                                                                              \
        path, BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, max, NULL, NULL, fallback, help                \
    }
#define INT(path, min, max, fallback, help)                                                        \
    {                                                                                              \
        path, BOT_FIELD_INT, BOT_FIELD_PLAIN, min, max, NULL, NULL, fallback, help                 \
    }
#define OBJECT(path, help)                                                                         \
    {                                                                                              \
        path, BOT_FIELD_OBJECT, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, help                      \
    }

#define DAY_S (24 * 3600)

static const char *const on_stop[] = {"stay", "leave", NULL};

/* clang-format off: one field a line */
static const BotField fields[] = {
    OBJECT("listen", "where the HTTP APIs are served"),
    STRING("listen.address", 255, "\"127.0.0.1\"", "IP address"),
    INT("listen.port", 0, 65535, "8080", "TCP port; 0 for any free one"),
    {"public_url", BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 1000, NULL, "http https", NULL,
     "how clients reach the server; stands in links to files"},
    STRING("data_dir", 4000, "\"data\"", "folder of the database and the recordings"),
    INT("join_lead_s", 0, DAY_S, "240", "seconds that a bot joins before its start_time"),
    INT("link_valid_s", 60, 7 * DAY_S, "86400", "seconds that a link to a file holds"),

    OBJECT("workers", "the processes that run bots"),
    INT("workers.max", 0, 10000, "4", "bots at a time; 0: bots are accepted and wait"),
    INT("workers.pool", 0, 1000, "1", "workers that wait with their browser started"),
    INT("workers.queue", 0, 1000000, "1000", "bots that may wait for a place"),
    {"workers.on_stop", BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 16, on_stop, NULL, "\"stay\"",
     "at SIGTERM bots stay in their meetings, or leave first"},
    INT("workers.stop_grace_s", 1, DAY_S, "55", "seconds for that, and for what they report"),
    {"workers.own_bots_are_company", BOT_FIELD_BOOL, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, "false",
     "bots of one account in one meeting keep each other there"},
    STRING("workers.executable", 4000, NULL, "path of steno-worker; found beside this program"),
    {"worker_defaults", BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, "{}",
     "a worker's configuration, under what the HTTP client asked for"},

    {"accounts", BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, "[]",
     "the platforms' accounts that bots sign in with"},
    {"accounts_use", BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 16, orch_login_uses, NULL,
     "\"when_asked\"", "when bots use one whose callers did not say"},

    OBJECT("webhooks", "how webhooks are delivered"),
    {"webhooks.allow_private", BOT_FIELD_BOOL, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, "false",
     "targets on loopback and in private networks"},
    {"webhooks.retry_s", BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL,
     "[5, 10, 300, 900, 1800, 7200]", "seconds between the tries, then the webhook is parked"},

    OBJECT("limits", "what one client may ask of the server"),
    INT("limits.body_bytes", 1024, 64 * 1024 * 1024, "16777216", "size of a request's body"),
    INT("limits.connections", 1, 100000, "1024", "connections at a time"),
    INT("limits.request_timeout_s", 1, 3600, "60",
        "seconds until a request must have come, or a silent connection ends"),
    {NULL, BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, NULL},
};
/* clang-format on */

const BotFieldTable orch_config_table = {fields, "docs/api.md"};

static bool refuse(GError **error, const char *sentence)
{
    g_set_error_literal(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD, sentence);
    return false;
}

static bool check_retries(JsonArray *array, GError **error)
{
    guint n = array != NULL ? json_array_get_length(array) : 0;
    bool good = array != NULL && n <= 20;
    for (guint i = 0; good && i < n; i++) {
        JsonNode *node = json_array_get_element(array, i);
        good = JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64 &&
               json_node_get_int(node) >= 1 && json_node_get_int(node) <= 7 * DAY_S;
    }
    return good || refuse(error, "$.webhooks.retry_s: is not an array of at most 20 whole numbers "
                                 "of seconds from 1 to 604800");
}

/* A document for a worker that could do its work, but for what each bot brings. */
static bool check_worker_defaults(JsonObject *defaults, GError **error)
{
    if (defaults == NULL) {
        return refuse(error, "$.worker_defaults: is not an object");
    }
    g_autofree char *text = orch_json_print(defaults);
    g_autoptr(JsonObject) trial = orch_json_load(text);
    json_object_set_string_member(trial, "meeting_url", "https://meet.google.com/abc-defg-hij");
    g_autoptr(BotConfig) config = bot_config_new(trial, error);
    if (config == NULL) {
        g_prefix_error(error, "in $.worker_defaults: ");
    }
    return config != NULL;
}

static char *absolute(const char *path)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    return g_file_get_path(file);
}

static char *beside_us(const char *name)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *dir = self != NULL ? g_path_get_dirname(self) : g_strdup(".");
    g_autofree char *installed = g_build_filename(dir, name, NULL);
    g_autofree char *built = g_build_filename(dir, "..", "bot", name, NULL);
    return g_file_test(installed, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer(&installed)
                                                             : g_steal_pointer(&built);
}

static guint get_uint(JsonObject *object, const char *name)
{
    return (guint)json_object_get_int_member(object, name);
}

static void read_document(OrchConfig *config)
{
    JsonObject *document = config->document;
    JsonObject *listen = orch_json_object(document, "listen");
    JsonObject *workers = orch_json_object(document, "workers");
    JsonObject *limits = orch_json_object(document, "limits");
    JsonObject *webhooks = orch_json_object(document, "webhooks");
    config->address = orch_json_string(listen, "address");
    config->port = (guint16)json_object_get_int_member(listen, "port");
    config->public_url = g_strdup(orch_json_string(document, "public_url"));
    if (config->public_url != NULL && g_str_has_suffix(config->public_url, "/")) {
        config->public_url[strlen(config->public_url) - 1] = '\0';
    }
    config->data_dir = absolute(orch_json_string(document, "data_dir"));
    config->join_lead_s = get_uint(document, "join_lead_s");
    config->link_valid_s = get_uint(document, "link_valid_s");
    config->max_workers = get_uint(workers, "max");
    config->pool_size = get_uint(workers, "pool");
    config->max_queue = get_uint(workers, "queue");
    config->leave_on_stop = strcmp(orch_json_string(workers, "on_stop"), "leave") == 0;
    config->own_bots_are_company = json_object_get_boolean_member(workers, "own_bots_are_company");
    config->stop_grace_s = get_uint(workers, "stop_grace_s");
    const char *worker = orch_json_string(workers, "executable");
    config->worker = worker != NULL ? absolute(worker) : beside_us("steno-worker");
    config->worker_defaults = orch_json_object(document, "worker_defaults");
    config->accounts_use = orch_login_use_from_string(orch_json_string(document, "accounts_use"));
    config->allow_private_webhooks = orch_json_bool(webhooks, "allow_private", false);
    config->retry_s = orch_json_array(webhooks, "retry_s");
    config->max_body_bytes = get_uint(limits, "body_bytes");
    config->max_connections = get_uint(limits, "connections");
    config->request_timeout_s = get_uint(limits, "request_timeout_s");
}

OrchConfig *orch_config_new(JsonObject *document, GError **error)
{
    g_autofree char *text = orch_json_print(document);
    g_autoptr(OrchConfig) config = g_new0(OrchConfig, 1);
    config->document = orch_json_load(text);
    if (!bot_fields_check(&orch_config_table, config->document, error) ||
        !bot_fields_fill_in(&orch_config_table, config->document, error)) {
        return NULL;
    }
    read_document(config);
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(config->address);
    if (address == NULL) {
        refuse(error, "$.listen.address: is not an IP address, such as 127.0.0.1 or ::");
        return NULL;
    }
    if (!check_retries(config->retry_s, error) ||
        !check_worker_defaults(config->worker_defaults, error)) {
        return NULL;
    }
    config->logins = orch_logins_read(json_object_get_member(config->document, "accounts"), error);
    return config->logins != NULL ? g_steal_pointer(&config) : NULL;
}

OrchConfig *orch_config_new_from_file(const char *path, GError **error)
{
    g_autoptr(JsonObject) document = NULL;
    if (path != NULL) {
        g_autofree char *text = NULL;
        gsize length = 0;
        if (!g_file_get_contents(path, &text, &length, error)) {
            return NULL;
        }
        document = orch_json_parse_object(text, length, error);
    } else {
        document = json_object_new();
    }
    OrchConfig *config = document != NULL ? orch_config_new(document, error) : NULL;
    if (config == NULL && path != NULL) {
        g_prefix_error(error, "%s: ", path);
    }
    return config;
}

void orch_config_free(OrchConfig *config)
{
    g_clear_pointer(&config->document, json_object_unref);
    g_clear_pointer(&config->logins, g_ptr_array_unref);
    g_free(config->public_url);
    g_free(config->data_dir);
    g_free(config->worker);
    g_free(config);
}

char *orch_config_path(const OrchConfig *config, const char *name)
{
    return g_build_filename(config->data_dir, name, NULL);
}
