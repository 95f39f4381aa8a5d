/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/adapter/adapter.h"

#include "platforms/json.h"

#include <string.h>

#define READ_TIMEOUT_MS 3000
#define SAVE_TIMEOUT_MS 5000
#define CONFIRM_MS 50
#define CLICK_TIMEOUT_MS 2000
#define WALK_TIMEOUT_MS 8000
#define MAX_SEEN_DIALOGS 64
#define MAX_WRITES 3 /* then what a field holds is what it takes */

// --- the end ---

gboolean adapter_return_left(gpointer data)
{
    g_task_return_new_error(data, PLATFORM_ERROR, PLATFORM_ERROR_STATE,
                            "the bot is not in the meeting");
    g_object_unref(data);
    return G_SOURCE_REMOVE;
}

/* From the main loop, also when platform_free is what ends them. */
void adapter_cancel_requests(Adapter *adapter)
{
    adapter_chat_cancel(adapter->chat);
    for (GList *l = adapter->requests.head; l != NULL; l = l->next) {
        Request *request = l->data;
        if (request->task != NULL) {
            g_idle_add(adapter_return_left, g_steal_pointer(&request->task));
        }
    }
}

void adapter_stop_timers(Adapter *adapter)
{
    g_clear_handle_id(&adapter->poll_timer, g_source_remove);
    g_clear_handle_id(&adapter->leave_timer, g_source_remove);
    g_clear_handle_id(&adapter->deadline_timer, g_source_remove);
    g_clear_handle_id(&adapter->view_timer, g_source_remove);
}

static gboolean emit_left(gpointer data)
{
    Adapter *adapter = g_rc_box_acquire(data);
    adapter->left_source = 0;
    adapter_stop_timers(adapter);
    g_info("left: %s: %s", platform_left_to_string(adapter->left), adapter->left_message);
    PlatformLeftInfo info = {.left = adapter->left,
                             .message = adapter->left_message,
                             .rule = adapter->left_rule,
                             .screenshot = adapter->left_shot};
    adapter->events.on_left(&info, adapter->user_data);
    adapter_release(adapter);
    return G_SOURCE_REMOVE;
}

static void emit_left_later(Adapter *adapter)
{
    if (adapter->left_source == 0) {
        adapter->left_source = g_idle_add(emit_left, adapter);
    }
}

/* A session that is over: the bot goes on as a guest where the page lets it. */
static void warn_signed_out(Adapter *adapter, const char *message)
{
    if (adapter->signed_in && !adapter->signed_out_told) {
        adapter->signed_out_told = true;
        g_autofree char *text = g_strdup_printf(
            "%s, although browser.signed_in says that the profile or the cookies "
            "are an account's: sign in again (steno-worker login URL --profile DIR)",
            message);
        adapter_warn(adapter, "signed_out", text);
    }
}

static void leave_page(Adapter *adapter)
{
    if (adapter->page != NULL && adapter->navigated) {
        browser_navigate(page_get_browser(adapter->page), "about:blank", CLICK_TIMEOUT_MS, NULL,
                         NULL);
    }
}

/* The page beside its picture, for whoever mends the rules (steno-worker check-page). */
static void on_left_page(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = user_data;
    const char *html = adapter_string_value(value);
    if (html != NULL && adapter->left_shot != NULL) {
        g_autofree char *stem =
            g_strndup(adapter->left_shot, strlen(adapter->left_shot) - strlen(".png"));
        g_autofree char *path = g_strconcat(stem, ".html", NULL);
        g_file_set_contents_full(path, html, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
    }
    leave_page(adapter);
    emit_left_later(adapter);
}

static void on_left_shot(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = user_data;
    if (error != NULL) {
        g_info("no picture of the end: %s", error->message);
        g_clear_pointer(&adapter->left_shot, g_free);
        on_left_page(NULL, error, adapter);
        return;
    }
    browser_evaluate(page_get_browser(adapter->page),
                     "document.documentElement.outerHTML.slice(0, 4000000)", SAVE_TIMEOUT_MS,
                     on_left_page, adapter);
}

static char *shot_path(Adapter *adapter, const char *what)
{
    g_autofree char *folder = g_build_filename(adapter->output_dir, "screenshots", NULL);
    g_autofree char *name = g_strdup_printf("%02u-%s.png", ++adapter->n_shots, what);
    g_mkdir_with_parents(folder, 0755);
    return g_build_filename(folder, name, NULL);
}

/* @alive: the page can still be photographed. */
static void end_session(Adapter *adapter, PlatformLeft left, const char *message, const char *rule,
                        bool alive)
{
    adapter->over = true;
    adapter_stop_timers(adapter);
    adapter_cancel_requests(adapter);
    adapter->left = adapter->leaving ? PLATFORM_LEFT_REQUESTED : left;
    adapter->left_message = g_strdup(message);
    adapter->left_rule = g_strdup(rule);
    if (adapter->left != PLATFORM_LEFT_REQUESTED && alive && adapter->navigated &&
        adapter->output_dir != NULL) {
        adapter->left_shot = shot_path(adapter, platform_left_to_string(left));
        page_screenshot(adapter->page, adapter->left_shot, on_left_shot, adapter);
        return;
    }
    emit_left_later(adapter);
}

/* The one way out. */
void adapter_finish(Adapter *adapter, PlatformLeft left, const char *message, const char *rule,
                    bool alive)
{
    g_rc_box_acquire(adapter);
    if (left == PLATFORM_LEFT_LOGIN_REQUIRED && !adapter->over) {
        warn_signed_out(adapter, "the page asks for a sign-in");
    }
    if (!adapter->over && !adapter->freed) {
        end_session(adapter, left, message, rule, alive);
    }
    adapter_release(adapter);
}

// --- doing what the flow says ---

/* The answer to whatever was done in the page: read it again at once. */
static void on_done(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = user_data;
    adapter->busy = false;
    if (error != NULL) {
        g_debug("in the page: %s", error->message);
    }
    adapter_poll_later(adapter, 50);
}

static void on_pressed(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = g_rc_box_acquire(user_data);
    adapter_report_rule(adapter, adapter->pressing, adapter_string_value(value));
    if (!adapter->freed) {
        on_done(value, error, adapter);
    }
    adapter_release(adapter);
}

static void press(Adapter *adapter, FlowPurpose purpose)
{
    adapter->pressing = purpose;
    g_autofree char *call =
        g_strdup_printf("window.__steno.click('%s')", flow_purpose_names[purpose]);
    adapter->busy = true;
    browser_evaluate(page_get_browser(adapter->page), call, CLICK_TIMEOUT_MS, on_pressed, adapter);
}

// --- fields ---

static const char *text_for(Adapter *adapter)
{
    return adapter->writing == FLOW_NAME_FIELD ? adapter->bot_name : adapter->passcode;
}

/* The page has the last word on what the bot is called there: what it took again and again counts.
 */
static void note_name(Adapter *adapter, const char *taken)
{
    g_autofree char *wanted = g_strstrip(g_strdup(adapter->bot_name));
    g_autofree char *got = g_strstrip(g_strdup(taken));
    adapter->flow.named = strcmp(got, wanted) == 0;
    if (adapter->flow.named || *got == '\0' || ++adapter->n_name_writes < MAX_WRITES) {
        return;
    }
    bool is_cut = g_str_has_prefix(wanted, got);
    g_autofree char *message = g_strdup_printf("the page's name field took \"%s\"; %s \"%s\"", got,
                                               is_cut ? "lost is" : "asked for was",
                                               is_cut ? wanted + strlen(got) : wanted);
    adapter->flow.named = true;
    g_free(adapter->bot_name);
    adapter->bot_name = g_steal_pointer(&got);
    if (adapter->kind->on_named != NULL) {
        adapter->kind->on_named(adapter);
    }
    adapter_warn(adapter, "bot_name", message);
}

/* A part of a passcode is none. */
static void note_passcode(Adapter *adapter, const char *taken)
{
    adapter->flow.passcode_given = strcmp(taken, adapter->passcode) == 0;
    adapter->flow.passcode_refused =
        !adapter->flow.passcode_given && ++adapter->n_passcode_writes >= MAX_WRITES;
}

/* The field's content, after writing. */
static void on_written(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = g_rc_box_acquire(user_data);
    JsonObject *answer =
        value != NULL && JSON_NODE_HOLDS_OBJECT(value) ? json_node_get_object(value) : NULL;
    const char *taken = platform_json_string(answer, "value", NULL);
    if (taken != NULL && adapter->writing == FLOW_NAME_FIELD) {
        note_name(adapter, taken);
    } else if (taken != NULL) {
        note_passcode(adapter, taken);
    }
    if (!adapter->freed) {
        on_done(value, error, adapter);
    }
    adapter_release(adapter);
}

static void ask_content(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = user_data;
    g_autofree char *call =
        g_strdup_printf("window.__steno.content('%s')", flow_purpose_names[adapter->writing]);
    browser_evaluate(page_get_browser(adapter->page), call, CLICK_TIMEOUT_MS, on_written, adapter);
}

/* A field that takes keys gets keys, every other its content at once. */
static void on_aimed(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = user_data;
    Browser *browser = page_get_browser(adapter->page);
    JsonObject *answer =
        value != NULL && JSON_NODE_HOLDS_OBJECT(value) ? json_node_get_object(value) : NULL;
    if (adapter->over || adapter->leaving) {
        adapter->busy = false;
        return;
    }
    if (platform_json_bool(answer, "keys", false)) {
        browser_type(browser, text_for(adapter), CLICK_TIMEOUT_MS, ask_content, adapter);
        return;
    }
    g_autofree char *text = adapter_json_quote(text_for(adapter));
    g_autofree char *call = g_strdup_printf("window.__steno.fill('%s', %s)",
                                            flow_purpose_names[adapter->writing], text);
    browser_evaluate(browser, call, CLICK_TIMEOUT_MS, on_written, adapter);
}

static void write_field(Adapter *adapter, FlowPurpose purpose)
{
    adapter->writing = purpose;
    adapter->busy = true;
    g_autofree char *call =
        g_strdup_printf("window.__steno.aim('%s')", flow_purpose_names[purpose]);
    browser_evaluate(page_get_browser(adapter->page), call, CLICK_TIMEOUT_MS, on_aimed, adapter);
}

static void on_reloaded(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = user_data;
    adapter->busy = false;
    if (error != NULL && !adapter->leaving) {
        adapter_finish(adapter, PLATFORM_LEFT_NETWORK_LOST, error->message, NULL, true);
        return;
    }
    adapter->answer_ms = adapter_now_ms();
    adapter_poll_later(adapter, 1);
}

static void load_again(Adapter *adapter)
{
    adapter->busy = true;
    browser_navigate(page_get_browser(adapter->page), adapter->url, ADAPTER_NAVIGATE_TIMEOUT_MS,
                     on_reloaded, adapter);
}

static void on_dialog_shot(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = user_data;
    if (!adapter->over && !adapter->leaving) {
        press(adapter, FLOW_DIALOG_DISMISS);
    }
}

static void adapter_dialog(Adapter *adapter, const char *text)
{
    if (g_hash_table_size(adapter->seen_dialogs) < MAX_SEEN_DIALOGS) {
        g_hash_table_add(adapter->seen_dialogs, g_strdup(text));
    }
    adapter_warn(adapter, "unknown_dialog", "the page shows a dialog that no rule knows");
    if (adapter->freed) {
        return;
    }
    adapter->busy = true;
    if (adapter->output_dir == NULL) {
        press(adapter, FLOW_DIALOG_DISMISS);
        return;
    }
    g_autofree char *path = shot_path(adapter, "dialog");
    page_screenshot(adapter->page, path, on_dialog_shot, adapter);
}

static void on_walked(JsonNode *value, const GError *error, gpointer user_data)
{
    g_autofree Walk *walk = user_data;
    Adapter *adapter = g_rc_box_acquire(walk->adapter);
    g_queue_remove(&adapter->walks, walk);
    const char *rule = adapter_string_value(value);
    adapter_report_rule(adapter, walk->button, rule);
    if (rule == NULL && !adapter->leaving) {
        adapter_warn(adapter, walk->code, walk->message);
    }
    adapter_release(adapter);
}

static void begin_walk(Adapter *adapter, const char *call, FlowPurpose button, const char *code,
                       const char *message)
{
    if (adapter->over || adapter->leaving || !adapter->navigated ||
        !platform_rules_has(adapter->rules, flow_purpose_names[button])) {
        return;
    }
    Walk *walk = g_new0(Walk, 1);
    *walk = (Walk){adapter, button, code, message};
    g_queue_push_tail(&adapter->walks, walk);
    browser_evaluate(page_get_browser(adapter->page), call, WALK_TIMEOUT_MS, on_walked, walk);
}

void adapter_walk_menu(Adapter *adapter, FlowPurpose menu, FlowPurpose item, FlowPurpose button,
                       const char *code, const char *message)
{
    g_autofree char *call =
        g_strdup_printf("window.__steno.walk_menu(['%s','%s','%s'])", flow_purpose_names[menu],
                        flow_purpose_names[item], flow_purpose_names[button]);
    begin_walk(adapter, call, button, code, message);
}

/* A page that is taken for a lobby may mean something else too: its rule's message says so. */
static void warn_ambiguous(Adapter *adapter, FlowPurpose purpose, const char *rule)
{
    const char *name = flow_purpose_names[purpose];
    const char *message = platform_rules_get_message(adapter->rules, name, rule, NULL);
    if (message != NULL) {
        adapter_warn(adapter, name, message);
    }
}

static void report_step(Adapter *adapter, const FlowReading *reading, const FlowStep *step)
{
    if (step->purpose < FLOW_N_PURPOSES && reading->rules[step->purpose] != NULL) {
        adapter_report_rule(adapter, step->purpose, reading->rules[step->purpose]);
    } else if (step->todo == FLOW_DO_LEFT && step->left == PLATFORM_LEFT_UI_NOT_FOUND) {
        adapter_report_rule(adapter, step->purpose, NULL);
    }
    if (step->lobby && step->purpose == FLOW_NOT_STARTED) {
        warn_ambiguous(adapter, step->purpose, reading->rules[step->purpose]);
    }
    if (step->lobby && !adapter_is_silent(adapter)) {
        adapter->events.on_lobby(adapter->user_data);
    }
    if (step->host_changed && !adapter_is_silent(adapter) &&
        adapter->events.on_host_absent != NULL) {
        adapter->events.on_host_absent(adapter->flow.host_absent, adapter->user_data);
    }
    if (step->admitted && !adapter_is_silent(adapter)) {
        g_autofree char *count = g_strdup_printf("%u_marks", reading->n_in_call);
        adapter_report_rule(adapter, FLOW_IN_CALL, count);
        adapter->events.on_admitted(adapter->user_data);
        adapter_capture_admitted(adapter);
        if (!adapter->want_video) {
            begin_walk(adapter, "window.__steno.turn_video_off()", FLOW_VIDEO_OFF_BUTTON,
                       "incoming_video", "the meeting's pictures could not be turned off");
        }
    }
    if ((step->admitted || step->recording_denied) && !adapter_is_silent(adapter)) {
        adapter->events.on_recording_permission(
            !step->recording_denied,
            step->recording_denied ? "the meeting does not allow recording" : NULL,
            adapter->user_data);
    }
    if (step->mic_changed && !adapter_is_silent(adapter) && adapter->events.on_microphone != NULL) {
        adapter->events.on_microphone(adapter->flow.mic == FLOW_MIC_OPEN, adapter->user_data);
    }
    if (step->camera_gave_up) {
        adapter_warn(adapter, "camera", "the meeting's camera button does not react");
    }
    if (step->no_sound) {
        adapter_warn(adapter, "no_sound",
                     "the meeting's sound could not be joined: nothing is heard of it");
    }
    if (step->mic_gave_up) {
        adapter_warn(adapter, "microphone", "the meeting's microphone button does not react");
    }
}

/* What was seen once is looked at again soon: the recording begins and ends with it. */
static unsigned poll_interval_ms(Adapter *adapter)
{
    const Flow *flow = &adapter->flow;
    bool coming = flow->phase != FLOW_PHASE_CALL && flow->n_call_seen > 0;
    return coming || flow->n_end_seen > 0
               ? CONFIRM_MS
               : (unsigned)platform_rules_get_number(adapter->rules, "poll_ms", 300);
}

static void carry_out(Adapter *adapter, const FlowReading *reading, const FlowStep *step)
{
    switch (step->todo) {
    case FLOW_DO_NOTHING:
        adapter_poll_later(adapter, poll_interval_ms(adapter));
        return;
    case FLOW_DO_CLICK:
        press(adapter, step->purpose);
        return;
    case FLOW_DO_NAME:
        if (adapter->kind->names_accounts) {
            warn_signed_out(adapter, "the page asks for a name, as of a guest");
        }
        if (!adapter->freed && !adapter->leaving && !adapter->over) {
            write_field(adapter, step->purpose);
        }
        return;
    case FLOW_DO_PASSCODE:
        write_field(adapter, step->purpose);
        return;
    case FLOW_DO_RELOAD:
        load_again(adapter);
        return;
    case FLOW_DO_DIALOG:
        adapter_dialog(adapter, reading->unknown_dialog);
        return;
    case FLOW_DO_LEFT: {
        const char *rule = step->purpose < FLOW_N_PURPOSES ? reading->rules[step->purpose] : NULL;
        const char *name = rule != NULL ? flow_purpose_names[step->purpose] : NULL;
        g_autofree char *full = rule != NULL ? g_strdup_printf("%s/%s", name, rule) : NULL;
        const char *message =
            rule != NULL ? platform_rules_get_message(adapter->rules, name, rule, step->message)
                         : step->message;
        adapter_finish(adapter, step->left, message, full, true);
        return;
    }
    }
}

// --- reading the page ---

static FlowPlace place_of(Adapter *adapter, const char *url)
{
    if (platform_rules_is_host(adapter->rules, "home", url)) {
        return FLOW_PLACE_HOME;
    }
    return platform_rules_is_host(adapter->rules, "sign_in", url) ? FLOW_PLACE_SIGN_IN
                                                                  : FLOW_PLACE_ELSEWHERE;
}

static FlowReading make_reading(Adapter *adapter, JsonObject *answer)
{
    FlowReading reading = {.place = place_of(adapter, platform_json_string(answer, "url", "")),
                           .n_in_call =
                               (unsigned)CLAMP(platform_json_int(answer, "count", 0), 0, 99),
                           .media_flows = adapter->n_frames != adapter->n_frames_read,
                           .link_failed = adapter->link_failed,
                           .unsent = platform_json_bool(answer, "unsent", false),
                           .soundless = platform_json_bool(answer, "soundless", false),
                           .told_left = adapter->told_left,
                           .told = adapter->told,
                           .told_message = adapter->told_message};
    JsonObject *found = platform_json_object(answer, "found");
    for (int i = 0; i < FLOW_N_PURPOSES; i++) {
        reading.rules[i] = platform_json_string(found, flow_purpose_names[i], NULL);
    }
    JsonArray *unknown = platform_json_array(answer, "unknown");
    bool walking = adapter->walks.length > 0; /* what opens then is what was asked for */
    for (guint i = 0; !walking && unknown != NULL && i < json_array_get_length(unknown); i++) {
        JsonNode *node = json_array_get_element(unknown, i);
        const char *text = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
        if (text != NULL && !g_hash_table_contains(adapter->seen_dialogs, text) &&
            g_hash_table_size(adapter->seen_dialogs) < MAX_SEEN_DIALOGS) {
            reading.unknown_dialog = text;
        }
    }
    adapter->n_frames_read = adapter->n_frames;
    return reading;
}

static void on_no_answer(Adapter *adapter, const GError *error)
{
    g_debug("the page was not read: %s", error->message);
    int64_t limit_ms = platform_rules_get_number(adapter->rules, "frozen_ms", 12000);
    if (adapter_now_ms() - adapter->answer_ms < limit_ms) {
        adapter_poll_later(adapter,
                           (unsigned)platform_rules_get_number(adapter->rules, "poll_ms", 300));
        return;
    }
    bool frozen = g_error_matches(error, PLATFORM_ERROR, PLATFORM_ERROR_TIMEOUT);
    g_autofree char *message = frozen ? g_strdup("the page is frozen: it does not answer")
                                      : g_strdup_printf("the page is lost: %s", error->message);
    if (frozen) {
        browser_interrupt(page_get_browser(adapter->page));
    }
    adapter_finish(adapter, PLATFORM_LEFT_PAGE_LOST, message, NULL, !frozen);
}

static void on_read(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = g_rc_box_acquire(user_data);
    adapter->busy = false;
    if (!adapter->over && !adapter->leaving) {
        if (error != NULL || !JSON_NODE_HOLDS_OBJECT(value)) {
            g_autoptr(GError) wrong = g_error_new_literal(PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL,
                                                          "it answered something else");
            on_no_answer(adapter, error != NULL ? error : wrong);
        } else {
            adapter->answer_ms = adapter_now_ms();
            FlowReading reading = make_reading(adapter, json_node_get_object(value));
            FlowStep step = flow_step(&adapter->flow, &reading, adapter->answer_ms);
            report_step(adapter, &reading, &step);
            if (!adapter->freed && !adapter->leaving && !adapter->over) {
                carry_out(adapter, &reading, &step);
            }
        }
    }
    adapter_release(adapter);
}

/* In the call; @more: purposes that the whole page has to be read for. */
#define IN_CALL(more)                                                                              \
    "window.__steno.read([" more "'removed','ended','recording_denied','consent','network_lost',"  \
    "'mic_is_on','mic_is_off','camera_is_on','camera_is_off','join_audio'],'in_call',"             \
    "['removed_page','ended_page','connection_failed'],"                                           \
    "['removed','ended','recording_denied','consent','network_lost','join_audio'])"

static gboolean on_poll(gpointer data)
{
    static const char before_call[] =
        "window.__steno.read(['not_found','login_required','captcha','lobby_timeout','denied',"
        "'could_not_connect','blocked','lobby','lobby_hint','host_absent','consent','dismiss',"
        "'without_account','mic_is_on','camera_is_on','name_field','join_button',"
        "'passcode_field','passcode_wrong','not_started','recording_denied'],'in_call',[],[])";
    Adapter *adapter = data;
    adapter->poll_timer = 0;
    adapter->busy = true;
    bool quiet = adapter->n_frames == adapter->n_frames_read;
    browser_evaluate(page_get_browser(adapter->page),
                     adapter->flow.phase != FLOW_PHASE_CALL ? before_call
                     : quiet                                ? IN_CALL("'lobby','host_absent',")
                                                            : IN_CALL(""),
                     READ_TIMEOUT_MS, on_read, adapter);
    return G_SOURCE_REMOVE;
}

void adapter_poll_later(Adapter *adapter, unsigned ms)
{
    if (adapter->busy || adapter->over || adapter->leaving || adapter->freed ||
        !adapter->navigated) {
        return;
    }
    g_clear_handle_id(&adapter->poll_timer, g_source_remove);
    adapter->poll_timer = g_timeout_add(adapter->poll_soon ? 1 : ms, on_poll, adapter);
    adapter->poll_soon = false;
}

/* Media came or went: the page has probably changed too. */
void adapter_poll_soon(Adapter *adapter)
{
    adapter->poll_soon = adapter->busy;
    adapter_poll_later(adapter, CONFIRM_MS);
}
