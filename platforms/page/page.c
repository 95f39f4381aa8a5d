/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/page/page.h"

#include "platforms/page/link.h"
#include "platforms/platform.h"
#include "platforms/resources.h"

#define LINK_TIMEOUT_MS 3000
#define LINK_RETRY_MS 300
#define SHOW_TIMEOUT_MS 4000
#define SCREENSHOT_TIMEOUT_MS 10000

typedef struct {
    Page *page; /* borrowed */
    char *path; /* owned */
    BrowserValue reply;
    gpointer user_data;
} Shot;

struct Page {
    PageEvents events;
    gpointer user_data;
    Browser *browser; /* owned */
    PageLink *link;   /* owned */
    unsigned link_timer;
    GHashTable *shots; /* owned: set of owned Shot */
    bool (*is_home)(const char *url, gpointer user_data);
    bool on_site; /* the document is the meeting's page */
};

static void shot_free(gpointer data)
{
    Shot *shot = data;
    g_free(shot->path);
    g_free(shot);
}

static const char *resource_text(const char *name, GBytes **ret_bytes)
{
    g_autofree char *path = g_strconcat("/steno/page/", name, NULL);
    g_autoptr(GError) error = NULL;
    *ret_bytes = g_resource_lookup_data(platforms_get_resource(), path, 0, &error);
    g_assert_no_error(error);
    return g_bytes_get_data(*ret_bytes, NULL);
}

static char *to_json_string(const char *text)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_VALUE);
    json_node_set_string(node, text);
    return json_to_string(node, FALSE);
}

static void append_strings(GString *out, const char *const *strings)
{
    g_string_append_c(out, '[');
    for (size_t i = 0; strings != NULL && strings[i] != NULL; i++) {
        g_autofree char *json = to_json_string(strings[i]);
        g_string_append_printf(out, "%s%s", i > 0 ? "," : "", json);
    }
    g_string_append_c(out, ']');
}

static void append_flag(GString *out, const char *name, bool value)
{
    g_string_append_printf(out, "%s: %s, ", name, value ? "true" : "false");
}

static void append_config(GString *script, const PageConfig *config)
{
    g_string_append(script, "const CONFIG = {");
    append_flag(script, "video", config->video);
    append_flag(script, "gallery", config->gallery);
    append_flag(script, "tap_video", config->tap_video);
    append_flag(script, "classic_audio", config->classic_audio);
    append_flag(script, "page_sound", config->page_sound);
    append_flag(script, "frames", config->frames);
    g_string_append_printf(script, "batch_ms: %u, stand_in_px: %u, channels: ", config->batch_ms,
                           config->stand_in_px);
    append_strings(script, config->channels);
    g_string_append(script, ", fetches: ");
    append_strings(script, config->fetches);
    g_string_append(script, ", sockets: ");
    append_strings(script, config->sockets);
    g_string_append(script, ", sends: ");
    append_strings(script, config->sends);
    g_string_append(script, ", attributes: ");
    append_strings(script, config->attributes);
    g_string_append(script, "};\n");
}

/* The scripts and their data as one closure, for the top document; its frames only ask it to see to
 * them. */
static char *build_script(const PageConfig *config)
{
    static const char *const parts[] = {"tap.js", "sound.js", "dom.js", "people.js", "capture.js"};
    g_autoptr(GBytes) worker = NULL;
    g_autofree char *worker_text = to_json_string(resource_text("worker.js", &worker));
    GString *script = g_string_new("(() => {'use strict';\n"
                                   "if (window !== window.top) {\n"
                                   "try { window.top.__steno.adopt(window); } catch {}\n"
                                   "return; }\n"
                                   "if ('__steno' in window || "
                                   "location.protocol === 'about:') { return; }\n");
    append_config(script, config);
    g_string_append_printf(script, "const RULES = %s;\nconst WORKER_SOURCE = %s;\n", config->rules,
                           worker_text);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autoptr(GBytes) part = NULL;
        g_string_append_printf(script, "%s\n", resource_text(parts[i], &part));
    }
    g_string_append_printf(script, "%s\n})();", config->script != NULL ? config->script : "");
    return g_string_free(script, FALSE);
}

static void invite(Page *page);

static gboolean on_link_timer(gpointer data)
{
    Page *page = data;
    page->link_timer = 0;
    if (!page_link_is_open(page->link)) {
        invite(page);
    }
    return G_SOURCE_REMOVE;
}

static void invite_later(Page *page)
{
    if (page->link_timer == 0) {
        page->link_timer = g_timeout_add(LINK_RETRY_MS, on_link_timer, page);
    }
}

static void on_invited(JsonNode *value, const GError *error, gpointer user_data)
{
    if (error != NULL) {
        g_debug("the page did not take the link: %s", error->message);
        invite_later(user_data);
    }
}

static void invite(Page *page)
{
    g_autofree char *url = page_link_invite(page->link);
    g_autofree char *call = g_strdup_printf("window.__steno.link('%s')", url);
    browser_evaluate(page->browser, call, LINK_TIMEOUT_MS, on_invited, page);
}

static void on_ready(gpointer user_data)
{
    Page *page = user_data;
    page->events.on_ready(page->user_data);
}

static char *origin_of(const char *url)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_ENCODED, NULL);
    int port = uri != NULL ? g_uri_get_port(uri) : -1;
    if (uri == NULL) {
        return NULL;
    }
    return port < 0
               ? g_strdup_printf("%s://%s", g_uri_get_scheme(uri), g_uri_get_host(uri))
               : g_strdup_printf("%s://%s:%d", g_uri_get_scheme(uri), g_uri_get_host(uri), port);
}

static void on_navigated(const char *url, gpointer user_data)
{
    Page *page = user_data;
    page->on_site = page->is_home(url, page->user_data);
    g_clear_handle_id(&page->link_timer, g_source_remove);
    if (page->on_site) {
        g_autofree char *origin = origin_of(url);
        page_link_set_origin(page->link, origin);
        invite(page);
    }
    page->events.on_navigated(url, page->user_data);
}

static void on_lost(BrowserLost lost, const char *message, gpointer user_data)
{
    Page *page = user_data;
    page->on_site = false;
    g_clear_handle_id(&page->link_timer, g_source_remove);
    page->events.on_lost(lost, message, page->user_data);
}

static void on_open(gpointer user_data)
{
    Page *page = user_data;
    page->events.on_link(true, page->user_data);
}

static void on_closed(const GError *error, gpointer user_data)
{
    Page *page = user_data;
    if (error != NULL) {
        g_warning("%s", error->message);
    }
    if (page->on_site) {
        invite_later(page);
    }
    page->events.on_link(false, page->user_data);
}

static void on_frame(MediaEncodedFrame *frame, gpointer user_data)
{
    Page *page = user_data;
    page->events.on_frame(frame, page->user_data);
}

static void on_data(bool fetch, const char *name, GBytes *data, gpointer user_data)
{
    Page *page = user_data;
    page->events.on_data(fetch, name, data, page->user_data);
}

static void on_message(const char *type, JsonObject *message, gpointer user_data)
{
    Page *page = user_data;
    page->events.on_message(type, message, page->user_data);
}

Page *page_new(const PageConfig *config, const PageEvents *events, gpointer user_data,
               GError **error)
{
    static const PageLinkEvents link_events = {.on_open = on_open,
                                               .on_frame = on_frame,
                                               .on_data = on_data,
                                               .on_message = on_message,
                                               .on_closed = on_closed};
    static const BrowserEvents browser_events = {
        .on_ready = on_ready, .on_navigated = on_navigated, .on_lost = on_lost};
    g_autoptr(Page) page = g_new0(Page, 1);
    g_autofree char *script = build_script(config);
    page->events = *events;
    page->user_data = user_data;
    page->is_home = config->is_home;
    page->shots = g_hash_table_new_full(NULL, NULL, shot_free, NULL);
    page->link = page_link_new(NULL, &link_events, page, error);
    const char *const scripts[] = {script, NULL};
    if (page->link == NULL) {
        browser_options_free(config->browser);
        browser_free(config->ahead);
        return NULL;
    }
    if (config->ahead != NULL) {
        browser_options_free(config->browser);
        page->browser = config->ahead;
        browser_adopt(page->browser, scripts, &browser_events, page);
    } else {
        page->browser = browser_new(config->browser, scripts, &browser_events, page, error);
    }
    return page->browser != NULL ? g_steal_pointer(&page) : NULL;
}

void page_free(Page *page)
{
    if (page == NULL) {
        return;
    }
    g_clear_handle_id(&page->link_timer, g_source_remove);
    g_clear_pointer(&page->browser, browser_free);
    g_clear_pointer(&page->link, page_link_free);
    g_hash_table_unref(page->shots);
    g_free(page);
}

Browser *page_get_browser(Page *page)
{
    return page->browser;
}

bool page_speak(Page *page, const int16_t *samples, size_t n_samples)
{
    return page_link_send_speech(page->link, samples, n_samples);
}

bool page_stop_speaking(Page *page)
{
    return page_link_send_text(page->link, "{\"type\":\"flush\"}");
}

bool page_request_key_frame(Page *page, uint32_t track_id)
{
    return page_link_request_key_frame(page->link, track_id);
}

static void on_shot(JsonNode *value, const GError *error, gpointer user_data)
{
    Shot *shot = user_data;
    Page *page = shot->page;
    BrowserValue reply = shot->reply;
    gpointer reply_data = shot->user_data;
    g_hash_table_remove(page->shots, shot);
    if (g_hash_table_size(page->shots) == 0) {
        browser_evaluate(page->browser, "window.__steno && (window.__steno.show(false), null)",
                         SHOW_TIMEOUT_MS, NULL, NULL);
    }
    reply(value, error, reply_data);
}

static void on_shown(JsonNode *value, const GError *error, gpointer user_data)
{
    Shot *shot = user_data;
    if (error != NULL && g_error_matches(error, PLATFORM_ERROR, PLATFORM_ERROR_TIMEOUT)) {
        on_shot(NULL, error, shot); /* a frozen page is not photographed */
        return;
    }
    browser_screenshot(shot->page->browser, shot->path, SCREENSHOT_TIMEOUT_MS, on_shot, shot);
}

void page_screenshot(Page *page, const char *path, BrowserValue reply, gpointer user_data)
{
    Shot *shot = g_new0(Shot, 1);
    shot->page = page;
    shot->path = g_strdup(path);
    shot->reply = reply;
    shot->user_data = user_data;
    g_hash_table_add(page->shots, shot);
    browser_evaluate(page->browser, "window.__steno ? window.__steno.show(true) : null",
                     SHOW_TIMEOUT_MS, on_shown, shot);
}
