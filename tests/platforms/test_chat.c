/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/adapter/chat.h"

#include <string.h>

static void expect(const char *text, unsigned limit, const char *joined)
{
    g_auto(GStrv) parts = adapter_chat_split(text, limit);
    g_autofree char *got = g_strjoinv("|", parts);
    g_assert_cmpstr(got, ==, joined);
}

static void test_a_short_text_stays_whole(void)
{
    expect("Hello,  this meeting is recorded.\n", 500, "Hello,  this meeting is recorded.");
    expect("0123456789012345", 16, "0123456789012345");
    expect("a long text, and no limit for it", 0, "a long text, and no limit for it");
    expect(" \n ", 16, "");
    expect("", 16, "");
    expect("\u2003\f", 16, "");
    expect("aaaaaaaaaaaaaaa \f\f\f\f\f\f\f\f\f\f\f\f\f\f\f\f\f\u00a0b", 16, "aaaaaaaaaaaaaaa|b");
}

static void test_a_long_text_is_cut_where_a_reader_pauses(void)
{
    expect("one two three four five six", 16, "one two three|four five six");
    expect("A first one. A second one, longer.", 20, "A first one.|A second one,|longer.");
    expect("a first line\nthe second one", 20, "a first line|the second one");
    expect("aaaaaaaaaaaaaaaaaaaaaaaa", 16, "aaaaaaaaaaaaaaaa|aaaaaaaa");
}

/* A field counts UTF-16; what belongs together is one to a reader. */
static void test_no_character_is_torn(void)
{
    expect("𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞", 16, "𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞|𝄞");
    expect("aaaaaaaaaaaaaaae\u0301b", 16, "aaaaaaaaaaaaaaa|e\u0301b");
    expect("aaaaaaaaaaaaaa👩\u200d💻b", 18, "aaaaaaaaaaaaaa|👩\u200d💻b");
    g_auto(GStrv) parts = adapter_chat_split("日本語日本語日本語日本語日本語日本語", 16);
    g_assert_cmpint(g_utf8_strlen(parts[0], -1), ==, 16);
}

static void test_nothing_is_lost(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < 400; i++) {
        g_string_append_printf(text, "word%d%s", i, i % 7 == 0 ? ". " : i % 11 == 0 ? "\n" : " ");
    }
    g_auto(GStrv) parts = adapter_chat_split(text->str, 500);
    g_autofree char *joined = g_strjoinv(" ", parts);
    g_strdelimit(text->str, "\n", ' ');
    g_strdelimit(joined, "\n", ' ');
    g_assert_cmpstr(joined, ==, g_strstrip(text->str));
    for (char **part = parts; *part != NULL; part++) {
        g_assert_cmpuint(strlen(*part), <=, 500);
    }
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chat/a_short_text_stays_whole", test_a_short_text_stays_whole);
    g_test_add_func("/chat/a_long_text_is_cut_where_a_reader_pauses",
                    test_a_long_text_is_cut_where_a_reader_pauses);
    g_test_add_func("/chat/no_character_is_torn", test_no_character_is_torn);
    g_test_add_func("/chat/nothing_is_lost", test_nothing_is_lost);
    return g_test_run();
}
