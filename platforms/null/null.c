/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A platform without a browser (after mpv's ao_null): a meeting that a document describes, with
 * people, voices, pictures, a lobby, ends and faults. For tests of what stands above a platform,
 * and for load tests.
 */
#include "platforms/impl.h"
#include "platforms/null/crowd.h"
#include "platforms/null/meeting.h"

#define RECORDED_BATCH_MS 100
#define LIVE_BATCH_MS 20

/* 1x1, white. */
static const guint8 screenshot_png[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
    0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00,
    0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78,
    0xda, 0x63, 0xf8, 0x0f, 0x00, 0x01, 0x01, 0x01, 0x00, 0x1c, 0xb0, 0x8c, 0x99, 0x00,
    0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

typedef enum {
    PHASE_NEW,
    PHASE_JOINING,
    PHASE_LOBBY,
    PHASE_CALL,
    PHASE_LEAVING,
    PHASE_OVER, /* on_left was reported, or the platform was freed: no event any more */
} Phase;

typedef struct {
    Platform base;
    PlatformEvents events;
    gpointer user_data;
    NullMeeting *meeting; /* borrowed: the process's */
    NullSender *sender;   /* owned */
    NullCrowd *crowd;     /* owned */
    char *bot_name;       /* owned */
    char *self_id;        /* owned: a new one with each join, as on the real platforms */
    bool want_microphone, want_page;
    Phase phase;
    guint timer_id; /* what is next: on the way in, of the steps, or the end of leaving */
    guint reply_id; /* answers to what was asked are due */
    guint next_step;
    bool was_admitted, chat_stopped;
    bool recording_decided, recording_allowed;
    bool microphone_asked, microphone_open;
    GQueue echoes; /* owned strings: what the bot wrote, as the chat shows it to everybody */
} Null;

static Null *to_null(Platform *platform)
{
    g_assert(platform->impl == &null_impl);
    return (Null *)platform;
}

static const NullDocument *get_document(Null *null)
{
    return null_meeting_get_document(null->meeting);
}

static NullReport *get_report(Null *null)
{
    return null_meeting_get_report(null->meeting);
}

static void clear_null(gpointer data)
{
    Null *null = data;
    g_clear_pointer(&null->crowd, null_crowd_free);
    g_clear_pointer(&null->sender, null_sender_free);
    g_free(null->bot_name);
    g_free(null->self_id);
    g_queue_clear_full(&null->echoes, g_free);
}

static void release(Null *null)
{
    g_rc_box_release_full(null, clear_null);
}

static void stop(Null *null)
{
    g_clear_handle_id(&null->timer_id, g_source_remove);
    g_clear_handle_id(&null->reply_id, g_source_remove);
    null_crowd_stop(null->crowd);
}

static void arm_timer(Null *null, int64_t wait_us, GSourceFunc func)
{
    g_clear_handle_id(&null->timer_id, g_source_remove);
    null->timer_id = g_timeout_add((guint)((MAX(wait_us, 0) + 999) / 1000), func, null);
}

static void report_left(Null *null, PlatformLeft left, const char *message)
{
    g_autofree char *usual =
        g_strdup_printf("The null: meeting ends with %s.", platform_left_to_string(left));
    null->phase = PHASE_OVER;
    stop(null);
    PlatformLeftInfo info = {.left = left, .message = message != NULL ? message : usual};
    null->events.on_left(&info, null->user_data);
}

/* --- in the call --- */

static void report_permission(Null *null)
{
    if (null->phase == PHASE_CALL && null->recording_decided) {
        null->events.on_recording_permission(
            null->recording_allowed,
            null->recording_allowed ? NULL : "the meeting does not allow recording",
            null->user_data);
    }
}

static void set_microphone_open(Null *null, bool open)
{
    if (null->phase == PHASE_CALL && null->microphone_open != open) {
        null->microphone_open = open;
        get_report(null)->n_microphone_switches++;
        null->events.on_microphone(open, null->user_data);
    }
}

static void end_by_step(Null *null, const NullStep *step)
{
    null_meeting_refuse_joins(null->meeting, step->left, step->n_times - 1);
    report_left(null, step->left, step->text);
}

static void send_to_lobby(Null *null)
{
    if (null->phase == PHASE_CALL) {
        null->phase = PHASE_LOBBY;
        null->microphone_open = false;
        null_crowd_set_heard(null->crowd, false);
        null->events.on_lobby(null->user_data);
    }
}

static void report_chat(Null *null, const NullStep *step)
{
    if (null->phase == PHASE_CALL) {
        const NullPerson *person = g_ptr_array_index(get_document(null)->people, step->person);
        null->events.on_chat(person->id, person->name, step->text, null->user_data);
    }
}

static void enter_call(Null *null);

static void perform(Null *null, const NullStep *step)
{
    switch ((int)step->kind) {
    case NULL_STEP_END:
        end_by_step(null, step);
        break;
    case NULL_STEP_SEND_TO_LOBBY:
        send_to_lobby(null);
        break;
    case NULL_STEP_ADMIT_BOT:
        if (null->phase == PHASE_LOBBY) {
            enter_call(null);
        }
        break;
    case NULL_STEP_DENY_RECORDING:
    case NULL_STEP_ALLOW_RECORDING:
        null->recording_decided = true;
        null->recording_allowed = step->kind == NULL_STEP_ALLOW_RECORDING;
        report_permission(null);
        break;
    case NULL_STEP_MUTE_BOT:
        null->microphone_asked = false;
        set_microphone_open(null, false);
        break;
    case NULL_STEP_STOP_CHAT:
    case NULL_STEP_ALLOW_CHAT:
        null->chat_stopped = step->kind == NULL_STEP_STOP_CHAT;
        break;
    case NULL_STEP_CHAT:
        report_chat(null, step);
        break;
    default: /* what people do */
        null_crowd_step(null->crowd, step, null_meeting_clock_us(null->meeting, step->at_us));
    }
}

static gboolean on_step_due(gpointer user_data);

static void run_steps(Null *null)
{
    const GArray *steps = get_document(null)->steps;
    while ((null->phase == PHASE_CALL || null->phase == PHASE_LOBBY) &&
           null->next_step < steps->len) {
        const NullStep *step = &g_array_index(steps, NullStep, null->next_step);
        int64_t wait_us = step->at_us - null_meeting_time_us(null->meeting);
        if (wait_us > 0) {
            arm_timer(null, wait_us, on_step_due);
            return;
        }
        null->next_step++;
        perform(null, step);
    }
}

static gboolean on_step_due(gpointer user_data)
{
    Null *null = g_rc_box_acquire(user_data);
    null->timer_id = 0;
    run_steps(null);
    release(null);
    return G_SOURCE_REMOVE;
}

/* --- the way in --- */

/* What passes by, and is not there for who comes later. */
static bool is_passing(const NullStep *step)
{
    return step->kind == NULL_STEP_CHAT || step->kind == NULL_STEP_SEND_TO_LOBBY ||
           step->kind == NULL_STEP_ADMIT_BOT || step->kind == NULL_STEP_MUTE_BOT ||
           (step->kind == NULL_STEP_END && step->left != PLATFORM_LEFT_ENDED);
}

/* A bot that comes back finds things as they became meanwhile. */
static void catch_up(Null *null, int64_t now_us)
{
    const GArray *steps = get_document(null)->steps;
    while (null->phase != PHASE_OVER && null->next_step < steps->len) {
        const NullStep *step = &g_array_index(steps, NullStep, null->next_step);
        if (step->at_us >= now_us) {
            return;
        }
        null->next_step++;
        if (!is_passing(step)) {
            perform(null, step);
        }
    }
}

static void report_self(Null *null)
{
    PlatformParticipant self = {
        .platform_id = null->self_id, .name = null->bot_name, .is_self = true, .muted = true};
    null->events.on_participant(PLATFORM_PARTICIPANT_JOINED, &self, null->user_data);
    if (null->want_page && null->phase == PHASE_CALL) {
        null->events.on_warning("capture",
                                "A null: meeting has no page: its pictures come by their tracks.",
                                null->user_data);
    }
    if (null->phase == PHASE_CALL) {
        null_crowd_begin(null->crowd);
    }
}

static void reply_soon(Null *null);

static void enter_call(Null *null)
{
    bool again = null->was_admitted;
    if (!again) {
        catch_up(null, null_meeting_admit(null->meeting));
    }
    if (null->phase == PHASE_OVER) {
        return;
    }
    null->was_admitted = true;
    null->phase = PHASE_CALL;
    null->events.on_admitted(null->user_data);
    if (!again && null->phase == PHASE_CALL) {
        report_self(null);
    }
    report_permission(null);
    if (null->phase == PHASE_CALL) {
        null_crowd_set_heard(null->crowd, true);
        reply_soon(null);
        run_steps(null);
    }
}

static gboolean on_lobby_answer(gpointer user_data)
{
    Null *null = g_rc_box_acquire(user_data);
    NullLobby lobby = get_document(null)->lobby;
    null->timer_id = 0;
    if (lobby == NULL_LOBBY_DENY) {
        report_left(null, PLATFORM_LEFT_DENIED, "Someone in the call denied the request to join.");
    } else if (lobby == NULL_LOBBY_EXPIRE) {
        report_left(null, PLATFORM_LEFT_LOBBY_TIMEOUT, "No one responded to the request to join.");
    } else {
        if (lobby == NULL_LOBBY_HOST_ABSENT) {
            null->events.on_host_absent(false, null->user_data);
        }
        if (null->phase == PHASE_LOBBY) {
            enter_call(null);
        }
    }
    release(null);
    return G_SOURCE_REMOVE;
}

static void enter_lobby(Null *null)
{
    const NullDocument *document = get_document(null);
    null->phase = PHASE_LOBBY;
    null->events.on_lobby(null->user_data);
    if (null->phase == PHASE_LOBBY && document->lobby == NULL_LOBBY_HOST_ABSENT) {
        null->events.on_host_absent(true, null->user_data);
    }
    bool waits_for_ever = document->lobby == NULL_LOBBY_IGNORE ||
                          (document->lobby == NULL_LOBBY_HOST_ABSENT && document->lobby_us == 0);
    if (null->phase == PHASE_LOBBY && !waits_for_ever) {
        arm_timer(null, document->lobby_us, on_lobby_answer);
    }
}

static gboolean on_joining_done(gpointer user_data)
{
    Null *null = g_rc_box_acquire(user_data);
    const NullDocument *document = get_document(null);
    PlatformLeft left;
    null->timer_id = 0;
    if (null_meeting_refuses_join(null->meeting, &left)) {
        report_left(null, left, NULL);
    } else if (document->joining_ends) {
        report_left(null, document->joining_left, NULL);
    } else if (document->lobby == NULL_LOBBY_NONE) {
        enter_call(null);
    } else {
        enter_lobby(null);
    }
    release(null);
    return G_SOURCE_REMOVE;
}

/* --- replies --- */

static gboolean on_replies_due(gpointer user_data)
{
    Null *null = g_rc_box_acquire(user_data);
    null->reply_id = 0;
    set_microphone_open(null, null->microphone_asked);
    while (null->phase == PHASE_CALL && !g_queue_is_empty(&null->echoes)) {
        g_autofree char *text = g_queue_pop_head(&null->echoes);
        null->events.on_chat(null->self_id, null->bot_name, text, null->user_data);
    }
    release(null);
    return G_SOURCE_REMOVE;
}

static void reply_soon(Null *null)
{
    if (null->reply_id == 0) {
        null->reply_id = g_idle_add(on_replies_due, null);
    }
}

/* --- the interface --- */

/* False when the sender is gone. */
static bool on_frame(MediaEncodedFrame *frame, gpointer user_data)
{
    Null *null = g_rc_box_acquire(user_data);
    get_report(null)->n_frames++;
    null->events.on_frame(frame, null->user_data);
    bool alive = null->phase != PHASE_OVER;
    release(null);
    return alive;
}

static Platform *null_create(const PlatformConfig *config, const char *url,
                             const PlatformEvents *events, gpointer user_data, GError **error)
{
    NullMeeting *meeting = null_meeting_open(config->null_dir, url, error);
    if (meeting == NULL) {
        return NULL;
    }
    Null *null = g_rc_box_new0(Null);
    null->base.impl = &null_impl;
    null->events = *events;
    null->user_data = user_data;
    null->meeting = meeting;
    null->bot_name = g_strdup(config->bot_name);
    null->want_microphone = config->want_microphone;
    null->want_page = config->capture == PLATFORM_CAPTURE_SCREEN;
    null->sender =
        null_sender_new(config->live ? LIVE_BATCH_MS : RECORDED_BATCH_MS, on_frame, null);
    NullCrowdConfig crowd = {.document = get_document(null),
                             .sender = null->sender,
                             .want_video = config->want_video,
                             .events = &null->events,
                             .user_data = user_data};
    null->crowd = null_crowd_new(&crowd);
    NullRecording recording = get_document(null)->recording;
    null->recording_decided = recording != NULL_RECORDING_LATER;
    null->recording_allowed = recording == NULL_RECORDING_GRANTED;
    g_queue_init(&null->echoes);
    return &null->base;
}

static void null_destroy(Platform *platform)
{
    Null *null = to_null(platform);
    null->phase = PHASE_OVER;
    stop(null);
    release(null);
}

static void null_join(Platform *platform)
{
    Null *null = to_null(platform);
    g_return_if_fail(null->phase == PHASE_NEW);
    null->phase = PHASE_JOINING;
    null->self_id = g_strdup_printf("bot-%u", ++get_report(null)->n_joins);
    arm_timer(null, get_document(null)->joining_us, on_joining_done);
}

static gboolean on_leaving_done(gpointer user_data)
{
    Null *null = g_rc_box_acquire(user_data);
    null->timer_id = 0;
    report_left(null, PLATFORM_LEFT_REQUESTED, "left as asked");
    release(null);
    return G_SOURCE_REMOVE;
}

static void null_leave(Platform *platform)
{
    Null *null = to_null(platform);
    if (null->phase == PHASE_JOINING || null->phase == PHASE_LOBBY || null->phase == PHASE_CALL) {
        null->phase = PHASE_LEAVING;
        stop(null);
        arm_timer(null, get_document(null)->leaving_us, on_leaving_done);
    }
}

static void null_send_chat(Platform *platform, const char *text, GTask *given)
{
    Null *null = to_null(platform);
    g_autoptr(GTask) task = given;
    if (null->phase != PHASE_CALL) {
        g_task_return_new_error(task, PLATFORM_ERROR, PLATFORM_ERROR_STATE,
                                "the bot is not in the call");
    } else if (null->chat_stopped) {
        g_task_return_new_error(task, PLATFORM_ERROR, PLATFORM_ERROR_TIMEOUT,
                                "the chat did not take the message");
    } else {
        g_ptr_array_add(get_report(null)->chat, g_strdup(text));
        g_queue_push_tail(&null->echoes, g_strdup(text));
        reply_soon(null);
        g_task_return_boolean(task, TRUE);
    }
}

static void null_request_key_frame(Platform *platform, uint32_t track_id)
{
    Null *null = to_null(platform);
    get_report(null)->n_key_frame_requests++;
    null_sender_hurry_picture(null->sender, track_id);
}

static void null_set_microphone(Platform *platform, bool open)
{
    Null *null = to_null(platform);
    null->microphone_asked = open && null->want_microphone;
    if (null->phase == PHASE_CALL) {
        reply_soon(null);
    }
}

static bool null_speak(Platform *platform, const int16_t *samples, size_t n_samples, GError **error)
{
    Null *null = to_null(platform);
    if (null->phase != PHASE_CALL) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_STATE,
                            "the bot is not in the call");
        return false;
    }
    get_report(null)->n_said_samples += null->microphone_open ? n_samples : 0;
    return true;
}

static void null_stop_speaking(Platform *platform)
{
    get_report(to_null(platform))->n_speech_stops++;
}

static void null_show_picture(Platform *platform, GBytes *jpeg)
{
    get_report(to_null(platform))->n_pictures++;
}

static void null_screenshot(Platform *platform, const char *path, GTask *given)
{
    Null *null = to_null(platform);
    g_autoptr(GTask) task = given;
    g_autoptr(GError) error = NULL;
    if (null->phase == PHASE_NEW || null->phase == PHASE_OVER) {
        g_task_return_new_error(task, PLATFORM_ERROR, PLATFORM_ERROR_STATE, "there is no meeting");
    } else if (!g_file_set_contents(path, (const char *)screenshot_png, sizeof screenshot_png,
                                    &error)) {
        g_task_return_error(task, g_steal_pointer(&error));
    } else {
        g_task_return_boolean(task, TRUE);
    }
}

const PlatformImpl null_impl = {
    .name = "null",
    .create = null_create,
    .destroy = null_destroy,
    .join = null_join,
    .leave = null_leave,
    .send_chat = null_send_chat,
    .request_key_frame = null_request_key_frame,
    .set_microphone = null_set_microphone,
    .speak = null_speak,
    .stop_speaking = null_stop_speaking,
    .show_picture = null_show_picture,
    .screenshot = null_screenshot,
};
