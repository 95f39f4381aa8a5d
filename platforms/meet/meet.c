/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/meet/meet_priv.h"

#include "platforms/meet/url.h"

#define CLICK_TIMEOUT_MS 2000
#define CHAT_TIMEOUT_MS 9000
#define LEAVE_CLICK_TIMEOUT_MS 1000
#define LEAVE_SETTLE_MS 400 /* the page's own goodbye goes out */
#define LEAVE_BUDGET_MS 4500

static void meet_clear(gpointer data)
{
    Meet *meet = data;
    g_free(meet->url);
    g_free(meet->bot_name);
    g_free(meet->output_dir);
    browser_options_free(meet->browser_options);
    platform_rules_free(meet->rules);
    meet_roster_free(meet->roster);
    for (int i = 0; i < MEET_N_PURPOSES; i++) {
        g_free(meet->seen_rules[i]);
    }
    g_clear_pointer(&meet->seen_dialogs, g_hash_table_unref);
    g_clear_pointer(&meet->seen_chat, g_hash_table_unref);
    g_free(meet->left_message);
    g_free(meet->left_rule);
    g_free(meet->left_shot);
    g_queue_clear_full(&meet->requests, g_free);
}

void meet_release(Meet *meet)
{
    g_rc_box_release_full(meet, meet_clear);
}

static Meet *to_meet(Platform *platform)
{
    g_assert(platform->impl == &meet_impl);
    return (Meet *)platform;
}

int64_t meet_now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

char *meet_json_quote(const char *text)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_VALUE);
    json_node_set_string(node, text);
    return json_to_string(node, FALSE);
}

const char *meet_string_value(JsonNode *value)
{
    return value != NULL && JSON_NODE_HOLDS_VALUE(value) &&
                   json_node_get_value_type(value) == G_TYPE_STRING
               ? json_node_get_string(value)
               : NULL;
}
static Platform *meet_create(const PlatformConfig *config, const char *url,
                             const PlatformEvents *events, gpointer user_data, GError **error)
{
    g_autoptr(PlatformRules) rules = platform_rules_load("meet", meet_purpose_names, error);
    if (rules == NULL) {
        return NULL;
    }
    g_autoptr(BrowserOptions) options = browser_options_new(config->browser, error);
    if (options == NULL) {
        return NULL;
    }
    Meet *meet = g_rc_box_new0(Meet);
    meet->base.impl = &meet_impl;
    meet->events = *events;
    meet->user_data = user_data;
    meet->url = g_strdup(url);
    meet->bot_name = g_strdup(config->bot_name);
    meet->output_dir = g_strdup(config->output_dir);
    meet->want_video = config->want_video;
    meet->sandbox = options->sandbox;
    meet->browser_options = g_steal_pointer(&options);
    meet->roster = meet_roster_new(&meet_roster_events, meet);
    meet->seen_dialogs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    meet->seen_chat = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_queue_init(&meet->requests);
    meet->flow = (MeetFlow){
        .in_call_min = (unsigned)platform_rules_get_number(rules, "in_call_min", 4),
        .prejoin_ms = platform_rules_get_number(rules, "prejoin_ms", 60000),
        .rejoin_ms = platform_rules_get_number(rules, "rejoin_ms", 6000),
        .vanished_ms = platform_rules_get_number(rules, "vanished_ms", 20000),
        .network_lost_ms = platform_rules_get_number(rules, "network_lost_ms", 30000),
    };
    meet->rules = g_steal_pointer(&rules);
    return &meet->base;
}

static void meet_destroy(Platform *platform)
{
    Meet *meet = to_meet(platform);
    meet->freed = true;
    meet_stop_timers(meet);
    g_clear_handle_id(&meet->left_source, g_source_remove);
    meet_cancel_requests(meet);
    g_clear_pointer(&meet->page, page_free);
    meet_release(meet);
}

static void meet_join(Platform *platform)
{
    Meet *meet = to_meet(platform);
    g_return_if_fail(!meet->joined);
    meet->joined = true;
    PageConfig config = {.browser = g_steal_pointer(&meet->browser_options),
                         .origin = MEET_ORIGIN,
                         .channels = platform_rules_get_channels(meet->rules),
                         .fetches = platform_rules_get_fetches(meet->rules),
                         .video = meet->want_video,
                         .classic_audio = true,
                         .rules = platform_rules_get_script(meet->rules)};
    g_autoptr(GError) error = NULL;
    meet->page = page_new(&config, &meet_page_events, meet, &error);
    if (meet->page == NULL) {
        meet_finish(meet, PLATFORM_LEFT_INTERNAL, error->message, NULL, false);
    }
}

static gboolean on_leave_deadline(gpointer data)
{
    Meet *meet = data;
    meet->deadline_timer = 0;
    meet_finish(meet, PLATFORM_LEFT_REQUESTED, "left; the page did not answer", NULL, false);
    return G_SOURCE_REMOVE;
}

static void on_blank(JsonNode *value, const GError *error, gpointer user_data)
{
    meet_finish(user_data, PLATFORM_LEFT_REQUESTED, "left as asked", NULL, false);
}

static gboolean on_leave_settled(gpointer data)
{
    Meet *meet = data;
    meet->leave_timer = 0;
    browser_navigate(page_get_browser(meet->page), "about:blank", CLICK_TIMEOUT_MS, on_blank, meet);
    return G_SOURCE_REMOVE;
}

static void on_leave_clicked(JsonNode *value, const GError *error, gpointer user_data)
{
    Meet *meet = g_rc_box_acquire(user_data);
    const char *rule = meet_string_value(value);
    meet_report_rule(meet, MEET_LEAVE_BUTTON, rule);
    if (!meet->freed && !meet->over) {
        meet->leave_timer =
            g_timeout_add(rule != NULL ? LEAVE_SETTLE_MS : 1, on_leave_settled, meet);
    }
    meet_release(meet);
}

static void meet_leave(Platform *platform)
{
    Meet *meet = to_meet(platform);
    if (meet->leaving || meet->over || !meet->joined) {
        return;
    }
    meet->leaving = true;
    g_clear_handle_id(&meet->poll_timer, g_source_remove);
    if (!meet->navigated) {
        meet_finish(meet, PLATFORM_LEFT_REQUESTED, "left before the page was open", NULL, false);
        return;
    }
    meet->deadline_timer = g_timeout_add(LEAVE_BUDGET_MS, on_leave_deadline, meet);
    browser_evaluate(page_get_browser(meet->page),
                     "window.__steno ? window.__steno.click('leave_button') : null",
                     LEAVE_CLICK_TIMEOUT_MS, on_leave_clicked, meet);
}

static Request *request_new(Meet *meet, GTask *task)
{
    Request *request = g_new0(Request, 1);
    request->meet = meet;
    request->task = task;
    g_queue_push_tail(&meet->requests, request);
    return request;
}

/* Answers it; @problem: what the page says went wrong, or NULL. */
static void request_finish(Request *request, const GError *error, const char *problem)
{
    g_autoptr(GTask) task = request->task;
    g_queue_remove(&request->meet->requests, request);
    g_free(request);
    if (task == NULL) {
        return;
    }
    if (error != NULL) {
        g_task_return_error(task, g_error_copy(error));
    } else if (problem != NULL) {
        g_task_return_new_error(task, PLATFORM_ERROR, PLATFORM_ERROR_FAILED, "%s", problem);
    } else {
        g_task_return_boolean(task, TRUE);
    }
}

static void on_chat_sent(JsonNode *value, const GError *error, gpointer user_data)
{
    request_finish(user_data, error, meet_string_value(value));
}

static void meet_send_chat(Platform *platform, const char *text, GTask *task)
{
    Meet *meet = to_meet(platform);
    if (meet->flow.phase != MEET_PHASE_CALL || meet->over || meet->leaving) {
        g_idle_add(meet_return_left, task);
        return;
    }
    g_autofree char *quoted = meet_json_quote(text);
    g_autofree char *call = g_strdup_printf("window.__steno.send_chat(%s)", quoted);
    browser_evaluate(page_get_browser(meet->page), call, CHAT_TIMEOUT_MS, on_chat_sent,
                     request_new(meet, task));
}

static void meet_set_microphone(Platform *platform, bool open)
{
    Meet *meet = to_meet(platform);
    meet->flow.want_open_mic = open;
    meet->flow.n_mic_clicks = 0;
    meet->poll_soon = true;
    if (meet->page != NULL && meet->flow.phase == MEET_PHASE_CALL) {
        meet_poll_later(meet, 1);
    }
}

static bool meet_speak(Platform *platform, const int16_t *samples, size_t n_samples, GError **error)
{
    Meet *meet = to_meet(platform);
    if (meet->page == NULL || meet->over || !page_speak(meet->page, samples, n_samples)) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_STATE,
                            "the link to the page is down");
        return false;
    }
    return true;
}

static void meet_stop_speaking(Platform *platform)
{
    Meet *meet = to_meet(platform);
    if (meet->page != NULL) {
        page_stop_speaking(meet->page);
    }
}

static void on_shot(JsonNode *value, const GError *error, gpointer user_data)
{
    request_finish(user_data, error, NULL);
}

static void meet_screenshot(Platform *platform, const char *path, GTask *task)
{
    Meet *meet = to_meet(platform);
    if (!meet->navigated || meet->over) {
        g_idle_add(meet_return_left, task);
        return;
    }
    page_screenshot(meet->page, path, on_shot, request_new(meet, task));
}

const PlatformImpl meet_impl = {
    .name = "meet",
    .url_is_ours = meet_url_is_ours,
    .canonical_url = meet_url_canonical,
    .create = meet_create,
    .destroy = meet_destroy,
    .join = meet_join,
    .leave = meet_leave,
    .send_chat = meet_send_chat,
    .set_microphone = meet_set_microphone,
    .speak = meet_speak,
    .stop_speaking = meet_stop_speaking,
    .screenshot = meet_screenshot,
};
