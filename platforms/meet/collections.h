/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * Meet's own words about who is there, who sends what, and chat: the `collections` data channel's
 * messages (compressed protobuf) and the bodies of SyncMeetingSpaceCollections (base64 of
 * protobuf). Field numbers: docs/adapters.md. Pure, fuzzed; strings are valid UTF-8 and bounded.
 */

typedef struct {
    char *device;     /* owned: "spaces/x/devices/1"; never NULL in what is handed out */
    char *name;       /* owned, or NULL: display name, else full name */
    char *avatar_url; /* owned, or NULL */
    char *parent;     /* owned, or NULL: whose screen share this entry is */
    unsigned status;  /* 0 not said, 1 in the meeting, 6 left, 7 removed */
    bool is_self;
    bool is_host;
} MeetUser;

typedef enum { MEET_OUTPUT_AUDIO = 1, MEET_OUTPUT_VIDEO = 2 } MeetOutputType;

typedef struct {
    MeetOutputType type;
    char *stream;  /* owned: audio: the contributing source in decimal; video: a MediaStream's id */
    char *device;  /* owned */
    bool disabled; /* muted, or camera off */
} MeetOutput;

typedef struct {
    char *id;     /* owned, or NULL */
    char *device; /* owned */
    char *text;   /* owned */
} MeetChat;

/* Called in the message's order; what they get lives for the call. */
typedef struct {
    void (*on_user)(const MeetUser *user, gpointer user_data);
    void (*on_output)(const MeetOutput *output, gpointer user_data);
    void (*on_chat)(const MeetChat *chat, gpointer user_data);
} MeetCollectionsSink;

/** A message of the data channel. Errors: PLATFORM_ERROR_PROTOCOL; what was read was handed out. */
bool meet_collections_parse(const void *data, size_t size, const MeetCollectionsSink *sink,
                            gpointer user_data, GError **error);

/** A sync body: everybody who is there, by on_user. Errors: PLATFORM_ERROR_PROTOCOL. */
bool meet_collections_parse_sync(const void *data, size_t size, const MeetCollectionsSink *sink,
                                 gpointer user_data, GError **error);
