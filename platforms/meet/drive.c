/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/meet/meet_priv.h"

#include "platforms/json.h"

#include <string.h>

#define READ_TIMEOUT_MS 3000
#define CONFIRM_MS 50
#define CLICK_TIMEOUT_MS 2000
#define MAX_SEEN_DIALOGS 64

// --- the end ---

gboolean meet_return_left(gpointer data)
{
    g_task_return_new_error(data, PLATFORM_ERROR, PLATFORM_ERROR_STATE,
                            "the bot is not in the meeting");
    g_object_unref(data);
    return G_SOURCE_REMOVE;
}

/* From the main loop, also when platform_free is what ends them. */
void meet_cancel_requests(Meet *meet)
{
    for (GList *l = meet->requests.head; l != NULL; l = l->next) {
        Request *request = l->data;
        if (request->task != NULL) {
            g_idle_add(meet_return_left, g_steal_pointer(&request->task));
        }
    }
}

void meet_stop_timers(Meet *meet)
{
    g_clear_handle_id(&meet->poll_timer, g_source_remove);
    g_clear_handle_id(&meet->leave_timer, g_source_remove);
    g_clear_handle_id(&meet->deadline_timer, g_source_remove);
}

static gboolean emit_left(gpointer data)
{
    Meet *meet = g_rc_box_acquire(data);
    meet->left_source = 0;
    meet_stop_timers(meet);
    g_info("left: %s: %s", platform_left_to_string(meet->left), meet->left_message);
    PlatformLeftInfo info = {.left = meet->left,
                             .message = meet->left_message,
                             .rule = meet->left_rule,
                             .screenshot = meet->left_shot};
    meet->events.on_left(&info, meet->user_data);
    meet_release(meet);
    return G_SOURCE_REMOVE;
}

static void emit_left_later(Meet *meet)
{
    if (meet->left_source == 0) {
        meet->left_source = g_idle_add(emit_left, meet);
    }
}

static void leave_page(Meet *meet)
{
    if (meet->page != NULL && meet->navigated) {
        browser_navigate(page_get_browser(meet->page), "about:blank", CLICK_TIMEOUT_MS, NULL, NULL);
    }
}

static void on_left_shot(JsonNode *value, const GError *error, gpointer user_data)
{
    Meet *meet = user_data;
    if (error != NULL) {
        g_info("no picture of the end: %s", error->message);
        g_clear_pointer(&meet->left_shot, g_free);
    }
    leave_page(meet);
    emit_left_later(meet);
}

static char *shot_path(Meet *meet, const char *what)
{
    g_autofree char *folder = g_build_filename(meet->output_dir, "screenshots", NULL);
    g_autofree char *name = g_strdup_printf("%02u-%s.png", ++meet->n_shots, what);
    g_mkdir_with_parents(folder, 0755);
    return g_build_filename(folder, name, NULL);
}

/* The one way out. @alive: the page can still be photographed. */
void meet_finish(Meet *meet, PlatformLeft left, const char *message, const char *rule, bool alive)
{
    if (meet->over || meet->freed) {
        return;
    }
    meet->over = true;
    meet_stop_timers(meet);
    meet_cancel_requests(meet);
    meet->left = meet->leaving ? PLATFORM_LEFT_REQUESTED : left;
    meet->left_message = g_strdup(message);
    meet->left_rule = g_strdup(rule);
    if (meet->left != PLATFORM_LEFT_REQUESTED && alive && meet->navigated &&
        meet->output_dir != NULL) {
        meet->left_shot = shot_path(meet, platform_left_to_string(left));
        page_screenshot(meet->page, meet->left_shot, on_left_shot, meet);
        return;
    }
    emit_left_later(meet);
}

// --- doing what the flow says ---

/* The answer to whatever was done in the page: read it again at once. */
static void on_done(JsonNode *value, const GError *error, gpointer user_data)
{
    Meet *meet = user_data;
    meet->busy = false;
    if (error != NULL) {
        g_debug("in the page: %s", error->message);
    }
    meet_poll_later(meet, 50);
}

static void on_pressed(JsonNode *value, const GError *error, gpointer user_data)
{
    Meet *meet = g_rc_box_acquire(user_data);
    meet_report_rule(meet, meet->pressing, meet_string_value(value));
    if (!meet->freed) {
        on_done(value, error, meet);
    }
    meet_release(meet);
}

static void press(Meet *meet, MeetPurpose purpose)
{
    meet->pressing = purpose;
    g_autofree char *call =
        g_strdup_printf("window.__steno.click('%s')", meet_purpose_names[purpose]);
    meet->busy = true;
    browser_evaluate(page_get_browser(meet->page), call, CLICK_TIMEOUT_MS, on_pressed, meet);
}

static void on_named(JsonNode *value, const GError *error, gpointer user_data)
{
    Meet *meet = user_data;
    JsonObject *answer =
        value != NULL && JSON_NODE_HOLDS_OBJECT(value) ? json_node_get_object(value) : NULL;
    meet->flow.named = g_strcmp0(platform_json_string(answer, "value", NULL), meet->bot_name) == 0;
    on_done(value, error, meet);
}

static void write_name(Meet *meet)
{
    g_autofree char *name = meet_json_quote(meet->bot_name);
    g_autofree char *call = g_strdup_printf("window.__steno.fill('name_field', %s)", name);
    meet->busy = true;
    browser_evaluate(page_get_browser(meet->page), call, CLICK_TIMEOUT_MS, on_named, meet);
}

static void on_dialog_shot(JsonNode *value, const GError *error, gpointer user_data)
{
    Meet *meet = user_data;
    if (!meet->over && !meet->leaving) {
        press(meet, MEET_DIALOG_DISMISS);
    }
}

static void meet_dialog(Meet *meet, const char *text)
{
    if (g_hash_table_size(meet->seen_dialogs) < MAX_SEEN_DIALOGS) {
        g_hash_table_add(meet->seen_dialogs, g_strdup(text));
    }
    meet_warn(meet, "unknown_dialog", "the page shows a dialog that no rule knows");
    if (meet->freed) {
        return;
    }
    meet->busy = true;
    if (meet->output_dir == NULL) {
        press(meet, MEET_DIALOG_DISMISS);
        return;
    }
    g_autofree char *path = shot_path(meet, "dialog");
    page_screenshot(meet->page, path, on_dialog_shot, meet);
}

static void report_step(Meet *meet, const MeetReading *reading, const MeetStep *step)
{
    if (step->purpose < MEET_N_PURPOSES && reading->rules[step->purpose] != NULL) {
        meet_report_rule(meet, step->purpose, reading->rules[step->purpose]);
    } else if (step->todo == MEET_DO_LEFT && step->left == PLATFORM_LEFT_UI_NOT_FOUND) {
        meet_report_rule(meet, step->purpose, NULL);
    }
    if (step->lobby && !meet_is_silent(meet)) {
        meet->events.on_lobby(meet->user_data);
    }
    if (step->host_changed && !meet_is_silent(meet) && meet->events.on_host_absent != NULL) {
        meet->events.on_host_absent(meet->flow.host_absent, meet->user_data);
    }
    if (step->admitted && !meet_is_silent(meet)) {
        g_autofree char *count = g_strdup_printf("%u_marks", reading->n_in_call);
        meet_report_rule(meet, MEET_IN_CALL, count);
        meet->events.on_admitted(meet->user_data);
    }
    if ((step->admitted || step->recording_denied) && !meet_is_silent(meet)) {
        meet->events.on_recording_permission(
            !step->recording_denied,
            step->recording_denied ? "the meeting does not allow recording" : NULL,
            meet->user_data);
    }
    if (step->mic_changed && !meet_is_silent(meet) && meet->events.on_microphone != NULL) {
        meet->events.on_microphone(meet->flow.mic == MEET_MIC_OPEN, meet->user_data);
    }
    if (step->mic_gave_up) {
        meet_warn(meet, "microphone", "the meeting's microphone button does not react");
    }
}

/* What was seen once is looked at again soon: the recording begins and ends with it. */
static unsigned poll_interval_ms(Meet *meet)
{
    const MeetFlow *flow = &meet->flow;
    bool coming = flow->phase != MEET_PHASE_CALL && flow->n_call_seen > 0;
    return coming || flow->n_end_seen > 0
               ? CONFIRM_MS
               : (unsigned)platform_rules_get_number(meet->rules, "poll_ms", 300);
}

static void carry_out(Meet *meet, const MeetReading *reading, const MeetStep *step)
{
    switch (step->todo) {
    case MEET_DO_NOTHING:
        meet_poll_later(meet, poll_interval_ms(meet));
        return;
    case MEET_DO_CLICK:
        press(meet, step->purpose);
        return;
    case MEET_DO_NAME:
        write_name(meet);
        return;
    case MEET_DO_DIALOG:
        meet_dialog(meet, reading->unknown_dialog);
        return;
    case MEET_DO_LEFT: {
        const char *rule = step->purpose < MEET_N_PURPOSES ? reading->rules[step->purpose] : NULL;
        g_autofree char *full =
            rule != NULL ? g_strdup_printf("%s/%s", meet_purpose_names[step->purpose], rule) : NULL;
        meet_finish(meet, step->left, step->message, full, true);
        return;
    }
    }
}

// --- reading the page ---

static MeetReading make_reading(Meet *meet, JsonObject *answer)
{
    MeetReading reading = {.url = platform_json_string(answer, "url", ""),
                           .n_in_call =
                               (unsigned)CLAMP(platform_json_int(answer, "count", 0), 0, 99),
                           .media_flows = meet->n_frames != meet->n_frames_read,
                           .link_failed = meet->link_failed};
    JsonObject *found = platform_json_object(answer, "found");
    for (int i = 0; i < MEET_N_PURPOSES; i++) {
        reading.rules[i] = platform_json_string(found, meet_purpose_names[i], NULL);
    }
    JsonArray *unknown = platform_json_array(answer, "unknown");
    for (guint i = 0; unknown != NULL && i < json_array_get_length(unknown); i++) {
        JsonNode *node = json_array_get_element(unknown, i);
        const char *text = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
        if (text != NULL && !g_hash_table_contains(meet->seen_dialogs, text) &&
            g_hash_table_size(meet->seen_dialogs) < MAX_SEEN_DIALOGS) {
            reading.unknown_dialog = text;
        }
    }
    meet->n_frames_read = meet->n_frames;
    return reading;
}

static void on_no_answer(Meet *meet, const GError *error)
{
    g_debug("the page was not read: %s", error->message);
    int64_t limit_ms = platform_rules_get_number(meet->rules, "frozen_ms", 12000);
    if (meet_now_ms() - meet->answer_ms < limit_ms) {
        meet_poll_later(meet, (unsigned)platform_rules_get_number(meet->rules, "poll_ms", 300));
        return;
    }
    bool frozen = g_error_matches(error, PLATFORM_ERROR, PLATFORM_ERROR_TIMEOUT);
    g_autofree char *message = frozen ? g_strdup("the page is frozen: it does not answer")
                                      : g_strdup_printf("the page is lost: %s", error->message);
    if (frozen) {
        browser_interrupt(page_get_browser(meet->page));
    }
    meet_finish(meet, PLATFORM_LEFT_PAGE_LOST, message, NULL, !frozen);
}

static void on_read(JsonNode *value, const GError *error, gpointer user_data)
{
    Meet *meet = g_rc_box_acquire(user_data);
    meet->busy = false;
    if (!meet->over && !meet->leaving) {
        if (error != NULL || !JSON_NODE_HOLDS_OBJECT(value)) {
            g_autoptr(GError) wrong = g_error_new_literal(PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL,
                                                          "it answered something else");
            on_no_answer(meet, error != NULL ? error : wrong);
        } else {
            meet->answer_ms = meet_now_ms();
            MeetReading reading = make_reading(meet, json_node_get_object(value));
            MeetStep step = meet_flow_step(&meet->flow, &reading, meet->answer_ms);
            report_step(meet, &reading, &step);
            if (!meet->freed && !meet->leaving && !meet->over) {
                carry_out(meet, &reading, &step);
            }
        }
    }
    meet_release(meet);
}

static gboolean on_poll(gpointer data)
{
    static const char before_call[] =
        "window.__steno.read(['not_found','login_required','captcha','lobby_timeout','denied',"
        "'blocked','lobby','host_absent','consent','dismiss','without_account','mic_is_on','camera_"
        "is_on',"
        "'name_field','join_button','recording_denied'],'in_call',[],[])";
    static const char in_call[] =
        "window.__steno.read(['removed','ended','recording_denied','consent','network_lost',"
        "'mic_is_on','mic_is_off','camera_is_on'],'in_call',"
        "['removed_page','ended_page','connection_failed'],"
        "['removed','ended','recording_denied','consent','network_lost'])";
    Meet *meet = data;
    meet->poll_timer = 0;
    meet->busy = true;
    browser_evaluate(page_get_browser(meet->page),
                     meet->flow.phase == MEET_PHASE_CALL ? in_call : before_call, READ_TIMEOUT_MS,
                     on_read, meet);
    return G_SOURCE_REMOVE;
}

void meet_poll_later(Meet *meet, unsigned ms)
{
    if (meet->busy || meet->over || meet->leaving || meet->freed || !meet->navigated) {
        return;
    }
    g_clear_handle_id(&meet->poll_timer, g_source_remove);
    meet->poll_timer = g_timeout_add(meet->poll_soon ? 1 : ms, on_poll, meet);
    meet->poll_soon = false;
}

/* Media came or went: the page has probably changed too. */
void meet_poll_soon(Meet *meet)
{
    meet->poll_soon = meet->busy;
    meet_poll_later(meet, CONFIRM_MS);
}
