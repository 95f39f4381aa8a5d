/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/session_priv.h"

#include <string.h>

#define SPEAKERS_EVERY_MS 50 /* at most 20 messages a second */

/* --- speaker messages --- */

/* Everybody once: who shares a voice is listed with it. */
static bool is_listed(const BotPerson *person)
{
    return person->present && person->name[0] != '\0' && person->room_id == 0;
}

static void send_speakers(BotSession *session)
{
    guint n = bot_roster_length(session->roster);
    g_autofree StreamingSpeaker *speakers = g_new0(StreamingSpeaker, n + 1);
    g_autoptr(GString) key = g_string_new(NULL);
    gsize n_listed = 0;
    for (guint i = 0; i < n; i++) {
        const BotPerson *person = bot_roster_nth(session->roster, i);
        if (is_listed(person)) {
            speakers[n_listed++] = (StreamingSpeaker){person->name, person->id, person->speaking};
            g_string_append_printf(key, "%u%c%s\n", person->id, person->speaking ? '+' : '-',
                                   person->name);
        }
    }
    if (n_listed == 0 || g_strcmp0(key->str, session->speakers_key) == 0) {
        return;
    }
    g_free(session->speakers_key);
    session->speakers_key = g_string_free(g_steal_pointer(&key), FALSE);
    session->speakers_sent_us = g_get_monotonic_time();
    streaming_client_set_speakers(session->streaming, speakers, n_listed, g_get_real_time() / 1000);
}

static gboolean on_speakers_due(gpointer user_data)
{
    BotSession *session = user_data;
    session->speakers_id = 0;
    send_speakers(session);
    return G_SOURCE_REMOVE;
}

/* Never before admission: consumers take the first list as "the bot is in". */
void bot_session_roster_changed(BotSession *session)
{
    bool live = session->state == BOT_STATE_JOINED_NOT_RECORDING ||
                session->state == BOT_STATE_JOINED_RECORDING;
    if (session->streaming == NULL || !live || session->speakers_id != 0) {
        return;
    }
    int64_t since_ms = (g_get_monotonic_time() - session->speakers_sent_us) / 1000;
    if (since_ms >= SPEAKERS_EVERY_MS) {
        send_speakers(session);
    } else {
        session->speakers_id =
            g_timeout_add((guint)(SPEAKERS_EVERY_MS - since_ms), on_speakers_due, session);
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
    bot_voices_take_speech(session->voices, speech, g_get_monotonic_time());
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

static int64_t to_unix_us(int64_t monotonic_ns)
{
    return g_get_real_time() - (g_get_monotonic_time() - monotonic_ns / 1000);
}

/* Thread: the stream playout's. */
static void on_pcm(const int16_t *samples, size_t n_samples, uint64_t first_sample,
                   gpointer user_data)
{
    BotSession *session = user_data;
    int64_t length_us = (int64_t)n_samples * G_USEC_PER_SEC / session->config->stream_rate_hz;
    StreamingBlock block = {
        .samples = samples,
        .n_samples = n_samples,
        .first_sample = first_sample,
        .capture_unix_us = g_get_real_time() - length_us,
        .is_mix = true,
    };
    streaming_client_push(session->streaming, &block);
}

/* Thread: the stream playout's. */
static void on_voice(uint32_t source, uint32_t participant_id, const int16_t *samples,
                     size_t n_samples, uint64_t first_sample, int64_t at_ns, gpointer user_data)
{
    BotSession *session = user_data;
    StreamingBlock block = {
        .samples = samples,
        .n_samples = n_samples,
        .first_sample = first_sample,
        .capture_unix_us = to_unix_us(at_ns),
        .participant_id = participant_id,
        .source = source,
    };
    streaming_client_push(session->streaming, &block);
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

/* --- the live sockets and the bot's own speech --- */

static void on_connection(const char *url, bool connected, const char *reason, gpointer user_data)
{
    BotSession *session = user_data;
    if (connected) {
        g_info("live socket open");
        return;
    }
    g_autofree char *message =
        g_strdup_printf("A live socket is away (%s); it is dialled again.", reason);
    bot_session_warn(session, "streaming_disconnected", message);
}

static void on_stream_speech(gpointer user_data)
{
    BotSession *session = user_data;
    bot_speech_player_wake(session->player);
}

static void on_flush(gpointer user_data)
{
    BotSession *session = user_data;
    bot_speech_player_stop(session->player);
}

static void on_dropped(uint64_t n_frames, uint64_t n_speech, gpointer user_data)
{
    if (n_frames > 0) {
        g_autofree char *message = g_strdup_printf(
            "The consumer of the live audio was away or is too slow: %" G_GUINT64_FORMAT
            " messages dropped.",
            n_frames);
        bot_session_warn(user_data, "streaming_dropped", message);
    }
    if (n_speech > 0) {
        g_autofree char *message = g_strdup_printf(
            "More than three minutes of speech waited: %" G_GUINT64_FORMAT " samples dropped.",
            n_speech);
        bot_session_warn(user_data, "speech_dropped", message);
    }
}

static const StreamingEvents stream_events = {
    .on_connection = on_connection,
    .on_speech = on_stream_speech,
    .on_flush = on_flush,
    .on_dropped = on_dropped,
};

static gsize player_pull(int16_t *ret_samples, gsize max_samples, uint32_t *ret_rate_hz,
                         gpointer user_data)
{
    BotSession *session = user_data;
    return session->streaming != NULL ? streaming_client_pop_speech(session->streaming, ret_samples,
                                                                    max_samples, ret_rate_hz)
                                      : 0;
}

static void player_set_microphone(bool open, gpointer user_data)
{
    BotSession *session = user_data;
    if (session->platform != NULL) {
        platform_set_microphone(session->platform, open);
    }
}

static void player_play(const int16_t *samples, gsize n_samples, gpointer user_data)
{
    BotSession *session = user_data;
    g_autoptr(GError) error = NULL;
    if (session->platform != NULL &&
        !platform_speak(session->platform, samples, n_samples, &error)) {
        g_debug("speech not played: %s", error->message);
    }
}

static void player_stop(gpointer user_data)
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

static void player_started(gpointer user_data)
{
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "op", "started");
    emit_bot_speech(user_data, members);
}

static void player_finished(double said_s, bool interrupted, gpointer user_data)
{
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "op", "finished");
    json_object_set_double_member(members, "said_s", to_s((int64_t)(said_s * 1e9)));
    json_object_set_boolean_member(members, "interrupted", interrupted);
    emit_bot_speech(user_data, members);
}

static const BotSpeechPlayerEvents player_events = {
    .pull = player_pull,
    .set_microphone = player_set_microphone,
    .play = player_play,
    .stop = player_stop,
    .on_started = player_started,
    .on_finished = player_finished,
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
    session->engine = media_engine_new(&engine, &engine_events, session, error);
    if (session->engine == NULL) {
        return false;
    }
    session->voices = bot_voices_new(session->roster, &voices_events, session);
    session->player = bot_speech_player_new(&player_events, session);
    if (!listened) {
        return true;
    }
    StreamingConfig streaming = {
        .bot_id = config->bot_id,
        .input = config->stream_input,
        .output = config->stream_output,
        .service_directions = config->stream_service_directions,
        .rate_hz = config->stream_rate_hz,
        .headers = config->stream_headers,
        .token = config->stream_token,
        .format = config->stream_attendee ? STREAMING_FORMAT_ATTENDEE : STREAMING_FORMAT_RAW,
        .per_participant = config->stream_per_participant,
        .replay_s = config->stream_replay_s,
    };
    session->streaming = streaming_client_new(&streaming, &stream_events, session, error);
    return session->streaming != NULL;
}

void bot_session_start_stream(BotSession *session)
{
    media_engine_start_stream(session->engine);
    bot_speech_player_set_joined(session->player, true);
    bot_session_roster_changed(session);
}

void bot_session_stop_stream(BotSession *session)
{
    if (session->engine != NULL) {
        media_engine_pause_stream(session->engine, true);
    }
    if (session->player != NULL) {
        bot_speech_player_set_joined(session->player, false);
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
