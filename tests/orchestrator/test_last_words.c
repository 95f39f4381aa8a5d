/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/last_words.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

static void test_the_sentence_that_says_why(void)
{
    static const struct {
        const char *log, *words;
    } cases[] = {
        {"{\"level\":\"message\",\"message\":\"starting\"}\n"
         "steno-worker: Chromium refuses its sandbox when run as root\n",
         "Chromium refuses its sandbox when run as root"},
        {"{\"level\":\"warning\",\"message\":\"first\"}\n{\"level\":\"critical\",\"message\":\"the "
         "disk is full\"}\n{\"level\":\"info\",\"message\":\"bye\"}\n",
         "the disk is full"},
        {"steno-worker: error while loading shared libraries: libx.so\n\n",
         "error while loading shared libraries: libx.so"},
        {"Killed", "Killed"},
        {"{\"level\":\"info\",\"message\":\"fine\"}\n", NULL},
        {"\n\n", NULL},
        {"", NULL},
        {"steno-worker: https://zoom.us/j/1?pwd=SECRET is no link\n",
         "https://zoom.us/j/1?*** is no link"},
        {"steno-worker: Authorization: Bearer SECRET was refused\n",
         "Authorization: Bearer *** was refused"},
        {"steno-worker: proxy http://me:SECRET@host:1 is away\n",
         "proxy http://***@host:1 is away"},
        {"steno-worker: \xff\xfe\n", "\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *words = orch_last_words_of(cases[i].log, strlen(cases[i].log));
        g_assert_cmpstr(words, ==, cases[i].words);
    }
}

static void test_long_ones_are_cut_and_long_logs_read_from_their_end(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("steno-log-XXXXXX", &path, &error);
    g_assert_no_error(error);
    g_assert_true(g_close(fd, NULL));
    g_autofree char *before = g_strnfill(100000, 'x');
    g_autofree char *endless = g_strnfill(1000, 'e');
    g_autofree char *log = g_strconcat(before, "\nsteno-worker: ", endless, "\n", NULL);
    g_assert_true(g_file_set_contents(path, log, -1, NULL));
    g_autofree char *words = orch_last_words(path);
    g_assert_cmpint(g_utf8_strlen(words, -1), ==, 301);
    g_unlink(path);
    g_assert_null(orch_last_words(path));
    g_assert_null(orch_last_words("/dev/zero"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/last_words/the_sentence_that_says_why", test_the_sentence_that_says_why);
    g_test_add_func("/last_words/long_ones_are_cut_and_long_logs_read_from_their_end",
                    test_long_ones_are_cut_and_long_logs_read_from_their_end);
    return g_test_run();
}
