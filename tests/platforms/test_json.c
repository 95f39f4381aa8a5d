/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/json.h"

#include "platforms/platform.h"

#include <string.h>

/* Would overflow the stack of a parser that recurses. */
#define MANY 2000000

static void test_depth_hides_nowhere(void)
{
    static const char *const before[] = {"{\"a\":", "{\"a\\\\\":", "{\"a\":/* \" */",
                                         "{\"a\":// \"\n", "{'\"':"};
    g_autofree char *brackets = g_strnfill(MANY, '[');
    for (gsize i = 0; i < G_N_ELEMENTS(before); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strconcat(before[i], brackets, NULL);
        g_assert_null(platform_json_parse(text, strlen(text), &error));
        g_assert_error(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL);
    }
}

static void test_brackets_in_text_do_not_count(void)
{
    g_autofree char *brackets = g_strnfill(1000, '[');
    g_autofree char *text =
        g_strconcat("{\"a\": \"", brackets, "\\\"/*'\", \"b\": [-1.5E+3, true, null]}", NULL);
    g_autoptr(JsonObject) object = platform_json_parse(text, strlen(text), NULL);
    g_assert_nonnull(object);
    g_assert_cmpuint(strlen(platform_json_string(object, "a", "")), ==, 1004);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/depth_hides_nowhere", test_depth_hides_nowhere);
    g_test_add_func("/json/brackets_in_text_do_not_count", test_brackets_in_text_do_not_count);
    return g_test_run();
}
