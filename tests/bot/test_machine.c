/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/machine.h"

/* The contract restated: every allowed transition, one a line. Whatever is not here is refused. */
typedef struct {
    BotState from;
    BotEvent event;
    BotState to;
} Allowed;

#define ROW(from, event, to)                                                                       \
    {                                                                                              \
        BOT_STATE_##from, BOT_EVENT_##event, BOT_STATE_##to                                        \
    }
#define FROM_JOINED(event, to)                                                                     \
    ROW(JOINED_NOT_RECORDING, event, to), ROW(JOINED_RECORDING, event, to),                        \
        ROW(JOINED_RECORDING_PAUSED, event, to),                                                   \
        ROW(JOINED_RECORDING_PERMISSION_DENIED, event, to)

static const Allowed allowed[] = {
    ROW(SCHEDULED, STAGED, STAGED),
    ROW(SCHEDULED, CANCELLED, ENDED),
    ROW(STAGED, CANCELLED, ENDED),
    ROW(READY, CANCELLED, ENDED),
    ROW(READY, JOIN_REQUESTED, JOINING),
    ROW(STAGED, JOIN_REQUESTED, JOINING),
    ROW(JOINING, PUT_IN_WAITING_ROOM, WAITING_ROOM),
    ROW(WAITING_ROOM, JOINED_MEETING, JOINED_NOT_RECORDING),
    ROW(JOINING, JOINED_MEETING, JOINED_NOT_RECORDING),
    ROW(JOINED_NOT_RECORDING, RECORDING_PERMISSION_GRANTED, JOINED_RECORDING),
    ROW(JOINED_RECORDING_PERMISSION_DENIED, RECORDING_PERMISSION_GRANTED, JOINED_RECORDING),
    FROM_JOINED(RECORDING_PERMISSION_DENIED, JOINED_RECORDING_PERMISSION_DENIED),
    ROW(JOINED_RECORDING, RECORDING_PAUSED, JOINED_RECORDING_PAUSED),
    ROW(JOINED_RECORDING_PAUSED, RECORDING_RESUMED, JOINED_RECORDING),
    FROM_JOINED(LEAVE_REQUESTED, LEAVING),
    ROW(WAITING_ROOM, LEAVE_REQUESTED, LEAVING),
    ROW(JOINING, LEAVE_REQUESTED, LEAVING),
    FROM_JOINED(PUT_IN_WAITING_ROOM, WAITING_ROOM),
    FROM_JOINED(CONNECTION_LOST, JOINING),
    ROW(JOINING, CONNECTION_LOST, JOINING),
    ROW(WAITING_ROOM, CONNECTION_LOST, JOINING),
    ROW(JOINED_NOT_RECORDING, RECORDING_PAUSE_KEPT, JOINED_RECORDING_PAUSED),
    ROW(LEAVING, LEFT_MEETING, POST_PROCESSING),
    FROM_JOINED(MEETING_ENDED, POST_PROCESSING),
    ROW(WAITING_ROOM, MEETING_ENDED, POST_PROCESSING),
    ROW(JOINING, MEETING_ENDED, POST_PROCESSING),
    ROW(LEAVING, MEETING_ENDED, POST_PROCESSING),
    ROW(JOINING, COULD_NOT_JOIN_MEETING, FATAL_ERROR),
    ROW(WAITING_ROOM, COULD_NOT_JOIN_MEETING, FATAL_ERROR),
    ROW(SCHEDULED, FATAL_ERROR, FATAL_ERROR),
    ROW(STAGED, FATAL_ERROR, FATAL_ERROR),
    ROW(JOINING, FATAL_ERROR, FATAL_ERROR),
    ROW(WAITING_ROOM, FATAL_ERROR, FATAL_ERROR),
    FROM_JOINED(FATAL_ERROR, FATAL_ERROR),
    ROW(LEAVING, FATAL_ERROR, FATAL_ERROR),
    ROW(POST_PROCESSING, FATAL_ERROR, FATAL_ERROR),
    ROW(POST_PROCESSING, POST_PROCESSING_COMPLETED, ENDED),
    ROW(ENDED, DATA_DELETED, DATA_DELETED),
    ROW(FATAL_ERROR, DATA_DELETED, DATA_DELETED),
};

static const Allowed *find_allowed(BotState from, BotEvent event)
{
    for (gsize i = 0; i < G_N_ELEMENTS(allowed); i++) {
        if (allowed[i].from == from && allowed[i].event == event) {
            return &allowed[i];
        }
    }
    return NULL;
}

static void test_whole_matrix(void)
{
    for (int s = 0; s < BOT_N_STATES; s++) {
        for (int e = 0; e < BOT_N_EVENTS; e++) {
            const Allowed *row = find_allowed((BotState)s, (BotEvent)e);
            BotStep step = bot_machine_step((BotState)s, (BotEvent)e);
            g_test_message("%s + %s", bot_state_to_string((BotState)s),
                           bot_event_to_string((BotEvent)e));
            g_assert_cmpint(step.accepted, ==, row != NULL);
            g_assert_cmpint(step.state, ==, row != NULL ? (int)row->to : s);
            if (row == NULL) {
                g_assert_cmpint(step.effects, ==, BOT_EFFECT_NONE);
            }
        }
    }
}

static void test_quits_exactly_on_entering_a_terminal_state(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(allowed); i++) {
        BotStep step = bot_machine_step(allowed[i].from, allowed[i].event);
        g_assert_cmpint((step.effects & BOT_EFFECT_QUIT) != 0, ==,
                        bot_state_is_terminal(step.state));
    }
}

static void test_terminal_states_refuse_everything_but_deletion(void)
{
    for (int s = 0; s < BOT_N_STATES; s++) {
        for (int e = 0; e < BOT_N_EVENTS && bot_state_is_terminal((BotState)s); e++) {
            bool deletion = e == BOT_EVENT_DATA_DELETED && s != BOT_STATE_DATA_DELETED;
            g_assert_cmpint(bot_machine_step((BotState)s, (BotEvent)e).accepted, ==, deletion);
        }
    }
}

/* A state is a trap when no path leads from it to a terminal state. */
static void test_no_state_is_a_trap(void)
{
    bool leads_out[BOT_N_STATES];
    for (int s = 0; s < BOT_N_STATES; s++) {
        leads_out[s] = bot_state_is_terminal((BotState)s);
    }
    for (int round = 0; round < BOT_N_STATES; round++) {
        for (gsize i = 0; i < G_N_ELEMENTS(allowed); i++) {
            leads_out[allowed[i].from] |= leads_out[allowed[i].to];
        }
    }
    for (int s = 0; s < BOT_N_STATES; s++) {
        g_assert_true(leads_out[s]);
    }
}

static void test_recording_ends_in_post_processing_or_fatal(void)
{
    for (int s = BOT_STATE_JOINED_NOT_RECORDING; s <= BOT_STATE_LEAVING; s++) {
        for (int e = 0; e < BOT_N_EVENTS; e++) {
            BotStep step = bot_machine_step((BotState)s, (BotEvent)e);
            bool post = step.accepted && step.state == BOT_STATE_POST_PROCESSING;
            g_assert_cmpint((step.effects & BOT_EFFECT_POST_PROCESS) != 0, ==, post);
        }
    }
}

static void test_out_of_the_call_the_recording_pauses(void)
{
    for (int s = BOT_STATE_JOINED_NOT_RECORDING; s < BOT_STATE_LEAVING; s++) {
        BotStep lobby = bot_machine_step((BotState)s, BOT_EVENT_PUT_IN_WAITING_ROOM);
        BotStep lost = bot_machine_step((BotState)s, BOT_EVENT_CONNECTION_LOST);
        g_assert_cmpint(lobby.effects, ==, BOT_EFFECT_PAUSE);
        g_assert_cmpint(lost.effects, ==, BOT_EFFECT_PAUSE | BOT_EFFECT_REJOIN);
    }
}

static void test_refusal_names_the_states(void)
{
    g_autofree char *text = bot_machine_refusal(BOT_STATE_READY, BOT_EVENT_RECORDING_RESUMED);
    g_assert_cmpstr(text, ==,
                    "Event recording_resumed not allowed when bot is in state ready. It is only "
                    "allowed in these states: joined_recording_paused");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/machine/whole_matrix", test_whole_matrix);
    g_test_add_func("/machine/quits_exactly_on_entering_a_terminal_state",
                    test_quits_exactly_on_entering_a_terminal_state);
    g_test_add_func("/machine/terminal_states_refuse_everything_but_deletion",
                    test_terminal_states_refuse_everything_but_deletion);
    g_test_add_func("/machine/no_state_is_a_trap", test_no_state_is_a_trap);
    g_test_add_func("/machine/recording_ends_in_post_processing_or_fatal",
                    test_recording_ends_in_post_processing_or_fatal);
    g_test_add_func("/machine/out_of_the_call_the_recording_pauses",
                    test_out_of_the_call_the_recording_pauses);
    g_test_add_func("/machine/refusal_names_the_states", test_refusal_names_the_states);
    return g_test_run();
}
