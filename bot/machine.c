/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/machine.h"

typedef struct {
    bool allowed;
    BotState to;
    BotEffects effects;
} Transition;

#define TO(state, effects)                                                                         \
    {                                                                                              \
        true, BOT_STATE_##state, (BotEffects)(effects)                                             \
    }
#define END_STREAM (BOT_EFFECT_STOP_STREAM | BOT_EFFECT_POST_PROCESS)
/* Out of the call for a while: the recording has a gap there. */
#define BACK_TO_THE_DOOR                                                                           \
    [BOT_EVENT_PUT_IN_WAITING_ROOM] = TO(WAITING_ROOM, BOT_EFFECT_PAUSE),                          \
    [BOT_EVENT_CONNECTION_LOST] = TO(JOINING, BOT_EFFECT_PAUSE | BOT_EFFECT_REJOIN)

/* A row a state; an empty cell is a refused event. */
static const Transition table[BOT_N_STATES][BOT_N_EVENTS] = {
    [BOT_STATE_SCHEDULED] =
        {
            [BOT_EVENT_STAGED] = TO(STAGED, 0),
            [BOT_EVENT_CANCELLED] = TO(ENDED, BOT_EFFECT_QUIT),
            [BOT_EVENT_FATAL_ERROR] = TO(FATAL_ERROR, BOT_EFFECT_QUIT),
        },
    [BOT_STATE_STAGED] =
        {
            [BOT_EVENT_JOIN_REQUESTED] = TO(JOINING, BOT_EFFECT_JOIN),
            [BOT_EVENT_CANCELLED] = TO(ENDED, BOT_EFFECT_QUIT),
            [BOT_EVENT_FATAL_ERROR] = TO(FATAL_ERROR, BOT_EFFECT_QUIT),
        },
    [BOT_STATE_READY] =
        {
            [BOT_EVENT_JOIN_REQUESTED] = TO(JOINING, BOT_EFFECT_JOIN),
            [BOT_EVENT_CANCELLED] = TO(ENDED, BOT_EFFECT_QUIT),
        },
    [BOT_STATE_JOINING] =
        {
            [BOT_EVENT_PUT_IN_WAITING_ROOM] = TO(WAITING_ROOM, 0),
            [BOT_EVENT_JOINED_MEETING] = TO(JOINED_NOT_RECORDING, BOT_EFFECT_START_STREAM),
            [BOT_EVENT_CONNECTION_LOST] = TO(JOINING, BOT_EFFECT_REJOIN),
            [BOT_EVENT_LEAVE_REQUESTED] = TO(LEAVING, BOT_EFFECT_LEAVE),
            [BOT_EVENT_MEETING_ENDED] = TO(POST_PROCESSING, END_STREAM),
            [BOT_EVENT_COULD_NOT_JOIN_MEETING] = TO(FATAL_ERROR, BOT_EFFECT_QUIT),
            [BOT_EVENT_FATAL_ERROR] = TO(FATAL_ERROR, BOT_EFFECT_QUIT),
        },
    [BOT_STATE_WAITING_ROOM] =
        {
            [BOT_EVENT_JOINED_MEETING] = TO(JOINED_NOT_RECORDING, BOT_EFFECT_START_STREAM),
            [BOT_EVENT_CONNECTION_LOST] = TO(JOINING, BOT_EFFECT_REJOIN),
            [BOT_EVENT_LEAVE_REQUESTED] = TO(LEAVING, BOT_EFFECT_LEAVE),
            [BOT_EVENT_MEETING_ENDED] = TO(POST_PROCESSING, END_STREAM),
            [BOT_EVENT_COULD_NOT_JOIN_MEETING] = TO(FATAL_ERROR, BOT_EFFECT_QUIT),
            [BOT_EVENT_FATAL_ERROR] = TO(FATAL_ERROR, BOT_EFFECT_QUIT),
        },
    [BOT_STATE_JOINED_NOT_RECORDING] =
        {
            BACK_TO_THE_DOOR,
            [BOT_EVENT_RECORDING_PERMISSION_GRANTED] =
                TO(JOINED_RECORDING, BOT_EFFECT_START_RECORDING),
            [BOT_EVENT_RECORDING_PAUSE_KEPT] = TO(JOINED_RECORDING_PAUSED, BOT_EFFECT_PAUSE),
            /* A host who refuses recording refuses the live copy too. */
            [BOT_EVENT_RECORDING_PERMISSION_DENIED] =
                TO(JOINED_RECORDING_PERMISSION_DENIED, BOT_EFFECT_PAUSE),
            [BOT_EVENT_LEAVE_REQUESTED] = TO(LEAVING, BOT_EFFECT_STOP_STREAM | BOT_EFFECT_LEAVE),
            [BOT_EVENT_MEETING_ENDED] = TO(POST_PROCESSING, END_STREAM),
            [BOT_EVENT_FATAL_ERROR] = TO(FATAL_ERROR, BOT_EFFECT_STOP_STREAM | BOT_EFFECT_QUIT),
        },
    [BOT_STATE_JOINED_RECORDING] =
        {
            BACK_TO_THE_DOOR,
            [BOT_EVENT_RECORDING_PAUSED] = TO(JOINED_RECORDING_PAUSED, BOT_EFFECT_PAUSE),
            [BOT_EVENT_RECORDING_PERMISSION_DENIED] =
                TO(JOINED_RECORDING_PERMISSION_DENIED, BOT_EFFECT_PAUSE),
            [BOT_EVENT_LEAVE_REQUESTED] = TO(LEAVING, BOT_EFFECT_STOP_STREAM | BOT_EFFECT_LEAVE),
            [BOT_EVENT_MEETING_ENDED] = TO(POST_PROCESSING, END_STREAM),
            [BOT_EVENT_FATAL_ERROR] = TO(FATAL_ERROR, BOT_EFFECT_STOP_STREAM | BOT_EFFECT_QUIT),
        },
    [BOT_STATE_JOINED_RECORDING_PAUSED] =
        {
            BACK_TO_THE_DOOR,
            [BOT_EVENT_RECORDING_RESUMED] = TO(JOINED_RECORDING, BOT_EFFECT_RESUME),
            [BOT_EVENT_RECORDING_PERMISSION_DENIED] = TO(JOINED_RECORDING_PERMISSION_DENIED, 0),
            [BOT_EVENT_LEAVE_REQUESTED] = TO(LEAVING, BOT_EFFECT_STOP_STREAM | BOT_EFFECT_LEAVE),
            [BOT_EVENT_MEETING_ENDED] = TO(POST_PROCESSING, END_STREAM),
            [BOT_EVENT_FATAL_ERROR] = TO(FATAL_ERROR, BOT_EFFECT_STOP_STREAM | BOT_EFFECT_QUIT),
        },
    [BOT_STATE_JOINED_RECORDING_PERMISSION_DENIED] =
        {
            BACK_TO_THE_DOOR,
            /* Starting a recording that already ran means resuming it: bot/session.c knows. */
            [BOT_EVENT_RECORDING_PERMISSION_GRANTED] =
                TO(JOINED_RECORDING, BOT_EFFECT_START_RECORDING),
            [BOT_EVENT_RECORDING_PERMISSION_DENIED] = TO(JOINED_RECORDING_PERMISSION_DENIED, 0),
            [BOT_EVENT_LEAVE_REQUESTED] = TO(LEAVING, BOT_EFFECT_STOP_STREAM | BOT_EFFECT_LEAVE),
            [BOT_EVENT_MEETING_ENDED] = TO(POST_PROCESSING, END_STREAM),
            [BOT_EVENT_FATAL_ERROR] = TO(FATAL_ERROR, BOT_EFFECT_STOP_STREAM | BOT_EFFECT_QUIT),
        },
    [BOT_STATE_LEAVING] =
        {
            [BOT_EVENT_LEFT_MEETING] = TO(POST_PROCESSING, BOT_EFFECT_POST_PROCESS),
            [BOT_EVENT_MEETING_ENDED] = TO(POST_PROCESSING, BOT_EFFECT_POST_PROCESS),
            [BOT_EVENT_FATAL_ERROR] = TO(FATAL_ERROR, BOT_EFFECT_QUIT),
        },
    [BOT_STATE_POST_PROCESSING] =
        {
            [BOT_EVENT_POST_PROCESSING_COMPLETED] = TO(ENDED, BOT_EFFECT_QUIT),
            [BOT_EVENT_FATAL_ERROR] = TO(FATAL_ERROR, BOT_EFFECT_QUIT),
        },
    [BOT_STATE_ENDED] =
        {
            [BOT_EVENT_DATA_DELETED] = TO(DATA_DELETED, BOT_EFFECT_DELETE_DATA | BOT_EFFECT_QUIT),
        },
    [BOT_STATE_FATAL_ERROR] =
        {
            [BOT_EVENT_DATA_DELETED] = TO(DATA_DELETED, BOT_EFFECT_DELETE_DATA | BOT_EFFECT_QUIT),
        },
};

static const char *const state_names[BOT_N_STATES] = {
    [BOT_STATE_SCHEDULED] = "scheduled",
    [BOT_STATE_STAGED] = "staged",
    [BOT_STATE_READY] = "ready",
    [BOT_STATE_JOINING] = "joining",
    [BOT_STATE_WAITING_ROOM] = "waiting_room",
    [BOT_STATE_JOINED_NOT_RECORDING] = "joined_not_recording",
    [BOT_STATE_JOINED_RECORDING] = "joined_recording",
    [BOT_STATE_JOINED_RECORDING_PAUSED] = "joined_recording_paused",
    [BOT_STATE_JOINED_RECORDING_PERMISSION_DENIED] = "joined_recording_permission_denied",
    [BOT_STATE_LEAVING] = "leaving",
    [BOT_STATE_POST_PROCESSING] = "post_processing",
    [BOT_STATE_ENDED] = "ended",
    [BOT_STATE_FATAL_ERROR] = "fatal_error",
    [BOT_STATE_DATA_DELETED] = "data_deleted",
};

static const char *const event_names[BOT_N_EVENTS] = {
    [BOT_EVENT_STAGED] = "staged",
    [BOT_EVENT_CANCELLED] = "cancelled",
    [BOT_EVENT_JOIN_REQUESTED] = "join_requested",
    [BOT_EVENT_PUT_IN_WAITING_ROOM] = "put_in_waiting_room",
    [BOT_EVENT_JOINED_MEETING] = "joined_meeting",
    [BOT_EVENT_RECORDING_PERMISSION_GRANTED] = "recording_permission_granted",
    [BOT_EVENT_RECORDING_PERMISSION_DENIED] = "recording_permission_denied",
    [BOT_EVENT_RECORDING_PAUSED] = "recording_paused",
    [BOT_EVENT_RECORDING_RESUMED] = "recording_resumed",
    [BOT_EVENT_LEAVE_REQUESTED] = "leave_requested",
    [BOT_EVENT_LEFT_MEETING] = "left_meeting",
    [BOT_EVENT_MEETING_ENDED] = "meeting_ended",
    [BOT_EVENT_COULD_NOT_JOIN_MEETING] = "could_not_join_meeting",
    [BOT_EVENT_FATAL_ERROR] = "fatal_error",
    [BOT_EVENT_POST_PROCESSING_COMPLETED] = "post_processing_completed",
    [BOT_EVENT_DATA_DELETED] = "data_deleted",
    [BOT_EVENT_CONNECTION_LOST] = "connection_lost",
    [BOT_EVENT_RECORDING_PAUSE_KEPT] = "recording_pause_kept",
};

BotStep bot_machine_step(BotState state, BotEvent event)
{
    const Transition *transition = &table[state][event];
    if (!transition->allowed) {
        return (BotStep){false, state, BOT_EFFECT_NONE};
    }
    return (BotStep){true, transition->to, transition->effects};
}

char *bot_machine_refusal(BotState state, BotEvent event)
{
    g_autoptr(GString) allowed = g_string_new(NULL);
    for (int i = 0; i < BOT_N_STATES; i++) {
        if (table[i][event].allowed) {
            g_string_append_printf(allowed, "%s%s", allowed->len > 0 ? ", " : "", state_names[i]);
        }
    }
    return g_strdup_printf("Event %s not allowed when bot is in state %s. It is only allowed in "
                           "these states: %s",
                           event_names[event], state_names[state], allowed->str);
}

bool bot_state_is_terminal(BotState state)
{
    return state == BOT_STATE_ENDED || state == BOT_STATE_FATAL_ERROR ||
           state == BOT_STATE_DATA_DELETED;
}

bool bot_state_is_joined(BotState state)
{
    return state >= BOT_STATE_JOINED_NOT_RECORDING &&
           state <= BOT_STATE_JOINED_RECORDING_PERMISSION_DENIED;
}

const char *bot_state_to_string(BotState state)
{
    return state_names[state];
}

const char *bot_event_to_string(BotEvent event)
{
    return event_names[event];
}
