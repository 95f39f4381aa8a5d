/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/session_priv.h"

G_DEFINE_QUARK(bot_session_error, bot_session_error)

#define TICK_MS 250

typedef struct {
    BotEvent event;
    const char *sub_type;
} PendingEvent;

void bot_session_warn(BotSession *session, const char *code, const char *message)
{
    session->n_warnings++;
    bot_event_log_warn(session->log, code, message);
}

double bot_session_recorded_s(BotSession *session)
{
    if (session->engine == NULL || !session->recording_begun) {
        return 0.0;
    }
    MediaEngineStats stats;
    media_engine_get_stats(session->engine, &stats);
    return (double)stats.recorded_ns / 1e9;
}

double bot_session_recording_s(BotSession *session)
{
    int64_t now_ns =
        session->engine != NULL ? media_engine_get_recording_time_ns(session->engine) : 0;
    int64_t now_ms = MAX(now_ns, 0) / 1000000; /* milliseconds are as exact as the times are */
    return (double)now_ms / 1000;
}

/* --- effects --- */

static PlatformCapture capture_of(const BotConfig *config)
{
    return strcmp(config->capture, "screen") == 0 ? PLATFORM_CAPTURE_SCREEN
           : strcmp(config->capture, "tap") == 0  ? PLATFORM_CAPTURE_TAP
                                                  : PLATFORM_CAPTURE_AUTO;
}

static void on_image(GBytes *jpeg, const GError *error, gpointer user_data)
{
    BotSession *session = user_data;
    g_clear_pointer(&session->image, bot_image_free);
    if (jpeg == NULL) {
        g_autofree char *message =
            g_strdup_printf("the bot's picture is not shown: %s", error->message);
        bot_session_warn(session, "bot_image", message);
        return;
    }
    session->picture = g_bytes_ref(jpeg);
    if (session->platform != NULL) {
        platform_show_picture(session->platform, jpeg);
    }
}

bool bot_session_connect(BotSession *session, GError **error)
{
    PlatformConfig config = {
        .meeting_url = session->config->meeting_url,
        .bot_name = session->config->bot_name,
        .output_dir = session->config->output_dir,
        .want_video = session->config->mode != BOT_MODE_AUDIO_ONLY,
        .want_gallery = session->config->mode == BOT_MODE_GALLERY_VIEW,
        .live = bot_config_is_listened(session->config),
        .capture = capture_of(session->config),
        .picture_width = session->config->width,
        .picture_height = session->config->height,
        .picture_fps = session->config->fps,
        .want_microphone = true,
        .browser = session->config->browser,
        .standby = session->standby,
        .null_dir = session->config->null_dir,
    };
    session->platform = platform_new(&config, &bot_session_platform_events, session, error);
    if (session->platform == NULL) {
        return false;
    }
    session->presence.joining_us = g_get_monotonic_time();
    platform_join(session->platform);
    g_clear_pointer(&session->standby, platform_standby_free);
    if (session->picture != NULL) {
        platform_show_picture(session->platform, session->picture);
    }
    return true;
}

static void fetch_image(BotSession *session)
{
    if (session->config->image_path != NULL) {
        session->image = bot_image_read(session->config->image_path, on_image, session);
    } else if (session->config->image_url != NULL) {
        session->image = bot_image_fetch(session->config->image_url, session->config->image_private,
                                         on_image, session);
    }
}

static void join(BotSession *session)
{
    g_autoptr(GError) error = NULL;
    const char *name = NULL;
    if (!platform_check_url(session->config->meeting_url, &name, NULL, &error)) {
        bot_session_end(session, BOT_OUTCOME_BAD_URL, error->message);
        return;
    }
    session->platform_name = g_strdup(name);
    if (!bot_session_open_media(session, &error) || !bot_session_connect(session, &error)) {
        bool bad_url = g_error_matches(error, PLATFORM_ERROR, PLATFORM_ERROR_URL);
        bot_session_end(session, bad_url ? BOT_OUTCOME_BAD_URL : BOT_OUTCOME_INTERNAL,
                        error->message);
        return;
    }
    fetch_image(session);
}

static void leave(BotSession *session)
{
    if (session->platform != NULL && !session->at_once) {
        platform_leave(session->platform);
    } else {
        bot_session_raise(session, BOT_EVENT_LEFT_MEETING, NULL);
    }
}

static void perform(BotSession *session, BotEffects effects)
{
    if ((effects & BOT_EFFECT_JOIN) != 0) {
        join(session);
    }
    if ((effects & BOT_EFFECT_START_STREAM) != 0) {
        bot_session_start_stream(session);
    }
    if ((effects & BOT_EFFECT_START_RECORDING) != 0) {
        bot_session_start_recording(session);
    }
    if ((effects & BOT_EFFECT_PAUSE) != 0) {
        bot_session_pause(session, true);
    }
    if ((effects & BOT_EFFECT_RESUME) != 0) {
        bot_session_pause(session, false);
    }
    if ((effects & BOT_EFFECT_STOP_STREAM) != 0) {
        bot_session_stop_stream(session);
    }
    if ((effects & BOT_EFFECT_LEAVE) != 0) {
        leave(session);
    }
    if ((effects & BOT_EFFECT_POST_PROCESS) != 0) {
        bot_session_post_process(session);
    }
    if ((effects & BOT_EFFECT_QUIT) != 0) {
        bot_session_finish(session);
    }
    if ((effects & BOT_EFFECT_REJOIN) != 0) {
        bot_session_schedule_rejoin(session);
    }
}

/* --- the machine --- */

static void log_transition(BotSession *session, BotState old_state, BotEvent event,
                           const char *sub_type)
{
    g_info("%s -> %s (%s%s%s)", bot_state_to_string(old_state), bot_state_to_string(session->state),
           bot_event_to_string(event), sub_type != NULL ? ", " : "",
           sub_type != NULL ? sub_type : "");
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "old", bot_state_to_string(old_state));
    json_object_set_string_member(members, "new", bot_state_to_string(session->state));
    json_object_set_string_member(members, "event", bot_event_to_string(event));
    bot_json_set_optional(members, "sub_type", sub_type);
    bot_event_log_emit(session->log, "state", members);
}

static void take_event(BotSession *session, const PendingEvent *pending)
{
    BotState old_state = session->state;
    BotStep step = bot_machine_step(old_state, pending->event);
    if (!step.accepted) {
        g_autofree char *refusal = bot_machine_refusal(old_state, pending->event);
        g_info("%s", refusal);
        return;
    }
    session->state = step.state;
    bool recordable = bot_state_is_joined(old_state) && old_state != BOT_STATE_JOINED_NOT_RECORDING;
    if (recordable && !bot_state_is_joined(step.state)) {
        session->keep_paused = old_state == BOT_STATE_JOINED_RECORDING_PAUSED;
    }
    log_transition(session, old_state, pending->event, pending->sub_type);
    bot_session_report_state(session, old_state, step.state);
    perform(session, step.effects);
}

void bot_session_raise(BotSession *session, BotEvent event, const char *sub_type)
{
    PendingEvent pending = {event, sub_type};
    g_queue_push_tail(&session->pending, g_memdup2(&pending, sizeof pending));
    if (session->performing) {
        return;
    }
    session->performing = true;
    PendingEvent *next;
    while ((next = g_queue_pop_head(&session->pending)) != NULL) {
        take_event(session, next);
        g_free(next);
    }
    session->performing = false;
}

void bot_session_end(BotSession *session, BotOutcome outcome, const char *message)
{
    BotOutcome merged = bot_outcome_merge(session->outcome, outcome);
    if (merged == session->outcome) {
        return;
    }
    session->outcome = merged;
    g_free(session->message);
    session->message = g_strdup(message);
    const BotOutcomeRow *row = bot_session_row(session);
    g_info("the end: %s (%s)", bot_outcome_to_string(merged), bot_session_message(session));
    if (row->code != NULL) {
        bot_session_report_code(session, row->code);
    }
    bot_session_raise(session, row->event, row->sub_type);
}

/* --- the clock --- */

static void check_auto_leave(BotSession *session)
{
    int64_t now_us = g_get_monotonic_time();
    bool waiting = session->state == BOT_STATE_WAITING_ROOM || session->state == BOT_STATE_JOINING;
    if (!waiting && !bot_state_is_joined(session->state)) {
        return;
    }
    if (session->voices != NULL && bot_voices_any_speaks(session->voices)) {
        session->presence.last_sound_us = now_us;
    }
    BotOutcome outcome =
        bot_auto_leave_check(&session->config->auto_leave, &session->presence, now_us);
    if (outcome != BOT_OUTCOME_NONE) {
        bot_session_end(session, outcome,
                        outcome == BOT_OUTCOME_UI_NOT_FOUND
                            ? "The way into the meeting led neither to a waiting room nor to the "
                              "call within five minutes."
                            : NULL);
    }
}

static gboolean on_tick(gpointer user_data)
{
    BotSession *session = user_data;
    bot_session_check_voices(session);
    check_auto_leave(session);
    return G_SOURCE_CONTINUE;
}

static gboolean on_grace_over(gpointer user_data)
{
    BotSession *session = user_data;
    session->grace_id = 0;
    bot_session_warn(session, "shutdown_grace_over",
                     "The grace time is nearly over: finalizing at once.");
    bot_session_shutdown(session);
    return G_SOURCE_REMOVE;
}

/* --- making, starting, freeing --- */

BotSession *bot_session_new(const BotConfig *config, BotEventLog *log,
                            const BotSessionEvents *events, gpointer user_data)
{
    BotSession *session = g_new0(BotSession, 1);
    session->config = config;
    session->log = log;
    session->events = *events;
    session->user_data = user_data;
    session->state = BOT_STATE_READY;
    session->roster = bot_roster_new();
    session->delivery = bot_delivery_new(config, log, &bot_session_delivery_events, session);
    session->recording_started_us = -1;
    session->presence = BOT_PRESENCE_NEVER;
    bot_rejoin_init(&session->rejoin, config->rejoin_attempts);
    session->gaps = bot_gaps_new();
    session->own_ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    session->chat = g_array_new(FALSE, TRUE, sizeof(BotChatRow));
    g_array_set_clear_func(session->chat, bot_chat_row_clear);
    g_queue_init(&session->pending);
    for (guint i = 0;
         config->ignored_names != NULL && i < json_array_get_length(config->ignored_names); i++) {
        bot_roster_ignore(session->roster, json_array_get_string_element(config->ignored_names, i));
    }
    return session;
}

void bot_session_take_standby(BotSession *session, PlatformStandby *standby)
{
    session->standby = standby;
}

static void on_warning(const char *code, const char *message, gpointer user_data)
{
    bot_session_warn(user_data, code, message);
}

static void on_reported(gpointer user_data)
{
    bot_session_finish_step(user_data);
}

void bot_session_set_credentials(BotSession *session, BotConfig *config)
{
    bot_delivery_set_credentials(session->delivery, config);
}

void bot_session_start(BotSession *session)
{
    static const BotReporterEvents events = {.on_warning = on_warning, .on_idle = on_reported};
    session->reporter = bot_reporter_new(session->config, session->log, &events, session);
    session->tick_id = g_timeout_add(TICK_MS, on_tick, session);
    bot_session_raise(session, BOT_EVENT_JOIN_REQUESTED, NULL);
}

/* Leave and deliver, but in time. A bot that is on its way out already just goes on. */
static void shut_down_in_time(BotSession *session)
{
    unsigned grace_s = session->config->shutdown_grace_s;
    session->terminating = true;
    /* The last fifth is for finalizing what a stuck meeting left. */
    session->grace_id = g_timeout_add(grace_s * 800, on_grace_over, session);
    if (session->finishing) {
        bot_reporter_finish(session->reporter, bot_session_deliver_within_s(session));
    }
    bot_session_end(session, BOT_OUTCOME_USER_REQUESTED, "The worker was told to stop.");
}

void bot_session_shutdown(BotSession *session)
{
    if (!session->terminating) {
        shut_down_in_time(session);
        return;
    }
    g_clear_handle_id(&session->grace_id, g_source_remove);
    session->at_once = true;
    g_clear_pointer(&session->platform, platform_free);
    bot_delivery_cut_short(session->delivery);
    if (session->state == BOT_STATE_LEAVING) {
        bot_session_raise(session, BOT_EVENT_LEFT_MEETING, NULL);
    } else if (session->state == BOT_STATE_POST_PROCESSING && !session->engine_stopped &&
               session->engine != NULL) {
        media_engine_stop_recording(session->engine, true);
    }
    if (session->finishing) {
        bot_reporter_finish(session->reporter, bot_session_deliver_within_s(session));
    }
    bot_session_finish_step(session);
}

void bot_session_free(BotSession *session)
{
    g_clear_handle_id(&session->tick_id, g_source_remove);
    g_clear_handle_id(&session->grace_id, g_source_remove);
    g_clear_handle_id(&session->rejoin_id, g_source_remove);
    g_clear_handle_id(&session->unconfirmed_id, g_source_remove);
    bot_gaps_free(session->gaps);
    g_hash_table_unref(session->own_ids);
    g_clear_pointer(&session->picture, g_bytes_unref);
    g_clear_pointer(&session->image, bot_image_free);
    g_clear_pointer(&session->platform, platform_free);
    g_clear_pointer(&session->standby, platform_standby_free);
    g_clear_pointer(&session->engine, media_engine_free);
    g_clear_pointer(&session->live, bot_live_free);
    bot_delivery_free(session->delivery);
    g_clear_pointer(&session->reporter, bot_reporter_free);
    g_clear_pointer(&session->voices, bot_voices_free);
    bot_roster_free(session->roster);
    g_array_unref(session->chat);
    g_queue_clear_full(&session->pending, g_free);
    g_free(session->platform_name);
    g_free(session->self_id);
    g_free(session->message);
    g_free(session);
}

void bot_session_get_status(BotSession *session, BotSessionStatus *ret_status)
{
    *ret_status = (BotSessionStatus){
        .state = session->state,
        .recorded_s = bot_session_recorded_s(session),
        .n_participants = bot_roster_count_company(session->roster),
        .level_db = -96.0,
        .n_warnings = session->n_warnings,
    };
    if (session->engine == NULL) {
        return;
    }
    MediaEngineStats stats;
    media_engine_get_stats(session->engine, &stats);
    ret_status->level_db = stats.level_db;
    for (guint i = 0; i < bot_roster_length(session->roster); i++) {
        const BotPerson *person = bot_roster_nth(session->roster, i);
        if (person->speaking) {
            ret_status->speaker = person->name;
            break;
        }
    }
}
