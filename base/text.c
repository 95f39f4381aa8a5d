/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

char *base_text_cut(const char *text, glong max_chars)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    if (g_utf8_strlen(valid, -1) <= max_chars) {
        return g_steal_pointer(&valid);
    }
    g_autofree char *cut = g_utf8_substring(valid, 0, max_chars);
    return g_strconcat(cut, "…", NULL);
}
