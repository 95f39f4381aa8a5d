/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/gaps.h"
#include "bot/rejoin.h"

#define S ((int64_t)G_USEC_PER_SEC)

static void three_attempts_with_back_off(void)
{
    BotRejoin rejoin;
    bot_rejoin_init(&rejoin, 3);
    bot_rejoin_admitted(&rejoin, 0);
    g_assert_cmpint(bot_rejoin_next_ms(&rejoin, 10 * S, 0), ==, 1000);
    g_assert_cmpint(bot_rejoin_next_ms(&rejoin, 20 * S, 1), ==, 7500);
    g_assert_cmpint(bot_rejoin_next_ms(&rejoin, 40 * S, 0.5), ==, 25000);
    g_assert_cmpint(bot_rejoin_next_ms(&rejoin, 90 * S, 0), ==, -1);
}

static void back_for_a_while_counts_anew(void)
{
    BotRejoin rejoin;
    bot_rejoin_init(&rejoin, 2);
    bot_rejoin_admitted(&rejoin, 0);
    g_assert_cmpint(bot_rejoin_next_ms(&rejoin, 10 * S, 0), ==, 1000);
    bot_rejoin_admitted(&rejoin, 20 * S); /* in, and lost again at once: no new loss */
    g_assert_cmpint(bot_rejoin_next_ms(&rejoin, 30 * S, 0), ==, 5000);
    bot_rejoin_admitted(&rejoin, 40 * S);
    g_assert_cmpint(bot_rejoin_next_ms(&rejoin, 40 * S + BOT_REJOIN_STEADY_US, 0), ==, 1000);
}

static void none_allowed(void)
{
    BotRejoin rejoin;
    bot_rejoin_init(&rejoin, 0);
    bot_rejoin_admitted(&rejoin, 0);
    g_assert_cmpint(bot_rejoin_next_ms(&rejoin, 500 * S, 0), ==, -1);
}

static char *print(BotGaps *gaps)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(node, bot_gaps_to_json(gaps));
    return json_to_string(node, FALSE);
}

static void replay(BotGaps *gaps, JsonObject *members, int64_t unix_ms)
{
    json_object_set_string_member(members, "type", "gap");
    json_object_set_int_member(members, "time", unix_ms);
    bot_gaps_replay(gaps, members);
    json_object_unref(members);
}

/* What --recover reads back from the events is what the worker knew. */
static void gaps_survive_in_the_events(void)
{
    g_autoptr(BotGaps) gaps = bot_gaps_new();
    g_autoptr(BotGaps) recovered = bot_gaps_new();
    g_assert_null(bot_gaps_end(gaps, 1000));
    replay(recovered, bot_gaps_begin(gaps, "page_lost", "It crashed.", 4.5, 10000), 10000);
    g_assert_null(bot_gaps_begin(gaps, "network_lost", "And again.", 4.5, 12000));
    replay(recovered, bot_gaps_end(gaps, 13500), 13500);
    replay(recovered, bot_gaps_begin(gaps, "waiting_room", "Put back.", 20, 30000), 30000);
    g_autofree char *text = print(gaps), *again = print(recovered);
    g_assert_cmpstr(text, ==,
                    "[{\"at_s\":4.5,\"reason\":\"page_lost\",\"missing_s\":3.5},"
                    "{\"at_s\":20.0,\"reason\":\"waiting_room\",\"missing_s\":null}]");
    g_assert_cmpstr(again, ==, text);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rejoin/three_attempts_with_back_off", three_attempts_with_back_off);
    g_test_add_func("/rejoin/back_for_a_while_counts_anew", back_for_a_while_counts_anew);
    g_test_add_func("/rejoin/none_allowed", none_allowed);
    g_test_add_func("/rejoin/gaps_survive_in_the_events", gaps_survive_in_the_events);
    return g_test_run();
}
