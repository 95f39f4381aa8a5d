/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Google Meet adapter: reads the page every poll_ms, lets meet_flow_step decide, does what it
 * says, one thing at a time. Reference counted, because an event may free it: whoever is called
 * from the main loop holds a reference until it returns.
 */
#include "platforms/meet/flow.h"
#include "platforms/meet/roster.h"
#include "platforms/meet/url.h"

#include "platforms/impl.h"
#include "platforms/json.h"
#include "platforms/page/page.h"
#include "platforms/rules.h"

#include <string.h>

#define NAVIGATE_TIMEOUT_MS 30000
#define READ_TIMEOUT_MS 3000
#define CONFIRM_MS 50
#define CLICK_TIMEOUT_MS 2000
#define CHAT_TIMEOUT_MS 9000
#define LEAVE_CLICK_TIMEOUT_MS 1000
#define LEAVE_SETTLE_MS 400 /* the page's own goodbye goes out */
#define LEAVE_BUDGET_MS 4500
#define MAX_SEEN_DIALOGS 64
#define MAX_CHAT_IDS 4096

typedef struct Meet Meet;

/* Something that a caller waits for and the page has to do. */
typedef struct {
    Meet *meet;  /* borrowed */
    GTask *task; /* owned; NULL once it was cancelled */
} Request;

struct Meet {
    Platform base;
    PlatformEvents events;
    gpointer user_data;
    char *url, *bot_name, *output_dir; /* owned */
    bool want_video;
    BrowserOptions *browser_options; /* owned until the browser starts */
    bool sandbox;
    PlatformRules *rules; /* owned */
    MeetRoster *roster;   /* owned */
    Page *page;           /* owned */
    MeetFlow flow;
    unsigned poll_timer, leave_timer, deadline_timer, left_source;
    MeetPurpose pressing;              /* of the click under way */
    bool navigated, busy, poll_soon;   /* busy: a call to the page is under way */
    bool joined, leaving, over, freed; /* over: on_left is being prepared or was sent */
    bool link_up, link_failed;
    int64_t answer_ms; /* when the page last answered */
    uint64_t n_frames, n_frames_read;
    char *seen_rules[MEET_N_PURPOSES];    /* owned: last reported */
    GHashTable *seen_dialogs, *seen_chat; /* owned: sets of strings */
    unsigned n_shots;
    GQueue requests; /* of owned Request, until the page answers or is gone */
    PlatformLeft left;
    char *left_message, *left_rule, *left_shot; /* owned */
};

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

static void meet_release(Meet *meet)
{
    g_rc_box_release_full(meet, meet_clear);
}

static Meet *to_meet(Platform *platform)
{
    g_assert(platform->impl == &meet_impl);
    return (Meet *)platform;
}

static int64_t now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

static char *json_quote(const char *text)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_VALUE);
    json_node_set_string(node, text);
    return json_to_string(node, FALSE);
}

static const char *string_value(JsonNode *value)
{
    return value != NULL && JSON_NODE_HOLDS_VALUE(value) &&
                   json_node_get_value_type(value) == G_TYPE_STRING
               ? json_node_get_string(value)
               : NULL;
}

// --- events going up ---

/* No event follows on_left or platform_free. */
static bool is_silent(const Meet *meet)
{
    return meet->freed || (meet->over && meet->left_source == 0);
}

static void warn(Meet *meet, const char *code, const char *message)
{
    if (!is_silent(meet) && meet->events.on_warning != NULL) {
        meet->events.on_warning(code, message, meet->user_data);
    }
}

static void report_rule(Meet *meet, MeetPurpose purpose, const char *rule)
{
    const char *seen = meet->seen_rules[purpose];
    if (is_silent(meet) || meet->events.on_rule == NULL ||
        (seen != NULL && g_strcmp0(seen, rule != NULL ? rule : "") == 0)) {
        return;
    }
    g_free(meet->seen_rules[purpose]);
    meet->seen_rules[purpose] = g_strdup(rule != NULL ? rule : "");
    g_autofree char *full =
        rule != NULL ? g_strdup_printf("%s/%s", meet_purpose_names[purpose], rule) : NULL;
    g_info("%s: %s", meet_purpose_names[purpose], full != NULL ? full : "none matches");
    meet->events.on_rule(meet_purpose_names[purpose], full, rule != NULL, meet->user_data);
}

static void on_participant(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data)
{
    Meet *meet = user_data;
    if (!is_silent(meet) && meet->events.on_participant != NULL) {
        meet->events.on_participant(op, participant, meet->user_data);
    }
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    Meet *meet = user_data;
    if (!is_silent(meet) && meet->events.on_source != NULL) {
        meet->events.on_source(source, meet->user_data);
    }
}

// --- the end ---

static gboolean return_left(gpointer data)
{
    g_task_return_new_error(data, PLATFORM_ERROR, PLATFORM_ERROR_STATE,
                            "the bot is not in the meeting");
    g_object_unref(data);
    return G_SOURCE_REMOVE;
}

/* From the main loop, also when platform_free is what ends them. */
static void cancel_requests(Meet *meet)
{
    for (GList *l = meet->requests.head; l != NULL; l = l->next) {
        Request *request = l->data;
        if (request->task != NULL) {
            g_idle_add(return_left, g_steal_pointer(&request->task));
        }
    }
}

static void stop_timers(Meet *meet)
{
    g_clear_handle_id(&meet->poll_timer, g_source_remove);
    g_clear_handle_id(&meet->leave_timer, g_source_remove);
    g_clear_handle_id(&meet->deadline_timer, g_source_remove);
}

static gboolean emit_left(gpointer data)
{
    Meet *meet = g_rc_box_acquire(data);
    meet->left_source = 0;
    stop_timers(meet);
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
static void finish(Meet *meet, PlatformLeft left, const char *message, const char *rule, bool alive)
{
    if (meet->over || meet->freed) {
        return;
    }
    meet->over = true;
    stop_timers(meet);
    cancel_requests(meet);
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

static void poll_later(Meet *meet, unsigned ms);

/* The answer to whatever was done in the page: read it again at once. */
static void on_done(JsonNode *value, const GError *error, gpointer user_data)
{
    Meet *meet = user_data;
    meet->busy = false;
    if (error != NULL) {
        g_debug("in the page: %s", error->message);
    }
    poll_later(meet, 50);
}

static void on_pressed(JsonNode *value, const GError *error, gpointer user_data)
{
    Meet *meet = g_rc_box_acquire(user_data);
    report_rule(meet, meet->pressing, string_value(value));
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
    g_autofree char *name = json_quote(meet->bot_name);
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
    warn(meet, "unknown_dialog", "the page shows a dialog that no rule knows");
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
        report_rule(meet, step->purpose, reading->rules[step->purpose]);
    } else if (step->todo == MEET_DO_LEFT && step->left == PLATFORM_LEFT_UI_NOT_FOUND) {
        report_rule(meet, step->purpose, NULL);
    }
    if (step->lobby && !is_silent(meet)) {
        meet->events.on_lobby(meet->user_data);
    }
    if (step->host_changed && !is_silent(meet) && meet->events.on_host_absent != NULL) {
        meet->events.on_host_absent(meet->flow.host_absent, meet->user_data);
    }
    if (step->admitted && !is_silent(meet)) {
        g_autofree char *count = g_strdup_printf("%u_marks", reading->n_in_call);
        report_rule(meet, MEET_IN_CALL, count);
        meet->events.on_admitted(meet->user_data);
    }
    if ((step->admitted || step->recording_denied) && !is_silent(meet)) {
        meet->events.on_recording_permission(
            !step->recording_denied,
            step->recording_denied ? "the meeting does not allow recording" : NULL,
            meet->user_data);
    }
    if (step->mic_changed && !is_silent(meet) && meet->events.on_microphone != NULL) {
        meet->events.on_microphone(meet->flow.mic == MEET_MIC_OPEN, meet->user_data);
    }
    if (step->mic_gave_up) {
        warn(meet, "microphone", "the meeting's microphone button does not react");
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
        poll_later(meet, poll_interval_ms(meet));
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
        finish(meet, step->left, step->message, full, true);
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
    if (now_ms() - meet->answer_ms < limit_ms) {
        poll_later(meet, (unsigned)platform_rules_get_number(meet->rules, "poll_ms", 300));
        return;
    }
    bool frozen = g_error_matches(error, PLATFORM_ERROR, PLATFORM_ERROR_TIMEOUT);
    g_autofree char *message = frozen ? g_strdup("the page is frozen: it does not answer")
                                      : g_strdup_printf("the page is lost: %s", error->message);
    if (frozen) {
        browser_interrupt(page_get_browser(meet->page));
    }
    finish(meet, PLATFORM_LEFT_PAGE_LOST, message, NULL, !frozen);
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
            meet->answer_ms = now_ms();
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

static void poll_later(Meet *meet, unsigned ms)
{
    if (meet->busy || meet->over || meet->leaving || meet->freed || !meet->navigated) {
        return;
    }
    g_clear_handle_id(&meet->poll_timer, g_source_remove);
    meet->poll_timer = g_timeout_add(meet->poll_soon ? 1 : ms, on_poll, meet);
    meet->poll_soon = false;
}

/* Media came or went: the page has probably changed too. */
static void poll_soon(Meet *meet)
{
    meet->poll_soon = meet->busy;
    poll_later(meet, CONFIRM_MS);
}

// --- what the page tells ---

static void on_navigate_reply(JsonNode *value, const GError *error, gpointer user_data)
{
    Meet *meet = user_data;
    if (meet->leaving) {
        return;
    }
    if (error != NULL) {
        finish(meet, PLATFORM_LEFT_NETWORK_LOST, error->message, NULL, true);
        return;
    }
    meet->answer_ms = now_ms();
    poll_later(meet, 1);
}

static void on_ready(gpointer user_data)
{
    Meet *meet = g_rc_box_acquire(user_data);
    if (!meet->sandbox) {
        warn(meet, "browser_sandbox_off",
             "Chromium runs without its sandbox, as browser.sandbox says");
    }
    if (!meet->freed && !meet->leaving && !meet->over) {
        meet->navigated = true;
        browser_navigate(page_get_browser(meet->page), meet->url, NAVIGATE_TIMEOUT_MS,
                         on_navigate_reply, meet);
    }
    meet_release(meet);
}

static void on_navigated(const char *url, gpointer user_data)
{
    Meet *meet = user_data;
    meet->link_failed = false;
    poll_later(meet, 100);
}

static void on_link(bool up, gpointer user_data)
{
    Meet *meet = user_data;
    bool was_up = meet->link_up;
    meet->link_up = up;
    if (was_up && !up && !meet->leaving && !meet->over) {
        warn(meet, "page_link_lost", "the link to the page broke; it is being made again");
    }
}

static void on_frame(MediaEncodedFrame *frame, gpointer user_data)
{
    Meet *meet = user_data;
    meet->n_frames++;
    if (!is_silent(meet) && meet->events.on_frame != NULL) {
        meet->events.on_frame(frame, meet->user_data);
    }
}

static void on_user(const MeetUser *user, gpointer user_data)
{
    meet_roster_user(((Meet *)user_data)->roster, user);
}

static void on_output(const MeetOutput *output, gpointer user_data)
{
    meet_roster_output(((Meet *)user_data)->roster, output);
}

static void on_chat(const MeetChat *chat, gpointer user_data)
{
    Meet *meet = user_data;
    if (is_silent(meet) || meet->events.on_chat == NULL ||
        meet_roster_is_self(meet->roster, chat->device)) {
        return;
    }
    if (chat->id != NULL && g_hash_table_size(meet->seen_chat) < MAX_CHAT_IDS &&
        !g_hash_table_add(meet->seen_chat, g_strdup(chat->id))) {
        return; /* told twice */
    }
    const char *name = meet_roster_name(meet->roster, chat->device);
    meet->events.on_chat(chat->device, name != NULL ? name : "", chat->text, meet->user_data);
}

static void on_data(bool fetch, const char *name, GBytes *data, gpointer user_data)
{
    static const MeetCollectionsSink sink = {
        .on_user = on_user, .on_output = on_output, .on_chat = on_chat};
    Meet *meet = g_rc_box_acquire(user_data);
    g_autoptr(GError) error = NULL;
    gsize size;
    const void *bytes = g_bytes_get_data(data, &size);
    bool good;
    if (fetch) {
        meet_roster_begin_sync(meet->roster);
        good = meet_collections_parse_sync(bytes, size, &sink, meet, &error);
        if (good) {
            meet_roster_end_sync(meet->roster);
        }
    } else {
        good = meet_collections_parse(bytes, size, &sink, meet, &error);
    }
    if (!good) {
        warn(meet, "roster_message", error->message);
    }
    meet_release(meet);
}

/* A page's words that reach the bot's events: a plain code, a short sentence. */
static void take_warning(Meet *meet, JsonObject *message)
{
    const char *code = platform_json_string(message, "code", "page");
    const char *text = platform_json_string(message, "message", "");
    if (strspn(code, "abcdefghijklmnopqrstuvwxyz_") != strlen(code) || strlen(code) > 40) {
        code = "page";
    }
    g_autofree char *head = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), 300));
    warn(meet, code, head);
}

static void on_message(const char *type, JsonObject *message, gpointer user_data)
{
    Meet *meet = g_rc_box_acquire(user_data);
    uint32_t id = (uint32_t)platform_json_int(message, "id", 0);
    if (strcmp(type, "track") == 0) {
        if (strcmp(platform_json_string(message, "kind", ""), "video") == 0) {
            meet_roster_track(meet->roster, id, platform_json_array(message, "streams"));
        }
        poll_soon(meet);
    } else if (strcmp(type, "track_ended") == 0) {
        meet_roster_track_ended(meet->roster, id);
        if (!is_silent(meet) && meet->events.on_track_ended != NULL) {
            meet->events.on_track_ended(id, meet->user_data);
        }
        poll_soon(meet);
    } else if (strcmp(type, "warning") == 0) {
        take_warning(meet, message);
    } else if (strcmp(type, "connection") == 0) {
        const char *state = platform_json_string(message, "state", "");
        meet->link_failed = strcmp(state, "failed") == 0 || strcmp(state, "disconnected") == 0;
    }
    meet_release(meet);
}

static void on_lost(BrowserLost lost, const char *message, gpointer user_data)
{
    finish(user_data, PLATFORM_LEFT_PAGE_LOST, message, NULL, false);
}

// --- the interface ---

static Platform *meet_create(const PlatformConfig *config, const char *url,
                             const PlatformEvents *events, gpointer user_data, GError **error)
{
    static const MeetRosterEvents roster_events = {.on_participant = on_participant,
                                                   .on_source = on_source};
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
    meet->roster = meet_roster_new(&roster_events, meet);
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
    stop_timers(meet);
    g_clear_handle_id(&meet->left_source, g_source_remove);
    cancel_requests(meet);
    g_clear_pointer(&meet->page, page_free);
    meet_release(meet);
}

static void meet_join(Platform *platform)
{
    static const PageEvents events = {.on_ready = on_ready,
                                      .on_navigated = on_navigated,
                                      .on_link = on_link,
                                      .on_frame = on_frame,
                                      .on_data = on_data,
                                      .on_message = on_message,
                                      .on_lost = on_lost};
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
    meet->page = page_new(&config, &events, meet, &error);
    if (meet->page == NULL) {
        finish(meet, PLATFORM_LEFT_INTERNAL, error->message, NULL, false);
    }
}

static gboolean on_leave_deadline(gpointer data)
{
    Meet *meet = data;
    meet->deadline_timer = 0;
    finish(meet, PLATFORM_LEFT_REQUESTED, "left; the page did not answer", NULL, false);
    return G_SOURCE_REMOVE;
}

static void on_blank(JsonNode *value, const GError *error, gpointer user_data)
{
    finish(user_data, PLATFORM_LEFT_REQUESTED, "left as asked", NULL, false);
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
    const char *rule = string_value(value);
    report_rule(meet, MEET_LEAVE_BUTTON, rule);
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
        finish(meet, PLATFORM_LEFT_REQUESTED, "left before the page was open", NULL, false);
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
    request_finish(user_data, error, string_value(value));
}

static void meet_send_chat(Platform *platform, const char *text, GTask *task)
{
    Meet *meet = to_meet(platform);
    if (meet->flow.phase != MEET_PHASE_CALL || meet->over || meet->leaving) {
        g_idle_add(return_left, task);
        return;
    }
    g_autofree char *quoted = json_quote(text);
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
        poll_later(meet, 1);
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
        g_idle_add(return_left, task);
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
