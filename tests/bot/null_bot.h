/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/session.h"
#include "platforms/null/meeting.h"

/*
 * A bot in a null: meeting, in this process: a whole session without a browser, and what it
 * reported. Documents are written with ' for ".
 */

typedef struct {
    char *dir;    /* owned, like the rest: meeting.json, and out/ */
    char *output; /* out/ */
    BotConfig *config;
    BotEventLog *log;
    BotSession *session; /* NULL once it was freed */
    GPtrArray *events;   /* JsonObject */
    GString *results;    /* of commands: "leave ok; pause_recording state; " */
    unsigned n_running;  /* commands without a result */
    bool ended;
    BotExit exit;
} NullBot;

/** @more: further members of the configuration, each after a comma. Joins at once. */
void null_bot_start(NullBot *bot, const char *meeting, const char *more);
/** The same with a meeting_url of any kind. */
void null_bot_start_at(NullBot *bot, const char *url, const char *meeting, const char *more);
/** Ends it if need be, removes its folder. */
void null_bot_clear(NullBot *bot);

/** Iterates the main context until @condition holds. */
#define NULL_BOT_WAIT(condition)                                                                   \
    do {                                                                                           \
        int64_t wait_end_us = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;                        \
        guint wait_id = g_timeout_add(10, null_bot_wake, NULL);                                    \
        while (!(condition) && g_get_monotonic_time() < wait_end_us) {                             \
            g_main_context_iteration(NULL, TRUE);                                                  \
        }                                                                                          \
        g_source_remove(wait_id);                                                                  \
        g_assert_true(condition);                                                                  \
    } while (0)
gboolean null_bot_wake(gpointer data);

/** Until it entered @state; fails when it ended before. */
void null_bot_wait_state(NullBot *bot, const char *state);
void null_bot_wait_ended(NullBot *bot);

/** How many events of @type have @member with the text @value (NULL: with any). */
unsigned null_bot_count(NullBot *bot, const char *type, const char *member, const char *value);
/** Borrowed: the newest such event, or NULL. */
JsonObject *null_bot_last(NullBot *bot, const char *type, const char *member, const char *value);
/** (transfer full): the values of @member in all events of @type, with a blank between. */
char *null_bot_list(NullBot *bot, const char *type, const char *member);

/** Its result is appended to @results, now or later. */
void null_bot_command(NullBot *bot, const char *name, const char *args);

/** How much is in the recording's files. */
double null_bot_recorded_s(NullBot *bot);

/** What it did in its meeting. */
const NullReport *null_bot_report(NullBot *bot);

/** (transfer full): the JSON of a file in its output folder. */
JsonNode *null_bot_read(NullBot *bot, const char *name);
