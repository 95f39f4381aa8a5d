/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/browser/options.h"

#include "base/proxy.h"
#include "platforms/platform.h"

#include <string.h>
#include <sys/statvfs.h>

#define MIN_SHM_BYTES (512ull << 20)

#define HEADLESS_FRAME 143
#define DEBIAN_CHROMIUM "/usr/lib/chromium/chromium"

typedef enum { FIELD_STRING, FIELD_LIST, FIELD_STRINGS, FIELD_BOOL } FieldType;

typedef struct {
    const char *name;
    FieldType type;
    size_t offset;
} Field;

static const Field fields[] = {
    {"executable", FIELD_STRING, G_STRUCT_OFFSET(BrowserOptions, executable)},
    {"args", FIELD_STRINGS, G_STRUCT_OFFSET(BrowserOptions, args)},
    {"profile_dir", FIELD_STRING, G_STRUCT_OFFSET(BrowserOptions, profile_dir)},
    {"cookies_file", FIELD_STRING, G_STRUCT_OFFSET(BrowserOptions, cookies_file)},
    {"host_rules", FIELD_LIST, G_STRUCT_OFFSET(BrowserOptions, host_rules)},
    {"trusted_spki", FIELD_LIST, G_STRUCT_OFFSET(BrowserOptions, trusted_spki)},
    {"address_space_overrides", FIELD_LIST,
     G_STRUCT_OFFSET(BrowserOptions, address_space_overrides)},
    {"sandbox", FIELD_BOOL, G_STRUCT_OFFSET(BrowserOptions, sandbox)},
    {"headless", FIELD_BOOL, G_STRUCT_OFFSET(BrowserOptions, headless)},
    {"signed_in", FIELD_BOOL, G_STRUCT_OFFSET(BrowserOptions, signed_in)},
};

#define DISABLED_FEATURES                                                                          \
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,"              \
    "LocalNetworkAccessChecksWebRTC,Translate,MediaRouter,OptimizationHints,"                      \
    "AutofillServerCommunication"

/* Flags of every start. What each is for: docs/adapters.md, "The browser". */
static const char *const fixed_args[] = {
    "--remote-debugging-pipe",
    "--lang=en-US",
    "--accept-lang=en-US",
    DISABLED_FEATURES, /* NOLINT(bugprone-suspicious-missing-comma): one long argument */
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--use-fake-ui-for-media-stream",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--password-store=basic",
    "--use-mock-keychain",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-component-update",
    "--disable-component-extensions-with-background-pages",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-client-side-phishing-detection",
    "--disable-domain-reliability",
    "--disable-hang-monitor",
    "--disable-popup-blocking",
    "--disable-prompt-on-repost",
    "--disable-quic",
    "--hide-crash-restore-bubble",
    "--metrics-recording-only",
    "--no-pings",
};

static bool wrong(const char *name, const char *expected, GError **error)
{
    g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER, "browser.%s: expected %s", name,
                expected);
    return false;
}

static const char *node_string(JsonNode *node)
{
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

/* (transfer full) the strings of an array, or of one string; NULL when there is another type. */
static char **node_strings(JsonNode *node)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    if (node_string(node) != NULL) {
        g_strv_builder_add(builder, node_string(node));
        return g_strv_builder_end(builder);
    }
    if (!JSON_NODE_HOLDS_ARRAY(node)) {
        return NULL;
    }
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        const char *item = node_string(json_array_get_element(array, i));
        if (item == NULL) {
            return NULL;
        }
        g_strv_builder_add(builder, item);
    }
    return g_strv_builder_end(builder);
}

static bool read_field(BrowserOptions *options, const Field *field, JsonNode *node, GError **error)
{
    gpointer place = G_STRUCT_MEMBER_P(options, field->offset);
    if (json_node_is_null(node)) {
        return true;
    }
    if (field->type == FIELD_BOOL) {
        if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN) {
            return wrong(field->name, "true or false", error);
        }
        *(bool *)place = json_node_get_boolean(node);
        return true;
    }
    if (field->type == FIELD_STRING) {
        if (node_string(node) == NULL) {
            return wrong(field->name, "a string", error);
        }
        g_free(*(char **)place);
        *(char **)place = g_strdup(node_string(node));
        return true;
    }
    g_auto(GStrv) strings = node_strings(node);
    if (strings == NULL) {
        return wrong(field->name, "a string or an array of strings", error);
    }
    if (field->type == FIELD_STRINGS) {
        *(char ***)place = g_steal_pointer(&strings);
    } else {
        *(char **)place = g_strjoinv(",", strings);
    }
    return true;
}

static char *default_executable(void)
{
    /* Debian's /usr/bin/chromium is a script that adds flags of its own; go past it. */
    if (g_file_test(DEBIAN_CHROMIUM, G_FILE_TEST_IS_EXECUTABLE)) {
        return g_strdup(DEBIAN_CHROMIUM);
    }
    static const char *const names[] = {"chromium", "chromium-browser", "google-chrome-stable"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *path = g_find_program_in_path(names[i]);
        if (path != NULL) {
            return path;
        }
    }
    return g_strdup("chromium");
}

BrowserOptions *browser_options_new(JsonObject *json, GError **error)
{
    g_autoptr(BrowserOptions) options = g_new0(BrowserOptions, 1);
    options->sandbox = true;
    options->headless = true;
    options->window_width = 1280;
    options->window_height = 720;
    if (json != NULL) {
        JsonObjectIter iter;
        const char *name;
        JsonNode *node;
        json_object_iter_init(&iter, json);
        while (json_object_iter_next(&iter, &name, &node)) {
            size_t i = 0;
            while (i < G_N_ELEMENTS(fields) && strcmp(fields[i].name, name) != 0) {
                i++;
            }
            if (i == G_N_ELEMENTS(fields)) {
                wrong(name, "no such key", error);
                return NULL;
            }
            if (!read_field(options, &fields[i], node, error)) {
                return NULL;
            }
        }
    }
    if (options->executable == NULL) {
        options->executable = default_executable();
    }
    return g_steal_pointer(&options);
}

void browser_options_free(BrowserOptions *options)
{
    if (options == NULL) {
        return;
    }
    g_free(options->executable);
    g_strfreev(options->args);
    g_free(options->profile_dir);
    g_free(options->cookies_file);
    g_free(options->host_rules);
    g_free(options->trusted_spki);
    g_free(options->address_space_overrides);
    g_free(options);
}

static void add_value(GPtrArray *argv, const char *flag, const char *value)
{
    if (value != NULL && *value != '\0') {
        g_ptr_array_add(argv, g_strconcat(flag, value, NULL));
    }
}

static bool shm_is_roomy(void)
{
    struct statvfs shm;
    return statvfs("/dev/shm", &shm) == 0 &&
           (unsigned long long)shm.f_bavail * shm.f_frsize >= MIN_SHM_BYTES;
}

static bool strings_equal(char **a, char **b)
{
    return a == NULL || b == NULL ? a == b
                                  : g_strv_equal((const char *const *)a, (const char *const *)b);
}

bool browser_options_equal(const BrowserOptions *a, const BrowserOptions *b)
{
    bool equal = a->own_display == b->own_display && a->window_width == b->window_width &&
                 a->window_height == b->window_height;
    for (size_t i = 0; equal && i < G_N_ELEMENTS(fields); i++) {
        gconstpointer left = (const char *)a + fields[i].offset;
        gconstpointer right = (const char *)b + fields[i].offset;
        switch (fields[i].type) {
        case FIELD_STRING:
        case FIELD_LIST:
            equal = g_strcmp0(*(char *const *)left, *(char *const *)right) == 0;
            break;
        case FIELD_STRINGS:
            equal = strings_equal(*(char **const *)left, *(char **const *)right);
            break;
        case FIELD_BOOL:
            equal = *(const bool *)left == *(const bool *)right;
            break;
        }
    }
    return equal;
}

/* The process's rule, unless the browser has arguments of its own for it. */
static void add_proxy(GPtrArray *argv, const BrowserOptions *options)
{
    for (size_t i = 0; options->args != NULL && options->args[i] != NULL; i++) {
        if (g_str_has_prefix(options->args[i], "--proxy-") ||
            strcmp(options->args[i], "--no-proxy-server") == 0) {
            return;
        }
    }
    g_auto(GStrv) proxy = base_proxy_chromium_args();
    for (size_t i = 0; proxy[i] != NULL; i++) {
        g_ptr_array_add(argv, g_strdup(proxy[i]));
    }
}

/* What depends on the network and on the user's own arguments, for both kinds of start. */
static void add_environment(GPtrArray *argv, const BrowserOptions *options)
{
    if (!options->sandbox) {
        g_ptr_array_add(argv, g_strdup("--no-sandbox"));
    }
    if (!shm_is_roomy()) { /* as in containers, which get 64 MiB */
        g_ptr_array_add(argv, g_strdup("--disable-dev-shm-usage"));
    }
    add_proxy(argv, options);
    add_value(argv, "--host-resolver-rules=", options->host_rules);
    add_value(argv, "--ignore-certificate-errors-spki-list=", options->trusted_spki);
    add_value(argv, "--ip-address-space-overrides=", options->address_space_overrides);
    for (size_t i = 0; options->args != NULL && options->args[i] != NULL; i++) {
        g_ptr_array_add(argv, g_strdup(options->args[i]));
    }
}

char **browser_options_to_login_argv(const BrowserOptions *options, const char *profile_dir,
                                     const char *url)
{
    /* The cookies' key must be the one that the bot's browser has. */
    static const char *const args[] = {"--lang=en-US",
                                       "--accept-lang=en-US",
                                       "--no-first-run",
                                       "--no-default-browser-check",
                                       "--password-store=basic",
                                       "--use-mock-keychain",
                                       "--new-window"};
    GPtrArray *argv = g_ptr_array_new();
    g_ptr_array_add(argv, g_strdup(options->executable));
    for (size_t i = 0; i < G_N_ELEMENTS(args); i++) {
        g_ptr_array_add(argv, g_strdup(args[i]));
    }
    add_value(argv, "--user-data-dir=", profile_dir);
    add_environment(argv, options);
    g_ptr_array_add(argv, g_strdup(url));
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

char **browser_options_to_argv(const BrowserOptions *options, const char *profile_dir)
{
    GPtrArray *argv = g_ptr_array_new();
    g_ptr_array_add(argv, g_strdup(options->executable));
    for (size_t i = 0; i < G_N_ELEMENTS(fixed_args); i++) {
        g_ptr_array_add(argv, g_strdup(fixed_args[i]));
    }
    add_value(argv, "--user-data-dir=", profile_dir);
    if (options->own_display) {
        g_ptr_array_add(argv, g_strdup("--ozone-platform=x11"));
        g_ptr_array_add(argv, g_strdup("--kiosk"));
        g_ptr_array_add(argv, g_strdup("--window-position=0,0"));
        g_ptr_array_add(argv, g_strdup("--force-device-scale-factor=1"));
    }
    /* A headless window has the height of a frame that it does not show. */
    g_ptr_array_add(argv, g_strdup_printf("--window-size=%d,%d", options->window_width,
                                          options->window_height +
                                              (options->own_display ? 0 : HEADLESS_FRAME)));
    if (options->headless && !options->own_display) {
        g_ptr_array_add(argv, g_strdup("--headless=new"));
        g_ptr_array_add(argv, g_strdup("--hide-scrollbars"));
    }
    add_environment(argv, options);
    g_ptr_array_add(argv, g_strdup("about:blank"));
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

/* One cookie with the members that Storage.setCookies knows; exports carry more. */
static GVariant *read_cookie(JsonObject *cookie)
{
    static const char *const strings[] = {"name", "value", "domain", "path", "sameSite"};
    static const char *const flags[] = {"secure", "httpOnly"};
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++) {
        JsonNode *node = json_object_get_member(cookie, strings[i]);
        const char *value = node != NULL ? node_string(node) : NULL;
        bool needed = i < 3;
        if (value == NULL && needed) {
            return NULL;
        }
        /* Exports write "no_restriction" and "unspecified" where DevTools wants nothing. */
        bool known = strcmp(strings[i], "sameSite") != 0 || g_strcmp0(value, "Strict") == 0 ||
                     g_strcmp0(value, "Lax") == 0 || g_strcmp0(value, "None") == 0;
        if (value != NULL && known) {
            g_variant_dict_insert(&dict, strings[i], "s", value);
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        JsonNode *node = json_object_get_member(cookie, flags[i]);
        if (node != NULL && JSON_NODE_HOLDS_VALUE(node)) {
            g_variant_dict_insert(&dict, flags[i], "b", json_node_get_boolean(node));
        }
    }
    JsonNode *expires = json_object_get_member(cookie, "expires");
    if (expires != NULL && JSON_NODE_HOLDS_VALUE(expires) && json_node_get_double(expires) > 0) {
        g_variant_dict_insert(&dict, "expires", "d", json_node_get_double(expires));
    }
    return g_variant_dict_end(&dict);
}

GVariant *browser_options_read_cookies(const BrowserOptions *options, GError **error)
{
    if (options->cookies_file == NULL) {
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) cause = NULL;
    if (!json_parser_load_from_file(parser, options->cookies_file, &cause)) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER, "browser.cookies_file: %s",
                    cause->message);
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_ARRAY(root)) {
        wrong("cookies_file", "a file with a JSON array of cookies", error);
        return NULL;
    }
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
    JsonArray *array = json_node_get_array(root);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        GVariant *cookie =
            JSON_NODE_HOLDS_OBJECT(node) ? read_cookie(json_node_get_object(node)) : NULL;
        if (cookie == NULL) {
            g_variant_builder_clear(&builder);
            g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER,
                        "browser.cookies_file: [%u] has no name, value and domain", i);
            return NULL;
        }
        g_variant_builder_add_value(&builder, cookie);
    }
    return g_variant_new_parsed("{'cookies': <%v>}", g_variant_builder_end(&builder));
}
