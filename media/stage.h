/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/composer.h"
#include "media/ledger.h"

/*
 * What is to be seen: participants, the video tracks that show them, who speaks, and the view that
 * follows from it.
 *
 * speaker_view: the speaker fills the picture, the last one through silence; a new one takes over
 * when there is a picture of theirs. A shared screen fills it instead, the speaker inset.
 * gallery_view: a grid of everybody, or a shared screen with people beside it; tiles glide to new
 * places. Nobody there: a waiting card. A picture of the page itself (MEDIA_PAGE_TRACK) stands for
 * all of that, until its track ends. Decodes only what shows. Belongs to the recording playout; not
 * thread safe.
 */

typedef struct MediaStage MediaStage;

MediaStage *media_stage_new(MediaMode mode);
void media_stage_free(MediaStage *stage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaStage, media_stage_free)

/** @func: a picture that is to be seen stands still until @track_id's next key frame: to be asked
 * for, once a second at most. From media_stage_advance. */
typedef void (*MediaKeyFrameFunc)(uint32_t track_id, gpointer user_data);
void media_stage_set_key_frame_func(MediaStage *stage, MediaKeyFrameFunc func, gpointer user_data);

void media_stage_push(MediaStage *stage, MediaEncodedFrame *frame);
void media_stage_end_track(MediaStage *stage, uint32_t track_id);
void media_stage_end_all_tracks(MediaStage *stage);
void media_stage_set_participant(MediaStage *stage, uint32_t participant_id, const char *name,
                                 bool present, bool muted);
/** Somebody who is here is heard as @room_id (0: as themselves), which gets no tile of its own. */
void media_stage_set_room(MediaStage *stage, uint32_t participant_id, uint32_t room_id);
void media_stage_bind(MediaStage *stage, uint32_t track_id, uint32_t participant_id, bool is_screen,
                      bool active);
/** Whether anything was ever bound to @track_id. */
bool media_stage_is_bound(const MediaStage *stage, uint32_t track_id);
/** 0: nobody. */
void media_stage_set_speaker(MediaStage *stage, uint32_t participant_id);
void media_stage_set_speaking(MediaStage *stage, uint32_t participant_id, bool speaking);

/**
 * media_stage_advance:
 * @ret_time_ns: when the newest picture that shows was captured
 *
 * Go on to @to_ns. Returns whether what shows has changed since the last compose.
 */
bool media_stage_advance(MediaStage *stage, int64_t to_ns, int64_t *ret_time_ns);

/** Returns (transfer full): the picture as it stands at @at_ns, or NULL. */
GstBuffer *media_stage_compose(MediaStage *stage, MediaComposer *composer, int64_t at_ns);

/** The largest picture known, for a recording of automatic size; false: none is. */
bool media_stage_get_largest(const MediaStage *stage, int *ret_width, int *ret_height);

uint64_t media_stage_n_lost(const MediaStage *stage);
