/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/url_text.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

static const struct {
    const char *entity;
    char c;
} entities[] = {
    {"&amp;", '&'}, {"&#38;", '&'},  {"&#x26;", '&'}, {"&quot;", '"'},  {"&#34;", '"'},
    {"&lt;", '<'},  {"&gt;", '>'},   {"&#39;", '\''}, {"&#x27;", '\''}, {"&apos;", '\''},
    {"&#61;", '='}, {"&#x3d;", '='}, {"&#47;", '/'},  {"&#x2f;", '/'},  {"&nbsp;", ' '},
};

/* Blanks of all kinds, and the marks of width or direction that programs put around links. */
static bool is_blank(gunichar c)
{
    return g_unichar_isspace(c) || c == 0x00a0 || c == 0x00ad || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

static bool is_quote(gunichar c)
{
    return c == '"' || c == '\'' || c == '`' || c == '*' || (c >= 0x2018 && c <= 0x201f) ||
           c == 0x00ab || c == 0x00bb || c == 0x300c || c == 0x300d;
}

static bool opens(gunichar c)
{
    return is_blank(c) || is_quote(c) || c == '<' || c == '(' || c == '[';
}

static bool ends_sentence(gunichar c)
{
    return is_blank(c) || is_quote(c) || c == 0x3002 || c == 0xff0c || c == 0xff09 || c == 0x2026 ||
           (c < 128 && strchr(">.,;:!?", (int)c) != NULL);
}

/* A bracket that closes what is not open in the link. */
static bool is_left_over(const char *start, const char *end, gunichar c)
{
    char open = c == ')' ? '(' : c == ']' ? '[' : '\0';
    int depth = 0;
    for (const char *at = start; open != '\0' && at < end; at++) {
        depth += *at == open ? 1 : *at == (char)c ? -1 : 0;
    }
    return open != '\0' && depth < 0;
}

static char *trim(const char *text)
{
    const char *start = text, *end = text + strlen(text);
    while (*start != '\0' && opens(g_utf8_get_char(start))) {
        start = g_utf8_next_char(start);
    }
    while (end > start) {
        const char *last = g_utf8_prev_char(end);
        gunichar c = g_utf8_get_char(last);
        if (!ends_sentence(c) && !is_left_over(start, end, c)) {
            break;
        }
        end = last;
    }
    return g_strndup(start, (gsize)(end - start));
}

/* "&amp;amp;" becomes "&amp;" becomes "&": what an entity leaves is read again with what follows.
 */
static void undo_entities(char *text)
{
    char *to = text;
    for (char *from = text; *from != '\0';) {
        size_t skip = 0;
        for (size_t i = 0; *from == '&' && skip == 0 && i < G_N_ELEMENTS(entities); i++) {
            size_t length = strlen(entities[i].entity);
            if (g_ascii_strncasecmp(from, entities[i].entity, length) == 0) {
                skip = length - 1;
                from[skip] = entities[i].c;
            }
        }
        if (skip > 0) {
            from += skip;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

static void undo_backslashes(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '\\' || from[1] == '\0' || strchr("?=&", from[1]) == NULL) {
            *to++ = *from;
        }
    }
    *to = '\0';
}

static char *decode_whole(char *link)
{
    for (int i = 0; i < 2 && (g_ascii_strncasecmp(link, "https%3a", 8) == 0 ||
                              g_ascii_strncasecmp(link, "https%253a", 10) == 0);
         i++) {
        char *decoded = g_uri_unescape_string(link, NULL);
        if (decoded == NULL || !g_utf8_validate(decoded, -1, NULL)) {
            g_free(decoded);
            break;
        }
        g_free(link);
        link = decoded;
    }
    return link;
}

char *platform_url_clean(const char *text)
{
    g_autofree char *plain = g_strdup(text);
    undo_entities(plain); /* first: what ends "&quot;" would end a sentence */
    g_autofree char *link = decode_whole(trim(plain));
    undo_entities(link);
    undo_backslashes(link);
    return trim(link);
}
