/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/json.h"

#include <gio/gio.h>
#include <string.h>

/* Would overflow the stack of a parser that recurses. */
#define MANY 2000000

static void assert_refused(const char *text, const char *sentence)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) object = orch_json_parse_object(text, strlen(text), &error);
    if (object != NULL) {
        g_error("taken: %s", text);
    }
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    if (!g_str_has_prefix(error->message, sentence)) {
        g_error("%.100s: %s, not %s", text, error->message, sentence);
    }
}

static void test_depth_hides_nowhere(void)
{
    static const struct {
        const char *before, *sentence;
    } cases[] = {
        {"{\"a\":", "nested too deep"},  {"{\"a\\\\\":", "nested too deep"},
        {"{\"a\":/* \" */", "not JSON"}, {"{\"a\":// \"\n", "not JSON"},
        {"{'\"':", "not JSON"},
    };
    g_autofree char *brackets = g_strnfill(MANY, '[');
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat(cases[i].before, brackets, NULL);
        assert_refused(text, cases[i].sentence);
    }
}

static void test_nothing_but_json(void)
{
    static const char *const texts[] = {"{'a':1}",      "{\"a\":0x10}", "var x = {\"a\":1};",
                                        "{\"a\":#\n1}", "{a:1}",        "[]",
                                        "{\"a\":1",     "\"",           "{\"a\":",
                                        "{\"",          "{\"\\",        ""};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        assert_refused(texts[i], "not ");
    }
}

static void test_text_is_unicode(void)
{
    static const char *const wrong[] = {"\\u0000",           "\\ud800", "\\udc00",
                                        "\\ud800\\u0041",    "\\uDBFF", "\\ud800\\ud800",
                                        "x\\udfff\\n\\u0041"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *as_value = g_strdup_printf("{\"a\":\"%s\"}", wrong[i]);
        g_autofree char *as_name = g_strdup_printf("{\"%s\":1}", wrong[i]);
        assert_refused(as_value, "not text");
        assert_refused(as_name, "not text");
    }
    static const char good[] = "{\"a\":\"\\ud83d\\ude00 \\\\ud800 \\u0041\\\"[\", \"b\":-1.5E+3}";
    g_autoptr(JsonObject) object = orch_json_parse_object(good, strlen(good), NULL);
    g_assert_nonnull(object);
    g_assert_cmpstr(orch_json_string(object, "a"), ==, "\U0001f600 \\ud800 A\"[");
    g_assert_cmpfloat(orch_json_double(object, "b", 0), ==, -1500.0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/depth_hides_nowhere", test_depth_hides_nowhere);
    g_test_add_func("/json/nothing_but_json", test_nothing_but_json);
    g_test_add_func("/json/text_is_unicode", test_text_is_unicode);
    return g_test_run();
}
