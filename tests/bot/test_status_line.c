/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/status_line.h"

#include <string.h>

static void test_says_what_happens(void)
{
    BotSessionStatus status = {
        .state = BOT_STATE_JOINED_RECORDING,
        .recorded_s = 3725.9,
        .n_participants = 3,
        .speaker = "Alice",
        .level_db = -24.0,
        .n_warnings = 1,
    };
    g_autofree char *text = bot_status_line_format(&status, 200);
    g_assert_cmpstr(text, ==,
                    "● joined_recording  01:02:05  3 in the call  ▮▮▮▮▮▮▯▯▯▯▯▯  1 warning  Alice "
                    "speaks");
}

static guint width_of(const char *text)
{
    guint width = 0;
    for (const char *c = text; *c != '\0'; c = g_utf8_next_char(c)) {
        width += g_unichar_iswide(g_utf8_get_char(c)) ? 2 : 1;
    }
    return width;
}

static void test_never_wider_than_the_terminal(void)
{
    BotSessionStatus status = {
        .state = BOT_STATE_JOINED_RECORDING, .level_db = -96.0, .speaker = "王小明王小明王小明"};
    for (guint columns = 1; columns < 120; columns++) {
        g_autofree char *text = bot_status_line_format(&status, columns);
        g_assert_true(g_utf8_validate(text, -1, NULL));
        g_assert_cmpuint(width_of(text), <=, columns);
    }
}

static void test_a_name_can_not_drive_the_terminal(void)
{
    BotSessionStatus status = {.state = BOT_STATE_READY, .speaker = "\033]0;owned\007\n"};
    g_autofree char *text = bot_status_line_format(&status, 200);
    g_assert_null(strpbrk(text, "\033\007\n"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/status_line/says_what_happens", test_says_what_happens);
    g_test_add_func("/status_line/never_wider_than_the_terminal",
                    test_never_wider_than_the_terminal);
    g_test_add_func("/status_line/a_name_can_not_drive_the_terminal",
                    test_a_name_can_not_drive_the_terminal);
    return g_test_run();
}
