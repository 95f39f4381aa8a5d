/* SPDX-License-Identifier: Apache-2.0 */
#include "media/json.h"

#include <gio/gio.h>
#include <string.h>

#define REPLACEMENT "\\ufffd" /* as long as what it stands for */

typedef struct {
    const char *text;
    size_t length;
    unsigned max_depth;
    MediaJsonText policy;
    char *mended; /* owned: a copy of text, once something had to be replaced */
} Scan;

static bool refuse(GError **error, const char *sentence)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, sentence);
    return false;
}

/* "\u" and four digits at @at, as a UTF-16 unit. */
static bool read_unit(const Scan *scan, size_t at, unsigned *ret_unit)
{
    if (scan->length - at < 6 || scan->text[at] != '\\' || scan->text[at + 1] != 'u') {
        return false;
    }
    *ret_unit = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        if (!g_ascii_isxdigit(scan->text[i])) {
            return false;
        }
        *ret_unit = *ret_unit * 16 + (unsigned)g_ascii_xdigit_value(scan->text[i]);
    }
    return true;
}

static bool is_high_half(unsigned unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_half(unsigned unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

static bool take_no_text(Scan *scan, size_t at, unsigned unit, GError **error)
{
    if (scan->policy == MEDIA_JSON_REFUSE_NO_TEXT) {
        return refuse(error, "not text: \\u0000, or half of a surrogate pair");
    }
    if (unit != 0) {
        if (scan->mended == NULL) {
            scan->mended = g_strndup(scan->text, scan->length);
        }
        memcpy(scan->mended + at, REPLACEMENT, strlen(REPLACEMENT));
    }
    return true;
}

/* The escape at *@at, which goes behind it. */
static bool scan_escape(Scan *scan, size_t *at, GError **error)
{
    unsigned first, second;
    if (scan->length - *at >= 2 && strchr("\"\\/bfnrt", scan->text[*at + 1]) != NULL) {
        *at += 2;
        return true;
    }
    if (!read_unit(scan, *at, &first)) {
        return refuse(error, "not JSON: a backslash in a string before what JSON does not escape");
    }
    size_t here = *at;
    *at += 6;
    if (first != 0 && !is_high_half(first) && !is_low_half(first)) {
        return true;
    }
    if (is_high_half(first) && read_unit(scan, *at, &second) && is_low_half(second)) {
        *at += 6;
        return true;
    }
    return take_no_text(scan, here, first, error);
}

/* The string whose first quote is at *@at, which goes behind the last one. */
static bool scan_string(Scan *scan, size_t *at, GError **error)
{
    for ((*at)++; *at < scan->length && scan->text[*at] != '"';) {
        if (scan->text[*at] != '\\') {
            (*at)++;
        } else if (!scan_escape(scan, at, error)) {
            return false;
        }
    }
    if (*at >= scan->length) {
        return refuse(error, "not JSON: a string without an end");
    }
    (*at)++;
    return true;
}

/* In comments and in strings with single quotes, which the parser takes, too, brackets could hide:
 * outside of strings, nothing but JSON's own characters gets to it. */
static bool scan_document(Scan *scan, GError **error)
{
    unsigned depth = 0;
    for (size_t at = 0; at < scan->length;) {
        char c = scan->text[at];
        if (c == '"') {
            if (!scan_string(scan, &at, error)) {
                return false;
            }
            continue;
        }
        if (c == '{' || c == '[') {
            if (++depth > scan->max_depth) {
                return refuse(error, "nested too deep");
            }
        } else if (c == '}' || c == ']') {
            if (depth-- == 0) {
                return refuse(error, "not JSON: a bracket is closed that was not opened");
            }
        } else if (strchr(" \t\r\n:,+-.0123456789Eaeflnrstu", c) == NULL) {
            return refuse(error,
                          "not JSON: a character outside of strings that has no place there");
        }
        at++;
    }
    return true;
}

static JsonObject *parse_scanned(const char *text, size_t length, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) cause = NULL;
    if (!json_parser_load_from_data(parser, text, (gssize)length, &cause)) {
        g_autofree char *reason = g_utf8_make_valid(cause->message, -1);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "not JSON: %s", reason);
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        refuse(error, "not one JSON object");
        return NULL;
    }
    return json_node_dup_object(root);
}

JsonObject *media_json_parse(const char *text, size_t length, unsigned max_depth,
                             MediaJsonText policy, GError **error)
{
    if (!g_utf8_validate_len(text, length, NULL)) {
        refuse(error, "not valid UTF-8");
        return NULL;
    }
    Scan scan = {.text = text, .length = length, .max_depth = max_depth, .policy = policy};
    bool good = scan_document(&scan, error);
    g_autofree char *mended = scan.mended;
    return good ? parse_scanned(mended != NULL ? mended : text, length, error) : NULL;
}
