/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/adapter/adapter.h"

#include "platforms/resources.h"
#include "platforms/standby_priv.h"

#define CLICK_TIMEOUT_MS 2000
#define PICTURE_TIMEOUT_MS 15000
#define LEAVE_CLICK_TIMEOUT_MS 2500
#define LEAVE_BUDGET_MS 7000
#define RECORDED_BATCH_MS 100 /* of the 400 that the recording's sound lies behind */

static void adapter_clear(gpointer data)
{
    Adapter *adapter = data;
    if (adapter->kind->clear != NULL) {
        adapter->kind->clear(adapter);
    }
    g_free(adapter->url);
    g_free(adapter->bot_name);
    g_free(adapter->passcode);
    g_clear_pointer(&adapter->picture, g_bytes_unref);
    g_free(adapter->output_dir);
    browser_options_free(adapter->browser_options);
    platform_rules_free(adapter->rules);
    for (int i = 0; i < FLOW_N_PURPOSES; i++) {
        g_free(adapter->seen_rules[i]);
    }
    g_clear_pointer(&adapter->seen_dialogs, g_hash_table_unref);
    g_free(adapter->left_message);
    g_free(adapter->left_rule);
    g_free(adapter->left_shot);
    g_clear_pointer(&adapter->chat, adapter_chat_free);
    g_queue_clear_full(&adapter->requests, g_free);
    g_queue_clear_full(&adapter->walks, g_free);
}

void adapter_release(Adapter *adapter)
{
    g_rc_box_release_full(adapter, adapter_clear);
}

static Adapter *to_adapter(Platform *platform)
{
    g_assert(platform->impl->destroy == adapter_destroy);
    return (Adapter *)platform;
}

int64_t adapter_now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

char *adapter_json_quote(const char *text)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_VALUE);
    json_node_set_string(node, text);
    return json_to_string(node, FALSE);
}

const char *adapter_string_value(JsonNode *value)
{
    return value != NULL && JSON_NODE_HOLDS_VALUE(value) &&
                   json_node_get_value_type(value) == G_TYPE_STRING
               ? json_node_get_string(value)
               : NULL;
}

/* A field of one line drops line breaks and the like, or all of it: they become blanks. */
static bool mend_name(char *name)
{
    bool mended = false;
    for (char *at = name; *at != '\0'; at++) {
        if (g_ascii_iscntrl(*at)) {
            *at = ' ';
            mended = true;
        }
    }
    return mended;
}

Platform *adapter_create(const AdapterKind *kind, const PlatformConfig *config, const char *url,
                         const PlatformEvents *events, gpointer user_data, GError **error)
{
    g_autoptr(PlatformRules) rules =
        platform_rules_load(kind->impl->name, flow_purpose_names, error);
    if (rules == NULL) {
        return NULL;
    }
    g_autoptr(BrowserOptions) options = browser_options_new(config->browser, error);
    if (options == NULL) {
        return NULL;
    }
    Adapter *adapter = g_rc_box_alloc0(kind->size);
    adapter->base.impl = kind->impl;
    adapter->kind = kind;
    adapter->events = *events;
    adapter->user_data = user_data;
    adapter->url = g_strdup(url);
    adapter->bot_name = g_strdup(config->bot_name);
    adapter->name_mended = mend_name(adapter->bot_name);
    adapter->output_dir = g_strdup(config->output_dir);
    adapter->want_video = config->want_video;
    adapter->want_gallery = config->want_gallery;
    adapter->live = config->live;
    adapter->capture = config->capture;
    adapter->pictures = (BrowserPicturesConfig){
        .width = config->picture_width > 0 ? config->picture_width : 1280,
        .height = config->picture_height > 0 ? config->picture_height : 720,
        .fps = config->picture_fps > 0 ? config->picture_fps : 25,
    };
    adapter_capture_prepare(adapter, options);
    adapter->standby = config->standby;
    adapter->sandbox = options->sandbox;
    adapter->signed_in = options->signed_in;
    adapter->browser_options = g_steal_pointer(&options);
    adapter->seen_dialogs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    adapter->chat = adapter_chat_new(adapter);
    g_queue_init(&adapter->requests);
    g_queue_init(&adapter->walks);
    adapter->flow = (Flow){
        .in_call_min = (unsigned)platform_rules_get_number(rules, "in_call_min", 4),
        .prejoin_ms = platform_rules_get_number(rules, "prejoin_ms", 60000),
        .rejoin_ms = platform_rules_get_number(rules, "rejoin_ms", 6000),
        .vanished_ms = platform_rules_get_number(rules, "vanished_ms", 20000),
        .network_lost_ms = platform_rules_get_number(rules, "network_lost_ms", 30000),
        .elsewhere_ms = platform_rules_get_number(rules, "elsewhere_ms", 0),
        .lobby_hint_ms = platform_rules_get_number(rules, "lobby_hint_ms", 0),
        .infer_lobby_ms = platform_rules_get_number(rules, "infer_lobby_ms", 0),
        .reload_ms = platform_rules_get_number(rules, "reload_ms", 15000),
    };
    adapter->rules = g_steal_pointer(&rules);
    if (kind->init != NULL) {
        kind->init(adapter);
    }
    adapter->flow.has_passcode = adapter->passcode != NULL;
    adapter->flow.joins_audio =
        platform_rules_has(adapter->rules, flow_purpose_names[FLOW_JOIN_AUDIO]);
    return &adapter->base;
}

void adapter_destroy(Platform *platform)
{
    Adapter *adapter = to_adapter(platform);
    adapter->freed = true;
    adapter_stop_timers(adapter);
    g_clear_handle_id(&adapter->left_source, g_source_remove);
    adapter_cancel_requests(adapter);
    g_clear_pointer(&adapter->page, page_free);
    adapter_release(adapter);
}

static const char *const *wire(Adapter *adapter, PlatformWire which)
{
    return platform_rules_get_wire(adapter->rules, which);
}

/* (transfer full): the kind's own script for the page, or NULL. */
static char *page_script(Adapter *adapter)
{
    if (adapter->kind->script == NULL) {
        return NULL;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes =
        g_resource_lookup_data(platforms_get_resource(), adapter->kind->script, 0, &error);
    g_assert_no_error(error);
    return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static bool is_home(const char *url, gpointer user_data)
{
    Adapter *adapter = user_data;
    return platform_rules_is_host(adapter->rules, "home", url);
}

void adapter_join(Platform *platform)
{
    Adapter *adapter = to_adapter(platform);
    g_return_if_fail(!adapter->joined);
    adapter->joined = true;
    g_autofree char *script = page_script(adapter);
    Browser *ahead = platform_standby_take(adapter->standby, adapter->browser_options);
    PageConfig config = {.browser = g_steal_pointer(&adapter->browser_options),
                         .ahead = ahead,
                         .is_home = is_home,
                         .channels = wire(adapter, PLATFORM_WIRE_CHANNELS),
                         .fetches = wire(adapter, PLATFORM_WIRE_FETCHES),
                         .sockets = wire(adapter, PLATFORM_WIRE_SOCKETS),
                         .sends = wire(adapter, PLATFORM_WIRE_SENDS),
                         .attributes = wire(adapter, PLATFORM_WIRE_ATTRIBUTES),
                         .script = script,
                         .video = adapter->want_video,
                         .gallery = adapter->want_gallery,
                         .tap_video = adapter_taps_video(adapter),
                         .classic_audio = adapter->kind->classic_audio,
                         .batch_ms = adapter->live ? 0 : RECORDED_BATCH_MS,
                         .stand_in_px =
                             (unsigned)platform_rules_get_number(adapter->rules, "stand_in_px", 0),
                         .page_sound = adapter->kind->page_sound,
                         .frames = adapter->kind->frames,
                         .rules = platform_rules_get_script(adapter->rules)};
    g_autoptr(GError) error = NULL;
    adapter->page = page_new(&config, &adapter_page_events, adapter, &error);
    if (adapter->page == NULL) {
        adapter_finish(adapter, PLATFORM_LEFT_INTERNAL, error->message, NULL, false);
    }
}

static gboolean on_leave_deadline(gpointer data)
{
    Adapter *adapter = data;
    adapter->deadline_timer = 0;
    adapter_finish(adapter, PLATFORM_LEFT_REQUESTED, "left; the page did not answer", NULL, false);
    return G_SOURCE_REMOVE;
}

static void on_blank(JsonNode *value, const GError *error, gpointer user_data)
{
    adapter_finish(user_data, PLATFORM_LEFT_REQUESTED, "left as asked", NULL, false);
}

static gboolean on_leave_settled(gpointer data)
{
    Adapter *adapter = data;
    adapter->leave_timer = 0;
    browser_navigate(page_get_browser(adapter->page), "about:blank", CLICK_TIMEOUT_MS, on_blank,
                     adapter);
    return G_SOURCE_REMOVE;
}

static void on_leave_clicked(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = g_rc_box_acquire(user_data);
    const char *rule = adapter_string_value(value);
    adapter_report_rule(adapter, FLOW_LEAVE_BUTTON, rule);
    /* The page's own goodbye goes out. */
    unsigned settle_ms =
        (unsigned)platform_rules_get_number(adapter->rules, "leave_settle_ms", 400);
    if (!adapter->freed && !adapter->over) {
        adapter->leave_timer =
            g_timeout_add(rule != NULL ? settle_ms : 1, on_leave_settled, adapter);
    }
    adapter_release(adapter);
}

void adapter_leave(Platform *platform)
{
    Adapter *adapter = to_adapter(platform);
    if (adapter->leaving || adapter->over || !adapter->joined) {
        return;
    }
    adapter->leaving = true;
    g_clear_handle_id(&adapter->poll_timer, g_source_remove);
    if (!adapter->navigated) {
        adapter_finish(adapter, PLATFORM_LEFT_REQUESTED, "left before the page was open", NULL,
                       false);
        return;
    }
    adapter->deadline_timer = g_timeout_add(LEAVE_BUDGET_MS, on_leave_deadline, adapter);
    browser_evaluate(page_get_browser(adapter->page),
                     "window.__steno ? window.__steno.leave() : null", LEAVE_CLICK_TIMEOUT_MS,
                     on_leave_clicked, adapter);
}

static Request *request_new(Adapter *adapter, GTask *task)
{
    Request *request = g_new0(Request, 1);
    request->adapter = adapter;
    request->task = task;
    g_queue_push_tail(&adapter->requests, request);
    return request;
}

static void request_finish(Request *request, const GError *error)
{
    g_autoptr(GTask) task = request->task;
    g_queue_remove(&request->adapter->requests, request);
    g_free(request);
    if (task == NULL) {
        return;
    }
    if (error != NULL) {
        g_task_return_error(task, g_error_copy(error));
    } else {
        g_task_return_boolean(task, TRUE);
    }
}

void adapter_send_chat(Platform *platform, const char *text, GTask *task)
{
    Adapter *adapter = to_adapter(platform);
    if (adapter->flow.phase != FLOW_PHASE_CALL || adapter->over || adapter->leaving) {
        g_idle_add(adapter_return_left, task);
        return;
    }
    adapter_chat_send(adapter->chat, text, task);
}

void adapter_request_key_frame(Platform *platform, uint32_t track_id)
{
    Adapter *adapter = to_adapter(platform);
    if (adapter->page != NULL && !adapter->over && !adapter->leaving) {
        page_request_key_frame(adapter->page, track_id);
    }
}

void adapter_set_microphone(Platform *platform, bool open)
{
    Adapter *adapter = to_adapter(platform);
    adapter->flow.want_open_mic = open;
    adapter->flow.n_mic_clicks = 0;
    adapter->poll_soon = true;
    if (adapter->page != NULL && adapter->flow.phase == FLOW_PHASE_CALL) {
        adapter_poll_later(adapter, 1);
    }
}

bool adapter_speak(Platform *platform, const int16_t *samples, size_t n_samples, GError **error)
{
    Adapter *adapter = to_adapter(platform);
    if (adapter->page == NULL || adapter->over || !page_speak(adapter->page, samples, n_samples)) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_STATE,
                            "the link to the page is down");
        return false;
    }
    return true;
}

void adapter_stop_speaking(Platform *platform)
{
    Adapter *adapter = to_adapter(platform);
    if (adapter->page != NULL) {
        page_stop_speaking(adapter->page);
    }
}

static void on_picture_shown(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = g_rc_box_acquire(user_data);
    if (error != NULL && !adapter->leaving && !adapter->over) {
        adapter_warn(adapter, "bot_image", "the page did not take the bot's picture");
        g_debug("the picture: %s", error->message);
    }
    adapter_release(adapter);
}

void adapter_push_picture(Adapter *adapter)
{
    if (adapter->picture == NULL || !adapter->navigated || adapter->over || adapter->leaving) {
        return;
    }
    gsize size;
    const void *data = g_bytes_get_data(adapter->picture, &size);
    g_autofree char *base64 = g_base64_encode(data, size);
    g_autofree char *call =
        g_strdup_printf("window.__steno ? window.__steno.show_picture('%s') : null", base64);
    browser_evaluate(page_get_browser(adapter->page), call, PICTURE_TIMEOUT_MS, on_picture_shown,
                     adapter);
}

void adapter_show_picture(Platform *platform, GBytes *jpeg)
{
    Adapter *adapter = to_adapter(platform);
    g_clear_pointer(&adapter->picture, g_bytes_unref);
    adapter->picture = g_bytes_ref(jpeg);
    adapter->flow.want_camera = true;
    adapter_push_picture(adapter);
}

static void on_shot(JsonNode *value, const GError *error, gpointer user_data)
{
    request_finish(user_data, error);
}

void adapter_screenshot(Platform *platform, const char *path, GTask *task)
{
    Adapter *adapter = to_adapter(platform);
    if (!adapter->navigated || adapter->over) {
        g_idle_add(adapter_return_left, task);
        return;
    }
    page_screenshot(adapter->page, path, on_shot, request_new(adapter, task));
}
