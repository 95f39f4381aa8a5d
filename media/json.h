/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * JSON of strangers: the one way to json-glib's parser, for every folder. It stands here because
 * media is what the others may include. Pure; any thread.
 */

typedef enum {
    MEDIA_JSON_REFUSE_NO_TEXT, /* "\u0000" and halves of surrogate pairs are errors */
    MEDIA_JSON_MEND_NO_TEXT,   /* halves become U+FFFD; a string ends at its "\u0000" */
} MediaJsonText;

/**
 * media_json_parse:
 * @text: @length bytes; needs no NUL at the end
 * @max_depth: of objects and arrays, the outermost is the first
 * @policy: for escapes in strings that are no Unicode text. JavaScript makes them when it cuts a
 * string within a character.
 *
 * One JSON object (RFC 8259) in UTF-8, with strings that are UTF-8, too. The parser below recurses,
 * takes more than JSON, and loses a string's end after "\u12" or half of a pair: nothing gets there
 * that it would read in another way than we do. Of JSON's grammar, it is it that judges the rest.
 *
 * Returns (transfer full), or NULL with G_IO_ERROR_INVALID_DATA: half a sentence in UTF-8 ("not
 * JSON: …").
 */
JsonObject *media_json_parse(const char *text, size_t length, unsigned max_depth,
                             MediaJsonText policy, GError **error);
