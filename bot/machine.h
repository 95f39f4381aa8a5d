/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The bot's state machine as data: a transition table and a pure step function. No I/O, no clock,
 * no memory; any thread. bot/session.c is the one place that stores the state and performs the
 * effects. The vocabulary is the one that bot APIs share (see docs/worker.md).
 */

typedef enum {
    BOT_STATE_SCHEDULED,
    BOT_STATE_STAGED,
    BOT_STATE_READY,
    BOT_STATE_JOINING,
    BOT_STATE_WAITING_ROOM,
    BOT_STATE_JOINED_NOT_RECORDING,
    BOT_STATE_JOINED_RECORDING,
    BOT_STATE_JOINED_RECORDING_PAUSED,
    BOT_STATE_JOINED_RECORDING_PERMISSION_DENIED,
    BOT_STATE_LEAVING,
    BOT_STATE_POST_PROCESSING,
    BOT_STATE_ENDED,
    BOT_STATE_FATAL_ERROR,
    BOT_STATE_DATA_DELETED,
    BOT_N_STATES
} BotState;

typedef enum {
    BOT_EVENT_STAGED,
    BOT_EVENT_CANCELLED,
    BOT_EVENT_JOIN_REQUESTED,
    BOT_EVENT_PUT_IN_WAITING_ROOM,
    BOT_EVENT_JOINED_MEETING,
    BOT_EVENT_RECORDING_PERMISSION_GRANTED,
    BOT_EVENT_RECORDING_PERMISSION_DENIED,
    BOT_EVENT_RECORDING_PAUSED,
    BOT_EVENT_RECORDING_RESUMED,
    BOT_EVENT_LEAVE_REQUESTED,
    BOT_EVENT_LEFT_MEETING,
    BOT_EVENT_MEETING_ENDED,
    BOT_EVENT_COULD_NOT_JOIN_MEETING,
    BOT_EVENT_FATAL_ERROR,
    BOT_EVENT_POST_PROCESSING_COMPLETED,
    BOT_EVENT_DATA_DELETED,
    BOT_EVENT_CONNECTION_LOST,      /* the page or the network, in the call: join again */
    BOT_EVENT_RECORDING_PAUSE_KEPT, /* back in the call, where the recording was paused before */
    BOT_N_EVENTS
} BotEvent;

/** What entering the new state asks of whoever stores it; bits, performed in this order. */
typedef enum {
    BOT_EFFECT_NONE = 0,
    BOT_EFFECT_JOIN = 1 << 0,            /* start the browser, join */
    BOT_EFFECT_START_STREAM = 1 << 1,    /* PCM and speaker messages flow */
    BOT_EFFECT_START_RECORDING = 1 << 2, /* recording time zero */
    BOT_EFFECT_PAUSE = 1 << 3,
    BOT_EFFECT_RESUME = 1 << 4,
    BOT_EFFECT_STOP_STREAM = 1 << 5,
    BOT_EFFECT_LEAVE = 1 << 6,        /* leave the call, or take the knock back */
    BOT_EFFECT_POST_PROCESS = 1 << 7, /* end the files, finalize, write the artifacts */
    BOT_EFFECT_DELETE_DATA = 1 << 8,
    BOT_EFFECT_QUIT = 1 << 9,    /* a terminal state: report and go */
    BOT_EFFECT_REJOIN = 1 << 10, /* join again, after a while */
} BotEffects;

typedef struct {
    bool accepted;
    BotState state; /* the old one when refused */
    BotEffects effects;
} BotStep;

/**
 * bot_machine_step:
 *
 * Pure. A refused event leaves the state as it is and has no effects; whether that is worth an
 * error is the caller's affair (bot_machine_refusal gives the sentence).
 */
BotStep bot_machine_step(BotState state, BotEvent event);

/** Returns (transfer full): "Event x not allowed when bot is in state y. It is only …". */
char *bot_machine_refusal(BotState state, BotEvent event);

bool bot_state_is_terminal(BotState state);
/** In the call: one of the four joined_* states. */
bool bot_state_is_joined(BotState state);
const char *bot_state_to_string(BotState state);
const char *bot_event_to_string(BotEvent event);
