/* SPDX-License-Identifier: Apache-2.0 */
#include "media/engine.h"

#include "media/engine_priv.h"
#include "media/outlet.h"
#include "media/record_playout.h"
#include "media/recorder.h"
#include "media/stall.h"
#include "media/stream_playout.h"

#include <errno.h>
#include <string.h>

/* Frames that wait for a playout thread. Past it the newest are refused: a stuck encoder must not
 * eat the machine. */
#define MAX_WAITING_BYTES (64 * 1024 * 1024)
#define FRAME_OVERHEAD 256
#define RECORD_TICK_NS INT64_C(100000000)
/* What a page says about receive times is believed within this. */
#define MAX_AGE_NS INT64_C(5000000000)

typedef enum {
    MAIL_FRAME,
    MAIL_PARTICIPANT,
    MAIL_ROOM,
    MAIL_VIDEO,
    MAIL_END_TRACK,
    MAIL_END_ALL_TRACKS,
    MAIL_HINT,
    MAIL_IGNORE,
    MAIL_FLOW,
    MAIL_STOP
} MailKind;

typedef struct {
    MailKind kind;
    int64_t at_ns;
    MediaEncodedFrame *frame;          /* owned */
    uint32_t track_id, participant_id; /* MAIL_IGNORE: track_id is the source */
    uint32_t room_id;
    char *name; /* owned */
    bool present, muted, is_screen, active, flowing, at_once;
} Mail;

struct MediaEngine {
    MediaEngineConfig config; /* with owned strings */
    MediaEngineEvents events;
    gpointer user_data;
    MediaOutlet *outlet; /* owned */
    MediaLedger *ledger; /* owned */
    bool manual;
    GThread *stream_thread, *record_thread; /* owned; NULL on a manual clock */
    /* main thread only */
    bool recording, paused;

    GMutex record_lock; /* before lock */
    /* --- protected by record_lock */
    MediaRecordPlayout *record; /* owned */

    /* the stream thread's */
    MediaStreamPlayout *stream; /* owned; NULL when nobody listens */

    GMutex lock;
    GCond wake, stream_wake;
    /* --- protected by lock */
    GQueue stream_mail, record_mail; /* owned Mail */
    size_t waiting_bytes;
    bool quit;
    int64_t manual_now_ns;
    uint64_t n_pushed, n_refused;
    MediaRecordPlayoutStats record_stats;
    MediaMixerStats stream_stats;
    double stream_level_db;
    GstBuffer *picture; /* owned: recorded last */
    GstVideoInfo picture_info;
};

static int64_t now_of(MediaEngine *engine)
{
    if (!engine->manual) {
        return g_get_monotonic_time() * 1000;
    }
    g_mutex_lock(&engine->lock);
    int64_t now_ns = engine->manual_now_ns;
    g_mutex_unlock(&engine->lock);
    return now_ns;
}

static int64_t next_grid(int64_t now_ns)
{
    return (now_ns + MEDIA_GRID_NS - 1) / MEDIA_GRID_NS * MEDIA_GRID_NS;
}

static void mail_free(Mail *mail)
{
    g_clear_pointer(&mail->frame, media_encoded_frame_unref);
    g_free(mail->name);
    g_free(mail);
}

static void post(MediaEngine *engine, const Mail *content)
{
    Mail *mail = g_memdup2(content, sizeof *content);
    g_mutex_lock(&engine->lock);
    g_queue_push_tail(&engine->record_mail, mail);
    g_mutex_unlock(&engine->lock);
}

/* --- events of the playouts ------------------------------------------------------------------ */

static void report_speech(MediaEngine *engine, uint32_t source, bool speaking, int64_t at_ns)
{
    MediaSpeech speech = {
        .source = source,
        .participant_id = media_ledger_participant(engine->ledger, source, at_ns),
        .speaking = speaking,
        .at_ns = at_ns,
        .recording_ns = media_ledger_to_recording(engine->ledger, at_ns),
    };
    media_outlet_speech(engine->outlet, &speech);
}

static void on_stream_speech(uint32_t source, bool speaking, int64_t at_ns, gpointer user_data)
{
    report_speech(user_data, source, speaking, at_ns);
}

static void on_record_speech(uint32_t source, bool speaking, int64_t at_ns, gpointer user_data)
{
    MediaEngine *engine = user_data;
    if (engine->stream == NULL) {
        report_speech(engine, source, speaking, at_ns);
    }
}

static void on_stream_pcm(const int16_t *samples, size_t n_samples, uint64_t first_sample,
                          gpointer user_data)
{
    MediaEngine *engine = user_data;
    if (engine->events.on_pcm != NULL) {
        engine->events.on_pcm(samples, n_samples, first_sample, engine->user_data);
    }
}

static void on_stream_voice(uint32_t source, const int16_t *samples, size_t n_samples,
                            uint64_t first_sample, int64_t at_ns, gpointer user_data)
{
    MediaEngine *engine = user_data;
    uint32_t participant_id = media_ledger_participant(engine->ledger, source, at_ns);
    engine->events.on_voice(source, participant_id, samples, n_samples, first_sample, at_ns,
                            engine->user_data);
}

static void on_record_stopped(int64_t recorded_ns, gpointer user_data)
{
    MediaEngine *engine = user_data;
    media_outlet_recording(engine->outlet, MEDIA_RECORDING_STOPPED, recorded_ns);
}

static void on_record_error(const GError *error, gpointer user_data)
{
    MediaEngine *engine = user_data;
    media_outlet_error(engine->outlet, error);
}

static void on_record_key_frame_wanted(uint32_t track_id, gpointer user_data)
{
    MediaEngine *engine = user_data;
    media_outlet_key_frame_wanted(engine->outlet, track_id);
}

static void on_record_warning(const char *code, const char *message, gpointer user_data)
{
    MediaEngine *engine = user_data;
    media_outlet_warning(engine->outlet, code, message);
}

static const MediaStreamPlayoutEvents stream_events = {on_stream_pcm, on_stream_speech, NULL};
static const MediaStreamPlayoutEvents voice_events = {on_stream_pcm, on_stream_speech,
                                                      on_stream_voice};
static const MediaRecordPlayoutEvents record_events = {on_record_speech, on_record_key_frame_wanted,
                                                       on_record_warning, on_record_stopped,
                                                       on_record_error};

/* --- the playouts' threads ------------------------------------------------------------------- */

static GQueue take_mail(MediaEngine *engine, GQueue *mail)
{
    g_mutex_lock(&engine->lock);
    GQueue taken = *mail;
    g_queue_init(mail);
    g_mutex_unlock(&engine->lock);
    return taken;
}

static size_t frame_weight(const MediaEncodedFrame *frame)
{
    return g_bytes_get_size(frame->payload) + FRAME_OVERHEAD;
}

static int64_t advance_stream(MediaEngine *engine, int64_t now_ns)
{
    GQueue mail = take_mail(engine, &engine->stream_mail);
    MediaMixer *mixer = media_stream_playout_mixer(engine->stream);
    Mail *item;
    while ((item = g_queue_pop_head(&mail)) != NULL) {
        if (item->kind == MAIL_FRAME) {
            media_mixer_push(mixer, item->frame, item->at_ns);
        } else if (item->kind == MAIL_IGNORE) {
            media_mixer_ignore(mixer, item->track_id);
        } else if (item->kind == MAIL_FLOW) {
            media_stream_playout_set_flowing(engine->stream, item->flowing, item->at_ns);
        } else if (item->kind == MAIL_END_ALL_TRACKS) {
            media_mixer_end_all_tracks(mixer);
        } else {
            media_mixer_end_track(mixer, item->track_id);
        }
        mail_free(item);
    }
    int64_t next_ns = media_stream_playout_advance(engine->stream, now_ns);

    g_mutex_lock(&engine->lock);
    media_mixer_get_stats(mixer, &engine->stream_stats);
    engine->stream_level_db = media_stream_playout_level_db(engine->stream);
    g_mutex_unlock(&engine->lock);
    return next_ns;
}

static void read_record_mail(MediaEngine *engine, Mail *mail)
{
    uint32_t source;
    switch (mail->kind) {
    case MAIL_FRAME:
        media_record_playout_push(engine->record, mail->frame, mail->at_ns);
        break;
    case MAIL_PARTICIPANT:
        media_record_playout_set_participant(engine->record, mail->at_ns, mail->participant_id,
                                             mail->name, mail->present, mail->muted);
        break;
    case MAIL_ROOM:
        media_record_playout_set_room(engine->record, mail->at_ns, mail->participant_id,
                                      mail->room_id);
        break;
    case MAIL_VIDEO:
        media_record_playout_bind_video(engine->record, mail->at_ns, mail->track_id,
                                        mail->participant_id, mail->is_screen, mail->active);
        break;
    case MAIL_END_TRACK:
        media_record_playout_end_track(engine->record, mail->at_ns, mail->track_id);
        break;
    case MAIL_END_ALL_TRACKS:
        media_record_playout_end_all_tracks(engine->record, mail->at_ns);
        break;
    case MAIL_HINT:
        if (media_ledger_source_of(engine->ledger, mail->participant_id, &source)) {
            media_record_playout_hint(engine->record, mail->at_ns, source);
        }
        break;
    case MAIL_IGNORE: /* the stream's only, both */
    case MAIL_FLOW:
        break;
    case MAIL_STOP:
        media_record_playout_stop(engine->record, mail->at_ns, mail->at_once);
        break;
    }
}

static void advance_record(MediaEngine *engine, int64_t now_ns)
{
    GQueue mail = take_mail(engine, &engine->record_mail);
    size_t bytes = 0;
    Mail *item;
    g_mutex_lock(&engine->record_lock);
    while ((item = g_queue_pop_head(&mail)) != NULL) {
        bytes += item->frame != NULL ? frame_weight(item->frame) : 0;
        read_record_mail(engine, item);
        mail_free(item);
    }
    g_mutex_lock(&engine->lock);
    engine->waiting_bytes -= bytes;
    g_mutex_unlock(&engine->lock);
    media_record_playout_advance(engine->record, now_ns);
    MediaRecordPlayoutStats stats;
    GstVideoInfo info;
    media_record_playout_get_stats(engine->record, &stats);
    GstBuffer *picture = media_record_playout_dup_picture(engine->record, &info);
    g_mutex_unlock(&engine->record_lock);

    g_mutex_lock(&engine->lock);
    engine->record_stats = stats;
    if (picture != NULL) {
        gst_buffer_replace(&engine->picture, picture);
        engine->picture_info = info;
    }
    g_mutex_unlock(&engine->lock);
    gst_clear_buffer(&picture);
}

/* Returns false when it is time to go. */
static bool sleep_until(MediaEngine *engine, int64_t until_ns)
{
    g_mutex_lock(&engine->lock);
    while (!engine->quit &&
           g_cond_wait_until(&engine->wake, &engine->lock, (until_ns + 999) / 1000)) {
    }
    bool quit = engine->quit;
    g_mutex_unlock(&engine->lock);
    return !quit;
}

/* Also wakes for what has come. Returns false when it is time to go. */
static bool stream_sleep_until(MediaEngine *engine, int64_t until_ns)
{
    g_mutex_lock(&engine->lock);
    while (!engine->quit && engine->stream_mail.length == 0 &&
           g_cond_wait_until(&engine->stream_wake, &engine->lock, (until_ns + 999) / 1000)) {
    }
    bool quit = engine->quit;
    g_mutex_unlock(&engine->lock);
    return !quit;
}

static gpointer run_stream(gpointer data)
{
    MediaEngine *engine = data;
    MediaStall stall = {0};
    int64_t due_ns = now_of(engine);
    do {
        int64_t now_ns = now_of(engine);
        int64_t played_ns = media_stall_clock(&stall, due_ns, now_ns);
        due_ns = advance_stream(engine, played_ns) + (now_ns - played_ns);
    } while (stream_sleep_until(engine, due_ns));
    return NULL;
}

static gpointer run_record(gpointer data)
{
    MediaEngine *engine = data;
    MediaStall stall = {0};
    int64_t due_ns = now_of(engine);
    do {
        advance_record(engine, media_stall_clock(&stall, due_ns, now_of(engine)));
        due_ns = now_of(engine) + RECORD_TICK_NS;
    } while (sleep_until(engine, due_ns));
    return NULL;
}

/* --- the engine ------------------------------------------------------------------------------ */

static bool check_config(const MediaEngineConfig *config, GError **error)
{
    if (!media_recorder_check(config->mode, config->encoder, error)) {
        return false;
    }
    if (g_mkdir_with_parents(config->output_dir, 0755) != 0) {
        return media_set_errno(error, config->output_dir, errno);
    }
    return true;
}

static MediaEngine *engine_new(const MediaEngineConfig *config, const MediaEngineEvents *events,
                               gpointer user_data, bool manual, int64_t now_ns, GError **error)
{
    if (!media_init(error) || !check_config(config, error)) {
        return NULL;
    }
    MediaEngine *engine = g_new0(MediaEngine, 1);
    engine->config = *config;
    engine->config.output_dir = g_strdup(config->output_dir);
    engine->config.encoder = g_strdup(config->encoder);
    engine->config.fps = (uint8_t)CLAMP(config->fps, 5, 30);
    engine->config.stream_frame_ms = (uint16_t)CLAMP(config->stream_frame_ms, 10, 100);
    engine->events = *events;
    engine->user_data = user_data;
    engine->manual = manual;
    engine->manual_now_ns = now_ns;
    engine->outlet = media_outlet_new(&engine->events, user_data);
    engine->ledger = media_ledger_new();
    g_mutex_init(&engine->lock);
    g_mutex_init(&engine->record_lock);
    g_cond_init(&engine->wake);
    g_cond_init(&engine->stream_wake);
    g_queue_init(&engine->stream_mail);
    g_queue_init(&engine->record_mail);
    engine->stream_level_db = -96;
    engine->record_stats.last_speech_ns = now_ns;
    engine->record =
        media_record_playout_new(&engine->config, engine->ledger, now_ns, &record_events, engine);
    if (config->stream_rate_hz > 0) {
        engine->stream = media_stream_playout_new(
            config->stream_rate_hz, engine->config.stream_frame_ms, now_ns,
            config->stream_voices && events->on_voice != NULL ? &voice_events : &stream_events,
            engine);
    }
    return engine;
}

MediaEngine *media_engine_new_manual(const MediaEngineConfig *config,
                                     const MediaEngineEvents *events, gpointer user_data,
                                     int64_t now_ns, GError **error)
{
    return engine_new(config, events, user_data, true, now_ns, error);
}

MediaEngine *media_engine_new(const MediaEngineConfig *config, const MediaEngineEvents *events,
                              gpointer user_data, GError **error)
{
    MediaEngine *engine =
        engine_new(config, events, user_data, false, g_get_monotonic_time() * 1000, error);
    if (engine != NULL) {
        engine->record_thread = g_thread_new("record", run_record, engine);
        if (engine->stream != NULL) {
            engine->stream_thread = g_thread_new("stream", run_stream, engine);
        }
    }
    return engine;
}

void media_engine_free(MediaEngine *engine)
{
    g_mutex_lock(&engine->lock);
    engine->quit = true;
    g_cond_broadcast(&engine->wake);
    g_cond_broadcast(&engine->stream_wake);
    g_mutex_unlock(&engine->lock);
    g_clear_pointer(&engine->record_thread, g_thread_join);
    g_clear_pointer(&engine->stream_thread, g_thread_join);
    media_outlet_close(engine->outlet);
    media_record_playout_free(engine->record);
    g_clear_pointer(&engine->stream, media_stream_playout_free);
    media_ledger_free(engine->ledger);
    g_queue_clear_full(&engine->stream_mail, (GDestroyNotify)mail_free);
    g_queue_clear_full(&engine->record_mail, (GDestroyNotify)mail_free);
    gst_clear_buffer(&engine->picture);
    g_mutex_clear(&engine->lock);
    g_mutex_clear(&engine->record_lock);
    g_cond_clear(&engine->wake);
    g_cond_clear(&engine->stream_wake);
    g_free((char *)engine->config.output_dir);
    g_free((char *)engine->config.encoder);
    g_free(engine);
}

void media_engine_advance(MediaEngine *engine, int64_t now_ns)
{
    g_mutex_lock(&engine->lock);
    engine->manual_now_ns = now_ns;
    g_mutex_unlock(&engine->lock);
    if (engine->stream != NULL) {
        advance_stream(engine, now_ns);
    }
    advance_record(engine, now_ns);
}

static Mail *frame_mail(MediaEncodedFrame *frame, int64_t now_ns)
{
    Mail *mail = g_new0(Mail, 1);
    mail->kind = MAIL_FRAME;
    mail->at_ns = now_ns;
    mail->frame = media_encoded_frame_ref(frame);
    return mail;
}

void media_engine_push(MediaEngine *engine, MediaEncodedFrame *frame)
{
    int64_t now_ns = now_of(engine);
    bool is_video = media_codec_is_video(frame->codec);
    bool wanted = frame->codec != MEDIA_CODEC_NONE &&
                  (!is_video || engine->config.mode != MEDIA_MODE_AUDIO_ONLY) &&
                  frame->receive_ns <= now_ns + MAX_AGE_NS &&
                  frame->receive_ns >= now_ns - MAX_AGE_NS;
    g_mutex_lock(&engine->lock);
    engine->n_pushed++;
    if (!wanted || engine->waiting_bytes > MAX_WAITING_BYTES) {
        engine->n_refused++;
    } else {
        engine->waiting_bytes += frame_weight(frame);
        g_queue_push_tail(&engine->record_mail, frame_mail(frame, now_ns));
        if (engine->stream != NULL && !is_video) {
            g_queue_push_tail(&engine->stream_mail, frame_mail(frame, now_ns));
            g_cond_signal(&engine->stream_wake);
        }
    }
    g_mutex_unlock(&engine->lock);
}

static void post_to_stream(MediaEngine *engine, const Mail *mail)
{
    if (engine->stream != NULL) {
        g_mutex_lock(&engine->lock);
        g_queue_push_tail(&engine->stream_mail, g_memdup2(mail, sizeof *mail));
        g_mutex_unlock(&engine->lock);
    }
}

void media_engine_end_track(MediaEngine *engine, uint32_t track_id)
{
    Mail mail = {.kind = MAIL_END_TRACK, .at_ns = now_of(engine), .track_id = track_id};
    post(engine, &mail);
    post_to_stream(engine, &mail);
}

void media_engine_end_all_tracks(MediaEngine *engine)
{
    Mail mail = {.kind = MAIL_END_ALL_TRACKS, .at_ns = now_of(engine)};
    post(engine, &mail);
    post_to_stream(engine, &mail);
}

void media_engine_ignore_audio(MediaEngine *engine, uint32_t source)
{
    Mail mail = {.kind = MAIL_IGNORE, .at_ns = now_of(engine), .track_id = source};
    post_to_stream(engine, &mail);
}

void media_engine_set_participant(MediaEngine *engine, uint32_t participant_id, const char *name,
                                  bool present, bool muted)
{
    Mail mail = {.kind = MAIL_PARTICIPANT,
                 .at_ns = now_of(engine),
                 .participant_id = participant_id,
                 .name = g_strdup(name),
                 .present = present,
                 .muted = muted};
    post(engine, &mail);
}

void media_engine_set_room(MediaEngine *engine, uint32_t participant_id, uint32_t room_id)
{
    Mail mail = {.kind = MAIL_ROOM,
                 .at_ns = now_of(engine),
                 .participant_id = participant_id,
                 .room_id = room_id};
    post(engine, &mail);
}

void media_engine_bind_audio(MediaEngine *engine, uint32_t source, uint32_t participant_id)
{
    media_ledger_bind(engine->ledger, source, participant_id, now_of(engine));
}

void media_engine_bind_video(MediaEngine *engine, uint32_t track_id, uint32_t participant_id,
                             bool is_screen, bool active)
{
    Mail mail = {.kind = MAIL_VIDEO,
                 .at_ns = now_of(engine),
                 .track_id = track_id,
                 .participant_id = participant_id,
                 .is_screen = is_screen,
                 .active = active};
    post(engine, &mail);
}

void media_engine_hint_speaker(MediaEngine *engine, uint32_t participant_id)
{
    Mail mail = {.kind = MAIL_HINT, .at_ns = now_of(engine), .participant_id = participant_id};
    post(engine, &mail);
}

void media_engine_start_stream(MediaEngine *engine)
{
    media_engine_pause_stream(engine, false);
}

void media_engine_pause_stream(MediaEngine *engine, bool paused)
{
    Mail mail = {.kind = MAIL_FLOW, .at_ns = now_of(engine), .flowing = !paused};
    post_to_stream(engine, &mail);
}

bool media_engine_start_recording(MediaEngine *engine, GError **error)
{
    if (engine->recording) {
        return true;
    }
    g_mutex_lock(&engine->record_lock);
    int64_t at_ns = next_grid(now_of(engine));
    bool started = media_record_playout_start(engine->record, at_ns, error);
    if (started) {
        media_ledger_start(engine->ledger, at_ns);
    }
    g_mutex_unlock(&engine->record_lock);
    if (started) {
        engine->recording = true;
        engine->paused = false;
        media_outlet_recording(engine->outlet, MEDIA_RECORDING_STARTED, 0);
    }
    return started;
}

void media_engine_pause_recording(MediaEngine *engine)
{
    if (!engine->recording || engine->paused) {
        return;
    }
    int64_t at_ns = next_grid(now_of(engine));
    engine->paused = true;
    media_ledger_pause(engine->ledger, at_ns);
    media_outlet_recording(engine->outlet, MEDIA_RECORDING_PAUSED,
                           media_ledger_to_recording(engine->ledger, at_ns));
}

void media_engine_resume_recording(MediaEngine *engine)
{
    if (!engine->recording || !engine->paused) {
        return;
    }
    int64_t at_ns = next_grid(now_of(engine));
    engine->paused = false;
    media_ledger_resume(engine->ledger, at_ns);
    media_outlet_recording(engine->outlet, MEDIA_RECORDING_RESUMED,
                           media_ledger_to_recording(engine->ledger, at_ns));
}

void media_engine_stop_recording(MediaEngine *engine, bool at_once)
{
    if (!engine->recording) {
        return;
    }
    engine->recording = false;
    int64_t at_ns = next_grid(now_of(engine));
    media_ledger_stop(engine->ledger, at_ns);
    Mail mail = {.kind = MAIL_STOP, .at_ns = at_ns, .at_once = at_once};
    post(engine, &mail);
}

GArray *media_engine_dup_segments(MediaEngine *engine)
{
    return media_ledger_dup_segments(engine->ledger, now_of(engine));
}

int64_t media_engine_get_recording_time_ns(MediaEngine *engine)
{
    return media_ledger_to_recording(engine->ledger, now_of(engine));
}

void media_engine_get_stats(MediaEngine *engine, MediaEngineStats *ret_stats)
{
    int64_t now_ns = now_of(engine);
    g_mutex_lock(&engine->lock);
    const MediaRecordPlayoutStats *record = &engine->record_stats;
    bool streaming = engine->stream != NULL;
    *ret_stats = (MediaEngineStats){
        .level_db = streaming ? engine->stream_level_db : record->level_db,
        .active_speaker = record->active_speaker,
        .recorded_ns = record->recorded_ns,
        .stream_depth_ms = (uint32_t)(engine->stream_stats.delay_ns / 1000000),
        .n_frames_pushed = engine->n_pushed,
        .n_frames_late = record->n_frames_late,
        .n_frames_lost = record->n_frames_lost + engine->n_refused,
        .n_frames_concealed = record->n_frames_concealed,
        .n_pictures_encoded = record->n_pictures_encoded,
        .n_pictures_dropped = record->n_pictures_dropped,
        .silence_s = (double)MAX(now_ns - record->last_speech_ns, 0) / 1e9,
    };
    g_mutex_unlock(&engine->lock);
}

bool media_engine_screenshot(MediaEngine *engine, const char *path, GError **error)
{
    g_mutex_lock(&engine->lock);
    g_autoptr(GstBuffer) picture = engine->picture != NULL ? gst_buffer_ref(engine->picture) : NULL;
    GstVideoInfo info = engine->picture_info;
    g_mutex_unlock(&engine->lock);
    if (picture == NULL) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_STOPPED, "nothing has been composed yet");
        return false;
    }
    return media_composer_write_png(&info, picture, path, error);
}
