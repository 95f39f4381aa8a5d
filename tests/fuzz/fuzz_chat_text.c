/* SPDX-License-Identifier: Apache-2.0 */
/* A chat message in parts: none too long, nothing lost but blanks, no character torn. */
#include "platforms/adapter/chat.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gsize units_of(const char *text)
{
    glong n = 0;
    g_autofree gunichar2 *utf16 = g_utf8_to_utf16(text, -1, NULL, &n, NULL);
    return (gsize)n;
}

/* What is to be read of @text. */
static void append_inked(GString *ink, const char *text)
{
    for (; *text != '\0'; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        if (!g_unichar_isspace(c)) {
            g_string_append_unichar(ink, c);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    unsigned limit = data[0] % 64 == 0 ? 0 : 16 + data[0] % 64;
    g_autofree char *raw = g_strndup((const char *)data + 1, size - 1);
    g_autofree char *text = g_utf8_make_valid(raw, -1);
    g_auto(GStrv) parts = adapter_chat_split(text, limit);
    g_autoptr(GString) before = g_string_new(NULL);
    g_autoptr(GString) after = g_string_new(NULL);
    append_inked(before, text);
    for (char **part = parts; *part != NULL; part++) {
        g_assert_true(**part != '\0' && g_utf8_validate(*part, -1, NULL));
        g_assert_true(limit == 0 || units_of(*part) <= limit);
        append_inked(after, *part);
    }
    g_assert_cmpstr(before->str, ==, after->str);
    return 0;
}
