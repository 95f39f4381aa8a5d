/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/**
 * base_text_cut:
 * @text: any bytes, ended by NUL
 *
 * Returns (transfer full) @text as valid UTF-8 of at most @max_chars characters; what was cut off
 * is an ellipsis more. "%.300s" counts bytes, and what ends inside a character goes into no JSON.
 */
char *base_text_cut(const char *text, glong max_chars);
