/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/error.h"
#include "media/frame.h"

#include <gio/gio.h>

/*
 * The media side of one bot: takes tapped frames, attributes them, mixes and streams PCM, tells
 * who speaks, and records. Made on the main thread when the bot starts joining; owns its own
 * playout threads; freed on the main thread.
 *
 * Two playouts run over the same frames. The stream playout hands on what has come at once, waits
 * for what is missing for an adaptive 10 to 80 ms, and ends in on_pcm. The recording playout is
 * about 500 ms behind, so that late packets still count, and ends in the files. Speech events come
 * from the stream playout when it runs, with times on the monotonic clock; the diarization of the
 * recording is exact to the recording playout.
 *
 * Attribution: an audio packet belongs to its (loudest) contributing source, or without one to its
 * SSRC; a packet of a server's mix is the voice of all its contributing sources. A "source" below
 * is that 32-bit number. Participants are the session's integers from 1; a source that nobody has
 * bound yet is mixed, recorded and reported with participant 0.
 */

typedef struct MediaEngine MediaEngine;

typedef enum {
    MEDIA_MODE_SPEAKER_VIEW,
    MEDIA_MODE_GALLERY_VIEW,
    MEDIA_MODE_AUDIO_ONLY,
} MediaMode;

typedef struct {
    MediaMode mode;
    const char *output_dir;     /* copied; working files go to <output_dir>/.work */
    uint16_t width, height;     /* of the picture; 0 = auto, no larger than the largest received */
    uint8_t fps;                /* upper bound of pictures a second, 5..30 */
    uint32_t video_bitrate_bps; /* 0 = constant quality */
    uint8_t video_quantizer;    /* of constant quality, as x264 counts; 0: the usual 24 */
    const char *encoder;        /* "auto", "x264", …; copied */
    bool audio_wav;             /* audio.wav beside the recording */
    bool separate_audio;        /* tracks/<participant>.ogg, as each sent it */
    uint32_t screenshots_s;     /* a PNG of the picture every so often; 0: never */
    uint32_t stream_rate_hz;    /* 0 = nobody listens; else 16000, 24000, 32000, 48000 */
    uint16_t stream_frame_ms;   /* 10..100 */
    bool stream_voices;         /* every voice alone, too: on_voice */
} MediaEngineConfig;

typedef enum {
    MEDIA_RECORDING_STARTED,
    MEDIA_RECORDING_PAUSED,
    MEDIA_RECORDING_RESUMED,
    MEDIA_RECORDING_STOPPED, /* everything is on disk; media_finalize may run */
} MediaRecordingOp;

typedef struct {
    uint32_t source;         /* contributing source, or track when there was none */
    uint32_t participant_id; /* 0 while unknown */
    bool speaking;
    int64_t at_ns;        /* CLOCK_MONOTONIC, on the meeting's time (capture), not the playout's */
    int64_t recording_ns; /* on the recording's time; -1 when nothing is being recorded */
} MediaSpeech;

typedef struct {
    uint32_t source;
    uint32_t participant_id;  /* 0: never bound */
    int64_t start_ns, end_ns; /* on the recording's time */
} MediaSpeechSegment;

/*
 * Every callback except on_pcm comes on the thread-default main context of the creating thread,
 * never from inside a call, and never after media_engine_free.
 */
typedef struct {
    /* Thread: the stream playout's. Continuous from media_engine_start_stream on, silence
     * included; @first_sample counts from 0. Must not block. */
    void (*on_pcm)(const int16_t *samples, size_t n_samples, uint64_t first_sample,
                   gpointer user_data);
    /* Thread: the stream playout's. One voice's part of the block that on_pcm just gave, while it
     * is heard; @at_ns: when its first sample was said, CLOCK_MONOTONIC; @participant_id: 0 while
     * unknown. Must not block. */
    void (*on_voice)(uint32_t source, uint32_t participant_id, const int16_t *samples,
                     size_t n_samples, uint64_t first_sample, int64_t at_ns, gpointer user_data);
    void (*on_speech)(const MediaSpeech *speech, gpointer user_data);
    void (*on_recording)(MediaRecordingOp op, int64_t recording_ns, gpointer user_data);
    /* A picture that is to be seen stands still until this track's next key frame. Once a second at
     * most for each track, until one comes. */
    void (*on_key_frame_wanted)(uint32_t track_id, gpointer user_data);
    /* Something was lost or went another way than asked; the recording goes on. */
    void (*on_warning)(const char *code, const char *message, gpointer user_data);
    /* The recording can't go on (disk full, encoder dead). What there was is kept; stop follows. */
    void (*on_error)(const GError *error, gpointer user_data);
} MediaEngineEvents;

typedef struct {
    double level_db;          /* of the mix, last 100 ms; -96 when silent */
    uint32_t active_speaker;  /* participant id; 0 nobody */
    int64_t recorded_ns;      /* on the recording's time */
    uint32_t stream_depth_ms; /* how long a missing packet is waited for now */
    uint64_t n_frames_pushed, n_frames_late, n_frames_lost, n_frames_concealed;
    uint64_t n_pictures_encoded, n_pictures_dropped;
    double silence_s; /* how long nobody spoke */
} MediaEngineStats;

/**
 * media_engine_new:
 * @config: (transfer none): read during the call
 * @events: (transfer none): a static table; members may be NULL
 *
 * Thread: main. Errors: MEDIA_ERROR_UNSUPPORTED (an encoder or element that is not installed,
 * named), MEDIA_ERROR_IO (the output folder).
 */
MediaEngine *media_engine_new(const MediaEngineConfig *config, const MediaEngineEvents *events,
                              gpointer user_data, GError **error);

/** Stops what runs (files stay, recoverable), joins the threads. Thread: main, also in a callback.
 */
void media_engine_free(MediaEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaEngine, media_engine_free)

/** Take one tapped frame (a reference is kept). Never blocks; bounded. Thread: any. */
void media_engine_push(MediaEngine *engine, MediaEncodedFrame *frame);

/** A track went away; its pending frames still play out. Thread: main. */
void media_engine_end_track(MediaEngine *engine, uint32_t track_id);

/** All tracks went away: the connection to the meeting is lost. Thread: main. */
void media_engine_end_all_tracks(MediaEngine *engine);

/** Name, mute and presence as labels and tiles show them; again to change. Thread: main. */
void media_engine_set_participant(MediaEngine *engine, uint32_t participant_id, const char *name,
                                  bool present, bool muted);

/** What @participant_id says is heard as @room_id, a participant who is nobody but the voice of a
 *  room (0: as their own again). A room has no tile: its members speak. Thread: main. */
void media_engine_set_room(MediaEngine *engine, uint32_t participant_id, uint32_t room_id);

/** @source speaks for @participant_id from now on, and for what it already said when it had nobody.
 *  @participant_id 0: from now on it may be anybody's; the next binding says whose. Thread: main.
 */
void media_engine_bind_audio(MediaEngine *engine, uint32_t source, uint32_t participant_id);

/** @track_id (0: not known yet) shows @participant_id's camera (or screen) instead of the track
 *  that did before; @active false: camera off, show the tile. Thread: main. */
void media_engine_bind_video(MediaEngine *engine, uint32_t track_id, uint32_t participant_id,
                             bool is_screen, bool active);

/** @source is the bot's own voice: it is not streamed. Thread: main. */
void media_engine_ignore_audio(MediaEngine *engine, uint32_t source);

/** The platform's own word on who speaks; a second opinion only. Thread: main. */
void media_engine_hint_speaker(MediaEngine *engine, uint32_t participant_id);

/** PCM flows to on_pcm from now on. No-op without stream_rate_hz. Thread: main. */
void media_engine_start_stream(MediaEngine *engine);
void media_engine_pause_stream(MediaEngine *engine, bool paused);

/** Recording time zero is now. Thread: main. Errors: MEDIA_ERROR_IO, _ENCODER, _DISK_FULL. */
bool media_engine_start_recording(MediaEngine *engine, GError **error);

/** The gap between pause and resume is cut out of the recording. Thread: main. */
void media_engine_pause_recording(MediaEngine *engine);
void media_engine_resume_recording(MediaEngine *engine);

/**
 * media_engine_stop_recording:
 *
 * Plays out what is pending (up to the recording playout's depth), ends the files and then emits
 * MEDIA_RECORDING_STOPPED. @at_once: don't wait for the playout. Thread: main.
 */
void media_engine_stop_recording(MediaEngine *engine, bool at_once);

/**
 * media_engine_dup_segments:
 *
 * Returns (transfer full) (element-type MediaSpeechSegment): who spoke when, on the recording's
 * time, ordered by start, overlaps kept. Complete after MEDIA_RECORDING_STOPPED. Thread: main.
 */
GArray *media_engine_dup_segments(MediaEngine *engine);

/** Now on the recording's time, nanoseconds; -1 when nothing is being recorded. Thread: main. */
int64_t media_engine_get_recording_time_ns(MediaEngine *engine);

void media_engine_get_stats(MediaEngine *engine, MediaEngineStats *ret_stats);

/** Write the composed picture of now as PNG. Thread: main. Errors: MEDIA_ERROR_STOPPED, _IO. */
bool media_engine_screenshot(MediaEngine *engine, const char *path, GError **error);

/** Route GStreamer's and libav's logs into GLib's and initialise both; safe to call twice. */
bool media_init(GError **error);
