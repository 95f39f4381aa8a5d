// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/meeting/collections.h"

/*
 * Teams' own messages: frames of the trouter socket (roster updates and the end of a conversation),
 * the HTTP answer with the roster, and messages of `main-channel`. Layout: docs/test-meeting.md.
 * Pure.
 */

/* Numbers of what a person sends, from their contributing source. */
guint32 meeting_teams_video_source(guint32 csrc);
guint32 meeting_teams_screen_source(guint32 csrc);

/**
 * meeting_teams_update:
 * @users: (element-type MeetingUser): everybody now, screens as entries of their own
 * @known: (element-type MeetingUser): as last told
 *
 * Returns (transfer full): a frame that tells the difference, or NULL when there is none. Who was
 * known is told of by what changed only.
 */
char *meeting_teams_update(GPtrArray *users, GPtrArray *known);

/* (transfer full): the HTTP answer with everybody. */
char *meeting_teams_snapshot(GPtrArray *users);

/* The call that everybody is in. */
#define MEETING_TEAMS_CALL "00000000-0000-4000-8000-0000000000aa"

/* (transfer full): a frame that ends the conversation of @call; @sender_id NULL: nobody did it. */
char *meeting_teams_end(int sub_code, const char *sender_id, const char *sender_name,
                        const char *call);

/* (transfer full): who dominates, the most dominant first. */
GBytes *meeting_teams_dominant(const guint32 *sources, guint n);

/* (transfer full): what is recognized of somebody's speech. */
GBytes *meeting_teams_caption(const char *user_id, const char *text, bool is_final);
