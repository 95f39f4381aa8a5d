/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/session_priv.h"

#include <string.h>

/* Never before admission: consumers take the first list as "the bot is in". */
void bot_session_roster_changed(BotSession *session)
{
    bool in_call = session->state == BOT_STATE_JOINED_NOT_RECORDING ||
                   session->state == BOT_STATE_JOINED_RECORDING;
    if (in_call && session->live != NULL) {
        bot_live_report_speakers(session->live);
    }
}

/* --- who speaks --- */

/* Milliseconds are as exact as the times are. */
static double to_s(int64_t ns)
{
    int64_t ms = ns / 1000000;
    return (double)ms / 1000.0;
}

static void emit_speech(BotSession *session, uint32_t person_id, bool speaking,
                        int64_t recording_ns)
{
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "op", speaking ? "start" : "stop");
    json_object_set_int_member(members, "id", person_id);
    if (recording_ns >= 0) {
        json_object_set_double_member(members, "at_s", to_s(recording_ns));
    } else {
        json_object_set_null_member(members, "at_s");
    }
    bot_event_log_emit(session->log, "speech", members);
}

static BotMoment now(BotSession *session)
{
    return (BotMoment){g_get_monotonic_time(), media_engine_get_recording_time_ns(session->engine)};
}

static void on_bound(uint32_t source, uint32_t person_id, gpointer user_data)
{
    BotSession *session = user_data;
    media_engine_bind_audio(session->engine, source, person_id);
}

static void on_own(uint32_t source, gpointer user_data)
{
    BotSession *session = user_data;
    media_engine_ignore_audio(session->engine, source);
}

static void on_speaking(uint32_t person_id, bool speaking, int64_t recording_ns, gpointer user_data)
{
    BotSession *session = user_data;
    emit_speech(session, person_id, speaking, recording_ns);
    bot_session_roster_changed(session);
}

static void on_numbered(const BotPerson *person, gpointer user_data)
{
    BotSession *session = user_data;
    bot_session_count_company(session);
    bot_session_roster_changed(session);
}

static const BotVoicesEvents voices_events = {
    .on_bound = on_bound,
    .on_own = on_own,
    .on_speaking = on_speaking,
    .on_numbered = on_numbered,
};

void bot_session_bind_voice(BotSession *session, uint32_t source, uint32_t person_id)
{
    bot_voices_bind(session->voices, source, person_id, now(session));
}

void bot_session_ignore_voice(BotSession *session, uint32_t source)
{
    bot_voices_ignore(session->voices, source, now(session));
}

void bot_session_check_voices(BotSession *session)
{
    if (session->engine != NULL) {
        bot_voices_check(session->voices, now(session));
    }
}

void bot_session_lose_media(BotSession *session)
{
    bot_voices_reset(session->voices, now(session));
    media_engine_end_all_tracks(session->engine);
}

static void on_speech(const MediaSpeech *speech, gpointer user_data)
{
    BotSession *session = user_data;
    if (!session->ended) { /* "ended" is the last event */
        bot_voices_take_speech(session->voices, speech, g_get_monotonic_time());
    }
}

/* --- the engine --- */

static void emit_recording(BotSession *session, const char *op, int64_t recording_ns)
{
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "op", op);
    json_object_set_double_member(members, "at_s", to_s(recording_ns));
    if (strcmp(op, "started") == 0) { /* zero itself: the event comes a moment later */
        json_object_set_int_member(members, "start_time", session->recording_started_unix_ms);
    }
    bot_event_log_emit(session->log, "recording", members);
}

static void on_recording(MediaRecordingOp op, int64_t recording_ns, gpointer user_data)
{
    BotSession *session = user_data;
    switch (op) {
    case MEDIA_RECORDING_STARTED:
        emit_recording(session, "started", recording_ns);
        break;
    case MEDIA_RECORDING_PAUSED:
        emit_recording(session, "paused", recording_ns);
        break;
    case MEDIA_RECORDING_RESUMED:
        emit_recording(session, "resumed", recording_ns);
        break;
    case MEDIA_RECORDING_STOPPED:
        bot_session_engine_stopped(session);
        break;
    }
}

static void on_key_frame_wanted(uint32_t track_id, gpointer user_data)
{
    BotSession *session = user_data;
    if (session->platform != NULL) {
        platform_request_key_frame(session->platform, track_id);
    }
}

static void on_engine_warning(const char *code, const char *message, gpointer user_data)
{
    bot_session_warn(user_data, code, message);
}

static void on_engine_error(const GError *error, gpointer user_data)
{
    BotSession *session = user_data;
    const char *code = error->domain == MEDIA_ERROR ? media_error_to_string((MediaError)error->code)
                                                    : "recording_failed";
    bot_session_warn(session, code, error->message);
    bot_session_end(session, BOT_OUTCOME_RECORDING_FAILED, error->message);
}

/* Thread: the stream playout's. */
static void on_pcm(const int16_t *samples, size_t n_samples, uint64_t first_sample,
                   gpointer user_data)
{
    BotSession *session = user_data;
    bot_live_push_mix(session->live, samples, n_samples, first_sample);
}

/* Thread: the stream playout's. */
static void on_voice(uint32_t source, uint32_t participant_id, const int16_t *samples,
                     size_t n_samples, uint64_t first_sample, int64_t at_ns, gpointer user_data)
{
    BotSession *session = user_data;
    bot_live_push_voice(session->live, source, participant_id, samples, n_samples, first_sample,
                        at_ns);
}

static const MediaEngineEvents engine_events = {
    .on_pcm = on_pcm,
    .on_voice = on_voice,
    .on_speech = on_speech,
    .on_recording = on_recording,
    .on_key_frame_wanted = on_key_frame_wanted,
    .on_warning = on_engine_warning,
    .on_error = on_engine_error,
};

/* --- the bot's own speech --- */

static void set_microphone(bool open, gpointer user_data)
{
    BotSession *session = user_data;
    if (session->platform != NULL) {
        platform_set_microphone(session->platform, open);
    }
}

static void play(const int16_t *samples, gsize n_samples, gpointer user_data)
{
    BotSession *session = user_data;
    g_autoptr(GError) error = NULL;
    if (session->platform != NULL &&
        !platform_speak(session->platform, samples, n_samples, &error)) {
        g_debug("speech not played: %s", error->message);
    }
}

static void stop_playing(gpointer user_data)
{
    BotSession *session = user_data;
    if (session->platform != NULL) {
        platform_stop_speaking(session->platform);
    }
}

static void emit_bot_speech(BotSession *session, JsonObject *members)
{
    json_object_set_double_member(members, "at_s", bot_session_recording_s(session));
    bot_event_log_emit(session->log, "bot_speech", members);
}

static void on_speech_started(gpointer user_data)
{
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "op", "started");
    emit_bot_speech(user_data, members);
}

static void on_speech_finished(double said_s, bool interrupted, gpointer user_data)
{
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "op", "finished");
    json_object_set_double_member(members, "said_s", to_s((int64_t)(said_s * 1e9)));
    json_object_set_boolean_member(members, "interrupted", interrupted);
    emit_bot_speech(user_data, members);
}

static const BotLiveEvents live_events = {
    .set_microphone = set_microphone,
    .play = play,
    .stop = stop_playing,
    .on_speech_started = on_speech_started,
    .on_speech_finished = on_speech_finished,
    .on_warning = on_engine_warning,
};

bool bot_session_open_media(BotSession *session, GError **error)
{
    const BotConfig *config = session->config;
    bool listened = bot_config_is_listened(config);
    MediaEngineConfig engine = {
        .mode = config->mode == BOT_MODE_AUDIO_ONLY     ? MEDIA_MODE_AUDIO_ONLY
                : config->mode == BOT_MODE_GALLERY_VIEW ? MEDIA_MODE_GALLERY_VIEW
                                                        : MEDIA_MODE_SPEAKER_VIEW,
        .output_dir = config->output_dir,
        .width = config->width,
        .height = config->height,
        .fps = config->fps,
        .video_bitrate_bps = config->video_bitrate_bps,
        .video_quantizer = config->quality,
        .encoder = config->encoder,
        .audio_wav = config->audio_wav,
        .separate_audio = config->separate_audio,
        .screenshots_s = config->screenshots_s,
        .stream_rate_hz = listened ? config->stream_rate_hz : 0,
        .stream_frame_ms = config->stream_frame_ms,
        .stream_voices = config->stream_per_participant,
    };
    session->live = bot_live_new(config, session->roster, &live_events, session, error);
    if (session->live == NULL) {
        return false;
    }
    session->engine = media_engine_new(&engine, &engine_events, session, error);
    if (session->engine == NULL) {
        return false;
    }
    session->voices = bot_voices_new(session->roster, &voices_events, session);
    return true;
}

void bot_session_start_stream(BotSession *session)
{
    media_engine_start_stream(session->engine);
    bot_live_set_joined(session->live, true);
    bot_session_roster_changed(session);
}

void bot_session_stop_stream(BotSession *session)
{
    if (session->engine != NULL) {
        media_engine_pause_stream(session->engine, true);
    }
    if (session->live != NULL) {
        bot_live_set_joined(session->live, false);
    }
}

void bot_session_start_recording(BotSession *session)
{
    if (session->recording_begun) {
        bot_session_pause(session, false);
        return;
    }
    g_autoptr(GError) error = NULL;
    int64_t now_us = g_get_monotonic_time(); /* zero is now; making the files takes a moment */
    int64_t now_unix_ms = g_get_real_time() / 1000;
    if (!media_engine_start_recording(session->engine, &error)) {
        bot_session_end(session, BOT_OUTCOME_RECORDING_FAILED, error->message);
        return;
    }
    session->recording_begun = true;
    media_engine_pause_stream(session->engine, false); /* it may have been refused before */
    session->recording_started_us = now_us;
    session->recording_started_unix_ms = now_unix_ms;
    bot_delivery_send_ahead(session->delivery);
    bot_session_report_code(session, "in_call_recording");
}

void bot_session_pause(BotSession *session, bool paused)
{
    media_engine_pause_stream(session->engine, paused);
    if (!session->recording_begun) {
        return;
    }
    if (paused) {
        media_engine_pause_recording(session->engine);
    } else {
        media_engine_resume_recording(session->engine);
        bot_session_roster_changed(session);
    }
}
