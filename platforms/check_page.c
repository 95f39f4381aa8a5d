/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/check_page.h"

#include "platforms/adapter/flow.h"
#include "platforms/json.h"
#include "platforms/page/page.h"
#include "platforms/platform.h"
#include "platforms/rules.h"

#include <string.h>

#define NAVIGATE_TIMEOUT_MS 30000
#define READ_TIMEOUT_MS 15000

typedef struct {
    PlatformRules *rules; /* owned */
    Page *page;           /* owned */
    char *url;            /* owned */
    unsigned settle_s;
    guint timer;
    JsonNode *answer; /* owned; what the page read */
    GError *error;    /* owned */
    bool done;
} Check;

static void finish(Check *check, const GError *error)
{
    if (error != NULL && check->error == NULL) {
        check->error = g_error_copy(error);
    }
    check->done = true;
    g_main_context_wakeup(NULL);
}

static void on_table(JsonNode *value, const GError *error, gpointer user_data)
{
    Check *check = user_data;
    if (value != NULL) {
        check->answer = json_node_copy(value);
    }
    finish(check, error);
}

/* A page that was only just navigated to may hold nothing yet; one that never ends loading is read
 * as it is. */
static const char read_table[] =
    "new Promise((resolve) => {"
    "  const read = () => resolve(window.__steno.table());"
    "  if (document.readyState === 'complete') { read(); }"
    "  else { addEventListener('load', read, {once: true}); setTimeout(read, 3000); }"
    "})";

static gboolean on_settled(gpointer user_data)
{
    Check *check = user_data;
    check->timer = 0;
    browser_evaluate(page_get_browser(check->page), read_table, READ_TIMEOUT_MS, on_table, check);
    return G_SOURCE_REMOVE;
}

static void on_arrived(JsonNode *value, const GError *error, gpointer user_data)
{
    Check *check = user_data;
    if (error != NULL) {
        finish(check, error);
    } else {
        check->timer = g_timeout_add_seconds(check->settle_s, on_settled, check);
    }
}

static void on_ready(gpointer user_data)
{
    Check *check = user_data;
    browser_navigate(page_get_browser(check->page), check->url, NAVIGATE_TIMEOUT_MS, on_arrived,
                     check);
}

static void on_lost(BrowserLost lost, const char *message, gpointer user_data)
{
    g_autoptr(GError) error =
        g_error_new(PLATFORM_ERROR, PLATFORM_ERROR_BROWSER, "the page is lost: %s", message);
    finish(user_data, error);
}

static void on_navigated(const char *url, gpointer user_data)
{
    g_debug("at %s", url);
}

static void on_message(const char *type, JsonObject *message, gpointer user_data)
{
    g_debug("the page tells: %s", type);
}

/* No page is at home here: it gets no link, and nothing of it is recorded. */
static bool is_home(const char *url, gpointer user_data)
{
    return false;
}

static bool open_page(Check *check, JsonObject *browser, GError **error)
{
    static const char *const none[] = {NULL};
    static const PageEvents events = {.on_ready = on_ready,
                                      .on_navigated = on_navigated,
                                      .on_message = on_message,
                                      .on_lost = on_lost};
    BrowserOptions *options = browser_options_new(browser, error);
    if (options == NULL) {
        return false;
    }
    PageConfig config = {.browser = options,
                         .is_home = is_home,
                         .channels = none,
                         .fetches = none,
                         .rules = platform_rules_get_script(check->rules)};
    check->page = page_new(&config, &events, check, error);
    return check->page != NULL;
}

/* A meeting's URL, or a file's; and the name of the rules. */
static bool find_target(const PlatformCheck *check, char **ret_url, const char **ret_platform,
                        GError **error)
{
    *ret_platform = check->platform;
    if (strstr(check->target, "://") == NULL) {
        if (!g_file_test(check->target, G_FILE_TEST_IS_REGULAR)) {
            g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_URL,
                        "%s: no such file, and no URL of a meeting either", check->target);
            return false;
        }
        if (check->platform == NULL) {
            g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_RULES,
                        "a file does not tell whose page it is: --platform meet, teams or zoom");
            return false;
        }
        g_autoptr(GFile) file = g_file_new_for_path(check->target);
        *ret_url = g_file_get_uri(file);
        return true;
    }
    const char *name = NULL;
    if (!platform_check_url(check->target, &name, ret_url, error)) {
        return false;
    }
    if (!g_str_has_prefix(*ret_url, "https://")) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_URL, "%s has no page", *ret_url);
        return false;
    }
    if (*ret_platform == NULL) {
        *ret_platform = name;
    }
    return true;
}

static char *format_table(JsonNode *answer)
{
    g_autoptr(GString) text = g_string_new(NULL);
    JsonArray *rows = JSON_NODE_HOLDS_ARRAY(answer) ? json_node_get_array(answer) : NULL;
    for (guint i = 0; rows != NULL && i < json_array_get_length(rows); i++) {
        JsonNode *node = json_array_get_element(rows, i);
        JsonObject *row = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        const char *purpose = platform_json_string(row, "purpose", "?");
        const char *candidate = platform_json_string(row, "candidate", "?");
        const char *found = platform_json_string(row, "found", "-");
        g_autofree char *rule = g_strdup_printf("%s/%s", purpose, candidate);
        g_string_append_printf(text, "%-44s %s\n", rule, found);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

bool platform_check_page(const PlatformCheck *options, char **ret_table, GError **error)
{
    Check check = {.settle_s = options->settle_s};
    const char *platform = NULL;
    bool begun = find_target(options, &check.url, &platform, error) &&
                 (check.rules = platform_rules_load(platform, flow_purpose_names, error)) != NULL &&
                 open_page(&check, options->browser, error);
    while (begun && !check.done) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_clear_handle_id(&check.timer, g_source_remove);
    g_clear_pointer(&check.page, page_free);
    g_clear_pointer(&check.rules, platform_rules_free);
    g_free(check.url);
    if (check.error != NULL) {
        g_propagate_error(error, check.error);
    } else if (check.answer != NULL) {
        *ret_table = format_table(check.answer);
    }
    bool read = check.answer != NULL && check.error == NULL;
    g_clear_pointer(&check.answer, json_node_unref);
    return read;
}
