/* SPDX-License-Identifier: Apache-2.0 */
#include "media/json.h"

#include <gio/gio.h>
#include <string.h>

/* Would overflow the stack of a parser that recurses. */
#define MANY 2000000
#define MAX_DEPTH 32

static JsonObject *parse(const char *text, MediaJsonText policy, GError **error)
{
    return media_json_parse(text, strlen(text), MAX_DEPTH, policy, error);
}

static void assert_refused(const char *text, MediaJsonText policy, const char *sentence)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) object = parse(text, policy, &error);
    if (object != NULL) {
        g_error("taken: %.100s", text);
    }
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    if (!g_str_has_prefix(error->message, sentence)) {
        g_error("%.100s: %s, not %s", text, error->message, sentence);
    }
}

static void assert_mended(const char *text, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) object = parse(text, MEDIA_JSON_MEND_NO_TEXT, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(json_object_get_string_member(object, "a"), ==, expected);
}

/* What the parser takes for the inside of a string, or of a comment, and what it does not. */
static void test_depth_hides_nowhere(void)
{
    static const struct {
        const char *before, *sentence;
    } cases[] = {
        {"{\"a\":", "nested too deep"},
        {"{\"a\\\\\":", "nested too deep"},
        {"{\"a\":/* \" */", "not JSON"},
        {"{\"a\":// \"\n", "not JSON"},
        {"{'\"':", "not JSON"},
        {"{\"a\":\"\\u\":\",\"e\":", "not JSON"},
        {"{\"a\":\"\\u12\":\",\"e\":", "not JSON"},
        {"{\"a\":\"\\u123\":\",\"e\":", "not JSON"},
        {"{\"a\":\"\\ud800\":\",\"e\":", "not"},
        {"{\"a\":\"\\ud800\\\":\",\"e\":", "not"},
    };
    g_autofree char *brackets = g_strnfill(MANY, '[');
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat(cases[i].before, brackets, NULL);
        assert_refused(text, MEDIA_JSON_REFUSE_NO_TEXT, cases[i].sentence);
        assert_refused(text, MEDIA_JSON_MEND_NO_TEXT, "n");
    }
}

static void test_as_deep_as_allowed(void)
{
    g_autofree char *open = g_strnfill(MAX_DEPTH - 1, '[');
    g_autofree char *closed = g_strnfill(MAX_DEPTH - 1, ']');
    g_autofree char *text = g_strdup_printf("{\"a\":%s%s}", open, closed);
    g_autofree char *deeper = g_strdup_printf("{\"a\":[%s%s]}", open, closed);
    g_autoptr(JsonObject) object = parse(text, MEDIA_JSON_REFUSE_NO_TEXT, NULL);
    g_assert_nonnull(object);
    assert_refused(deeper, MEDIA_JSON_REFUSE_NO_TEXT, "nested too deep");
}

static void test_brackets_in_text_do_not_count(void)
{
    g_autofree char *brackets = g_strnfill(1000, '[');
    g_autofree char *text =
        g_strconcat("{\"a\": \"", brackets, "\\\"/*'\", \"b\": [-1.5E+3, true, null]}", NULL);
    g_autoptr(JsonObject) object = parse(text, MEDIA_JSON_REFUSE_NO_TEXT, NULL);
    g_assert_nonnull(object);
    g_assert_cmpuint(strlen(json_object_get_string_member(object, "a")), ==, 1004);
}

static void test_nothing_but_one_object(void)
{
    static const char *const texts[] = {"{'a':1}",
                                        "{\"a\":0x10}",
                                        "var x = {\"a\":1};",
                                        "{\"a\":#\n1}",
                                        "{a:1}",
                                        "[]",
                                        "{\"a\":1",
                                        "\"",
                                        "{\"a\":",
                                        "{\"",
                                        "{\"\\",
                                        "",
                                        "{\"\\u",
                                        "{\"\\ud800",
                                        "{\"\\ud800\\",
                                        "{\"a\":\"\\x\"}",
                                        "{\"a\":\"\\0\"}",
                                        "{\"a\":1}}",
                                        "]{}",
                                        "{\"a\":\"\\u12g4\"}",
                                        "\xff{}"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        assert_refused(texts[i], MEDIA_JSON_REFUSE_NO_TEXT, "not ");
        assert_refused(texts[i], MEDIA_JSON_MEND_NO_TEXT, "not ");
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(media_json_parse("{}\0", 3, MAX_DEPTH, MEDIA_JSON_MEND_NO_TEXT, &error));
}

static void test_no_text(void)
{
    static const struct {
        const char *escaped, *mended;
    } cases[] = {
        {"x\\u0000y", "x"},
        {"\\ud800", "\ufffd"},
        {"\\uDC00\\n", "\ufffd\n"},
        {"\\ud800\\u0041", "\ufffdA"},
        {"\\uDBFF\\uDBFF", "\ufffd\ufffd"},
        {"\\ud83d\\ud83d\\ude00", "\ufffd\U0001f600"},
        {"ä\\udfff\\n\\u0041", "ä\ufffd\nA"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *as_value = g_strdup_printf("{\"b\":1,\"a\":\"%s\"}", cases[i].escaped);
        g_autofree char *as_name = g_strdup_printf("{\"%s\":1}", cases[i].escaped);
        assert_refused(as_value, MEDIA_JSON_REFUSE_NO_TEXT, "not text");
        assert_refused(as_name, MEDIA_JSON_REFUSE_NO_TEXT, "not text");
        assert_mended(as_value, cases[i].mended);
    }
    assert_mended("{\"a\":\"\\ud83d\\ude00 \\\\ud800 \\u0041\\\"[\"}", "\U0001f600 \\ud800 A\"[");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/depth_hides_nowhere", test_depth_hides_nowhere);
    g_test_add_func("/json/as_deep_as_allowed", test_as_deep_as_allowed);
    g_test_add_func("/json/brackets_in_text_do_not_count", test_brackets_in_text_do_not_count);
    g_test_add_func("/json/nothing_but_one_object", test_nothing_but_one_object);
    g_test_add_func("/json/no_text", test_no_text);
    return g_test_run();
}
