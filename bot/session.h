/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/config.h"
#include "bot/event.h"
#include "bot/machine.h"
#include "platforms/standby.h"

/*
 * One bot from start to end: the only place that stores the machine's state. It performs the
 * machine's effects on the platform, the media engine, the live sockets and the files, and turns
 * what they report into the machine's events. Main thread only; one session a process.
 */

typedef struct BotSession BotSession;

typedef struct {
    /* The last thing that happens; @exit is the process's exit code. May free the session. */
    void (*on_ended)(BotExit exit, gpointer user_data);
} BotSessionEvents;

typedef enum {
    BOT_SESSION_ERROR_STATE,    /* not in this state */
    BOT_SESSION_ERROR_COMMAND,  /* unknown, or its arguments are wrong */
    BOT_SESSION_ERROR_PLATFORM, /* the meeting refused */
} BotSessionError;

#define BOT_SESSION_ERROR bot_session_error_quark()
GQuark bot_session_error_quark(void);

/** What the status line shows. */
typedef struct {
    BotState state;
    double recorded_s;
    guint n_participants; /* others in the call */
    const char *speaker;  /* borrowed until the next call; NULL: nobody */
    double level_db;      /* of the mix */
    guint n_warnings;
} BotSessionStatus;

/**
 * bot_session_new:
 * @config: (transfer none): borrowed for the session's life
 * @log: (transfer none): likewise; its folder is config->output_dir and exists
 */
BotSession *bot_session_new(const BotConfig *config, BotEventLog *log,
                            const BotSessionEvents *events, gpointer user_data);
void bot_session_free(BotSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotSession, bot_session_free)

/** @standby: (transfer full): a browser started ahead; before bot_session_start */
void bot_session_take_standby(BotSession *session, PlatformStandby *standby);

/** Begin joining; call once. Everything that follows, also failure, comes through on_ended. */
void bot_session_start(BotSession *session);

typedef void (*BotCommandDone)(const GError *error, gpointer user_data);

/** Newer credentials of the upload, for what is uploaded from now on. @config: (transfer full)
 *  (nullable): from bot_config_with_credentials; NULL: there are none, nobody need wait for any. */
void bot_session_set_credentials(BotSession *session, BotConfig *config);

/**
 * bot_session_command:
 * @name: "leave", "pause_recording", …; docs/worker.md lists them
 * @args: (nullable): the command's arguments
 * @done: called once, now or later, with NULL or why not
 */
void bot_session_command(BotSession *session, const char *name, JsonObject *args,
                         BotCommandDone done, gpointer user_data);

/**
 * bot_session_shutdown:
 *
 * SIGTERM: leave, finalize, report, within config->shutdown_grace_s. The second call finalizes at
 * once, whatever the meeting does.
 */
void bot_session_shutdown(BotSession *session);

void bot_session_get_status(BotSession *session, BotSessionStatus *ret_status);
