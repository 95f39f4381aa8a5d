// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Meet's own messages about who is there: the `collections` data channel and the sync answer.
 * Field numbers: docs/test-meeting.md. Pure.
 */

typedef enum {
    MEETING_USER_PRESENT = 1,
    MEETING_USER_LEFT = 6,
    MEETING_USER_REMOVED = 7,
} MeetingUserStatus;

typedef struct {
    char *device;   /* owned: spaces/…/devices/N */
    char *name;     /* owned */
    char *avatar;   /* owned: the same of all of a person's devices */
    char *room;     /* owned: for the page's list, not on the wire; or NULL */
    bool companion; /* likewise */
    MeetingUserStatus status;
    bool self;
    bool host;
    char *parent; /* owned: the presenter's device, for a shared screen; else NULL */
    guint32 csrc; /* audio output; 0: none */
    bool muted;
    char *video_stream; /* owned: MediaStream id, empty: not sent now, NULL: no camera */
    bool video_off;
} MeetingUser;

typedef struct {
    const char *id;
    const char *device;
    gint64 unix_us;
    const char *text;
} MeetingChatMessage;

void meeting_user_free(MeetingUser *user);
bool meeting_user_equal(const MeetingUser *a, const MeetingUser *b);

/**
 * meeting_collections_event:
 * @users: (element-type MeetingUser): those that changed
 * @chat: (nullable): one message
 * @sequence: counts the updates
 *
 * Returns: a gzip-compressed CollectionEvent.
 */
GBytes *meeting_collections_event(GPtrArray *users, const MeetingChatMessage *chat, guint sequence);

/* The sync answer: base64 text of everybody present. */
char *meeting_collections_sync(GPtrArray *users, guint sequence);
