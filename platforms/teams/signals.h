/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * Teams' own words about who is there, who sends what and who speaks: text frames of the trouter
 * socket ("3:::" and JSON, whose body may be base64 of gzip), HTTP answers that hold a roster, and
 * messages of the `main-channel` data channel (a binary prefix, then JSON). Fields:
 * docs/adapters.md. Pure, fuzzed; strings are valid UTF-8 and bounded.
 */

#define TEAMS_MAX_STREAMS 16
#define TEAMS_MAX_SPEAKERS 16
#define TEAMS_NO_SOURCE (-1)

typedef enum {
    TEAMS_STREAM_AUDIO,
    TEAMS_STREAM_VIDEO,
    TEAMS_STREAM_SCREEN,
} TeamsStreamType;

typedef struct {
    TeamsStreamType type;
    int64_t source_id; /* audio: the contributing source in the mix; TEAMS_NO_SOURCE: not said */
    bool sends;        /* direction sendrecv or sendonly */
} TeamsStream;

/* One device of a participant. */
typedef struct {
    const char *id; /* borrowed */
    bool gone;      /* null in the message */
    bool in_call;   /* has a call part, not only a lobby part */
    bool in_lobby;
    bool has_streams; /* streams replace the former ones */
    unsigned n_streams;
    TeamsStream streams[TEAMS_MAX_STREAMS];
} TeamsEndpoint;

/* What an update says of one participant; what it leaves out is as it was. */
typedef struct {
    const char *id;   /* borrowed, never empty: the user, "8:orgid:…" */
    const char *name; /* borrowed, or NULL: not said */
    enum { TEAMS_STATE_UNSAID, TEAMS_STATE_ACTIVE, TEAMS_STATE_INACTIVE } state;
    enum { TEAMS_ROLE_UNSAID, TEAMS_ROLE_ORGANIZER, TEAMS_ROLE_OTHER } role;
    enum { TEAMS_MUTE_UNSAID, TEAMS_MUTED, TEAMS_NOT_MUTED } server_mute;
} TeamsParticipant;

typedef struct {
    int64_t sub_code;
    const char *sender_id;   /* borrowed, or NULL */
    const char *sender_name; /* borrowed, or NULL */
    const char *call_id;     /* borrowed, or NULL: which call it is that ended */
} TeamsConversationEnd;

/* Called in the message's order; what they get lives for the call. */
typedef struct {
    /* Before its participant's on_participant: who joins is muted, or only in the lobby, at once.
     */
    void (*on_endpoint)(const char *participant_id, const TeamsEndpoint *endpoint,
                        gpointer user_data);
    void (*on_participant)(const TeamsParticipant *participant, gpointer user_data);
    void (*on_conversation_end)(const TeamsConversationEnd *end, gpointer user_data);
    /* Sources by dominance, the most dominant first. */
    void (*on_dominant)(const int64_t *source_ids, unsigned n, gpointer user_data);
    void (*on_caption)(const char *user_id, bool is_final, gpointer user_data);
    /* Our own page asks for a picture: @source_id (TEAMS_NO_SOURCE: none any more) will come on the
     * physical stream @stream. */
    void (*on_subscription)(int64_t source_id, const char *stream, gpointer user_data);
    /* Before what a roster update tells: whose it is. */
    void (*on_roster_call)(const char *call_id, gpointer user_data);
} TeamsSignalsSink;

/** A frame of the trouter socket; others than "3:::" and unknown URLs mean nothing. Errors:
 *  PLATFORM_ERROR_PROTOCOL; what was read was handed out. */
bool teams_signals_parse_trouter(const void *data, size_t size, const TeamsSignalsSink *sink,
                                 gpointer user_data, GError **error);

/** The body of an HTTP answer; one without a roster means nothing. Never fails: the page fetches
 *  many other things from there. */
void teams_signals_parse_snapshot(const void *data, size_t size, const TeamsSignalsSink *sink,
                                  gpointer user_data);

/** A message of `main-channel`, either way. Errors: PLATFORM_ERROR_PROTOCOL when a message that
 *  should be JSON is none. */
bool teams_signals_parse_channel(const void *data, size_t size, const TeamsSignalsSink *sink,
                                 gpointer user_data, GError **error);
