/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

static void test_cut_between_characters(void)
{
    static const struct {
        const char *text;
        glong max;
        const char *cut;
    } cases[] = {
        {"", 3, ""},
        {"abc", 3, "abc"},
        {"abcd", 3, "abc…"},
        {"会会会", 3, "会会会"},
        {"会会会", 2, "会会…"},
        {"é\xff!", 3, "é\xef\xbf\xbd!"},
        {"x", 0, "…"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *cut = base_text_cut(cases[i].text, cases[i].max);
        g_assert_cmpstr(cut, ==, cases[i].cut);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text/cut_between_characters", test_cut_between_characters);
    return g_test_run();
}
