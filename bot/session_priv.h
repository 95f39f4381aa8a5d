/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/delivery.h"
#include "bot/gaps.h"
#include "bot/image.h"
#include "bot/live.h"
#include "bot/rejoin.h"
#include "bot/reporter.h"
#include "bot/roster.h"
#include "bot/session.h"
#include "bot/voices.h"
#include "media/engine.h"
#include "platforms/platform.h"

/*
 * The session's parts: session.c has the state and the effects, session_meeting.c what the
 * platform reports, session_media.c sound, speech and the live sockets, session_finish.c the end,
 * session_status.c the status codes, session_rejoin.c out of the call and in again,
 * session_command.c what is asked from outside.
 */

struct BotSession {
    const BotConfig *config; /* borrowed */
    BotEventLog *log;        /* borrowed */
    BotSessionEvents events;
    gpointer user_data;

    BotState state; /* written by session.c only */
    GQueue pending; /* owned PendingEvent: raised while effects are performed */
    bool performing;
    BotOutcome outcome; /* written by bot_session_end only */
    char *message;      /* owned: what was seen at the end; NULL: the row's own */

    PlatformStandby *standby; /* owned; NULL: the browser starts with the platform */
    Platform *platform;       /* owned; NULL before joining and after it left */
    char *platform_name;
    BotRejoin rejoin;
    guint rejoin_id;         /* the next attempt to join again is due */
    unsigned rejoin_wait_ms; /* until it */
    bool rejoining;          /* the connection was lost in the call: on the way back in */
    bool keep_paused;        /* the recording was paused when the bot got out of the call */
    bool greeted;            /* the entry message was sent, or is being */
    guint unconfirmed_id;    /* who was not seen again has left by then */
    BotGaps *gaps;           /* owned */
    BotImage *image;         /* owned; NULL: none is being fetched */
    GBytes *picture;         /* owned: what the camera shows; NULL: nothing (yet) */
    char *self_id;           /* owned: the bot's own entry in the meeting; NULL until known */
    GHashTable *own_ids;     /* owned strings: every entry that was the bot's own */
    MediaEngine *engine;     /* owned */
    BotLive *live;           /* owned; NULL before joining */
    BotReporter *reporter;   /* owned */
    BotDelivery *delivery;   /* owned */
    BotRoster *roster;       /* owned */

    BotPresence presence;
    guint tick_id;
    guint grace_id;

    bool recording_begun; /* zero of the recording's time is set */
    bool engine_stopped;  /* no more is written to the working files */
    bool post_processed;
    bool ended;                   /* on_ended was called */
    bool finishing;               /* a terminal state was entered */
    bool terminating;             /* the first SIGTERM */
    bool at_once;                 /* the second SIGTERM, or the grace time is over */
    int64_t recording_started_us; /* monotonic; -1 never */
    int64_t recording_started_unix_ms;

    BotVoices *voices; /* owned; NULL before the engine is there */
    GArray *chat;      /* BotChatRow */
    guint n_warnings;
};

/* --- session.c --- */

/** Feed the machine; a refused event is logged and dropped. @sub_type: static, or NULL. */
void bot_session_raise(BotSession *session, BotEvent event, const char *sub_type);

/** The bot's end is decided: keep the more telling outcome, and set things going. */
void bot_session_end(BotSession *session, BotOutcome outcome, const char *message);

/** Make the platform, which begins joining. */
bool bot_session_connect(BotSession *session, GError **error);

void bot_session_warn(BotSession *session, const char *code, const char *message);

/** How much is in the recording's files; 0 before it. */
double bot_session_recorded_s(BotSession *session);
/** What happens now, on the recording's time; 0 before it. */
double bot_session_recording_s(BotSession *session);

/* --- session_meeting.c --- */

extern const PlatformEvents bot_session_platform_events;

/** @platform_id has left the call. */
void bot_session_participant_left(BotSession *session, const char *platform_id);

/** Somebody came or went: sees to who else is there, for leaving when nobody is. */
void bot_session_count_company(BotSession *session);

/* --- session_rejoin.c: out of the call, and in again --- */

/** The platform ended with @info: true when the bot joins again. */
bool bot_session_rejoins(BotSession *session, const PlatformLeftInfo *info);
/** Effect of the machine: arm the next attempt. */
void bot_session_schedule_rejoin(BotSession *session);
/** The bot is out of a call that it may come back to; @reason as bot_gaps_begin. */
void bot_session_begin_gap(BotSession *session, const char *reason, const char *message);
/** The bot is in the call, for the first time or again. */
void bot_session_back_in_call(BotSession *session);
/** True for an entry in the meeting that is, or was, the bot itself. */
bool bot_session_is_own_entry(BotSession *session, const PlatformParticipant *participant);

/* --- session_media.c --- */

bool bot_session_open_media(BotSession *session, GError **error);
void bot_session_start_stream(BotSession *session);
void bot_session_stop_stream(BotSession *session);
void bot_session_start_recording(BotSession *session);
void bot_session_pause(BotSession *session, bool paused);
void bot_session_roster_changed(BotSession *session);
/** @person was named for @source, or for the track @source. */
void bot_session_bind_voice(BotSession *session, uint32_t source, uint32_t person_id);
/** @source is the bot's own voice: not streamed, no company. */
void bot_session_ignore_voice(BotSession *session, uint32_t source);
void bot_session_check_voices(BotSession *session);
/** The connection to the meeting is gone: nobody is heard or seen until there is another one. */
void bot_session_lose_media(BotSession *session);

/* --- session_finish.c --- */

extern const BotDeliveryEvents bot_session_delivery_events;

/** Stop the engine, deliver; then post_processing_completed. */
void bot_session_post_process(BotSession *session);
/** A terminal state was entered: leave if still there, report, tell on_ended. */
void bot_session_finish(BotSession *session);
/** The platform is gone or the outbox is empty: go on finishing. */
void bot_session_finish_step(BotSession *session);
void bot_session_engine_stopped(BotSession *session);
/** Returns (transfer full) (element-type BotSpeechRow): who spoke when, so far. */
GArray *bot_session_speech_rows(BotSession *session);
/** How long the outbox may take from now on. */
unsigned bot_session_deliver_within_s(BotSession *session);
const BotOutcomeRow *bot_session_row(BotSession *session);
const char *bot_session_message(BotSession *session);

/* --- session_status.c: the owner's status codes --- */

void bot_session_report_state(BotSession *session, BotState old_state, BotState new_state);
void bot_session_report_code(BotSession *session, const char *code);
void bot_session_report_final(BotSession *session);
