/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/machine.h"

/*
 * How a bot's life can end, as data: for each outcome the machine's event and sub-type, the status
 * codes, the final webhook, the end reason and the exit code (docs/worker.md prints this table).
 * Pure; any thread.
 */

typedef enum {
    BOT_OUTCOME_NONE,
    BOT_OUTCOME_BAD_URL,
    BOT_OUTCOME_DENIED,
    BOT_OUTCOME_WAITING_ROOM_TIMEOUT,
    BOT_OUTCOME_HOST_ABSENT,
    BOT_OUTCOME_LOGIN_REQUIRED,
    BOT_OUTCOME_NOT_FOUND,
    BOT_OUTCOME_CAPTCHA,
    BOT_OUTCOME_BOTS_NOT_ALLOWED,
    BOT_OUTCOME_REMOVED,
    BOT_OUTCOME_MEETING_ENDED,
    BOT_OUTCOME_NO_ATTENDEES, /* nobody ever came */
    BOT_OUTCOME_ALONE,        /* the others left */
    BOT_OUTCOME_NO_SPEAKER,
    BOT_OUTCOME_MAX_DURATION,
    BOT_OUTCOME_USER_REQUESTED,
    BOT_OUTCOME_LOST,             /* page or network, in the call */
    BOT_OUTCOME_RECORDING_FAILED, /* disk full, encoder dead */
    BOT_OUTCOME_UI_NOT_FOUND,
    BOT_OUTCOME_INTERNAL,
    BOT_N_OUTCOMES
} BotOutcome;

/** Exit codes of the worker: the contract with whoever spawned it. */
typedef enum {
    BOT_EXIT_OK = 0,
    BOT_EXIT_BAD_CONFIG = 2,
    BOT_EXIT_NEVER_RECORDED = 3,
    BOT_EXIT_NOT_DELIVERED = 4,
    BOT_EXIT_NOT_FINALIZED = 5,
    BOT_EXIT_INTERNAL = 6,
} BotExit;

typedef struct {
    BotEvent event;         /* what the machine gets */
    const char *sub_type;   /* NULL: none */
    const char *code;       /* status code before call_ended; NULL: none */
    bool complete;          /* call_ended and complete; else failed */
    const char *error;      /* failed: "CannotJoinMeeting"; NULL with complete */
    const char *error_code; /* failed: "access_denied"; NULL with complete */
    const char *end_reason; /* NULL: none */
    const char *message;    /* a sentence for people, when nobody saw anything more exact */
    BotExit exit;
} BotOutcomeRow;

/**
 * bot_outcome_row:
 * @recorded: whether recording had begun
 *
 * Returns the row of the outcome table, static. BOT_OUTCOME_NONE has none: a programming error.
 */
const BotOutcomeRow *bot_outcome_row(BotOutcome outcome, bool recorded);

/**
 * bot_outcome_merge:
 *
 * The outcome is written once, except that a more telling one replaces a weaker one: what a person
 * or the platform said beats an error seen on the way, and nothing replaces an API request or a
 * login wall. Returns the one to keep.
 */
BotOutcome bot_outcome_merge(BotOutcome current, BotOutcome next);

const char *bot_outcome_to_string(BotOutcome outcome);
