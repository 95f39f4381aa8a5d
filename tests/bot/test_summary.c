/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/summary.h"

static char *tell(const char *events)
{
    g_autoptr(JsonNode) node = json_from_string(events, NULL);
    return bot_summary("recordings/b", json_node_get_array(node));
}

static void test_what_was_delivered(void)
{
    g_autofree char *text =
        tell("[{\"type\":\"recording\",\"op\":\"finalized\",\"at_s\":723.4},"
             "{\"type\":\"artifact\",\"name\":\"recording.mp4\",\"bytes\":45200000},"
             "{\"type\":\"artifact\",\"name\":\"diarization.jsonl\",\"bytes\":10},"
             "{\"type\":\"artifact\",\"name\":\"recording.mp4\",\"bytes\":45200000,"
             "\"uploaded\":true,\"url\":\"https://store/x.mp4?signature=SECRET\"},"
             "{\"type\":\"ended\",\"speakers\":[\"Alice Martin\",\"Bob\"],\"message\":null,"
             "\"end_reason\":\"meeting_ended\"}]");
    g_assert_cmpstr(text, ==,
                    "recorded: recordings/b/recording.mp4 (12:03, 45.2\xc2\xa0MB), uploaded to "
                    "https://store/x.mp4\nspoke: Alice Martin, Bob\nbeside it: diarization.jsonl\n"
                    "ended: meeting_ended\n");
}

static void test_why_nothing_was(void)
{
    g_autofree char *text = tell("[{\"type\":\"ended\",\"speakers\":[],\"end_reason\":null,"
                                 "\"message\":\"Nobody let the bot in.\"}]");
    g_autofree char *broken = tell("[1,{},{\"type\":7,\"name\":[]},{\"type\":\"ended\","
                                   "\"speakers\":[1]}]");
    g_assert_cmpstr(text, ==, "nothing was recorded\nNobody let the bot in.\n");
    g_assert_cmpstr(broken, ==, "nothing was recorded\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/summary/what_was_delivered", test_what_was_delivered);
    g_test_add_func("/summary/why_nothing_was", test_why_nothing_was);
    return g_test_run();
}
