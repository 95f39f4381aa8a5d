/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/ledger.h"
#include "media/speech.h"
#include "media/stage.h"

/*
 * The recording playout: sound 400 ms behind the clock, pictures 600 ms, so that late packets still
 * count and the choice of the speaker may look 200 ms ahead of what is shown. Everything is placed
 * by capture time on a grid of 10 ms, so a recording depends only on what came in, not on when this
 * was called. Runs from the start of the bot; records between start and stop. Not thread safe.
 */

typedef struct MediaRecordPlayout MediaRecordPlayout;

#define MEDIA_GRID_NS INT64_C(10000000)

typedef struct {
    MediaSpeechFunc on_speech; /* on the clock */
    void (*on_key_frame_wanted)(uint32_t track_id, gpointer user_data);
    void (*on_warning)(const char *code, const char *message, gpointer user_data);
    void (*on_stopped)(int64_t recorded_ns, gpointer user_data);
    void (*on_error)(const GError *error, gpointer user_data);
} MediaRecordPlayoutEvents;

typedef struct {
    double level_db;
    uint32_t active_speaker;
    int64_t recorded_ns;
    uint64_t n_pictures_encoded, n_pictures_dropped, n_frames_lost, n_frames_late,
        n_frames_concealed;
    int64_t last_speech_ns; /* when somebody spoke last, on the clock */
} MediaRecordPlayoutStats;

/** @config, @ledger: borrowed. */
MediaRecordPlayout *media_record_playout_new(const MediaEngineConfig *config, MediaLedger *ledger,
                                             int64_t now_ns, const MediaRecordPlayoutEvents *events,
                                             gpointer user_data);
void media_record_playout_free(MediaRecordPlayout *playout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaRecordPlayout, media_record_playout_free)

void media_record_playout_push(MediaRecordPlayout *playout, MediaEncodedFrame *frame,
                               int64_t arrival_ns);

/** What is told about the meeting takes effect when the pictures get to @at_ns. */
void media_record_playout_set_participant(MediaRecordPlayout *playout, int64_t at_ns,
                                          uint32_t participant_id, const char *name, bool present,
                                          bool muted);
void media_record_playout_set_room(MediaRecordPlayout *playout, int64_t at_ns,
                                   uint32_t participant_id, uint32_t room_id);
void media_record_playout_bind_video(MediaRecordPlayout *playout, int64_t at_ns, uint32_t track_id,
                                     uint32_t participant_id, bool is_screen, bool active);
void media_record_playout_end_track(MediaRecordPlayout *playout, int64_t at_ns, uint32_t track_id);
void media_record_playout_end_all_tracks(MediaRecordPlayout *playout, int64_t at_ns);
void media_record_playout_hint(MediaRecordPlayout *playout, int64_t at_ns, uint32_t source);

/** The ledger is about to start at @at_ns, a time on the grid. Errors: as of media_recorder_new. */
bool media_record_playout_start(MediaRecordPlayout *playout, int64_t at_ns, GError **error);

/** The ledger has been stopped at @at_ns; @at_once: with what is there. */
void media_record_playout_stop(MediaRecordPlayout *playout, int64_t at_ns, bool at_once);

void media_record_playout_advance(MediaRecordPlayout *playout, int64_t now_ns);

void media_record_playout_get_stats(const MediaRecordPlayout *playout,
                                    MediaRecordPlayoutStats *ret_stats);

/** The picture recorded last and its format. Returns (transfer full); NULL: none. */
GstBuffer *media_record_playout_dup_picture(MediaRecordPlayout *playout, GstVideoInfo *ret_info);
