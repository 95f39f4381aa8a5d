/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/**
 * orch_last_words_of:
 * @text: the end of what a process wrote to its standard error; any bytes
 *
 * Returns (transfer full) the sentence that says why it ended, of at most 300 characters: its own
 * ("steno-worker: …"), else the last warning of its log, else its last line; NULL when it said
 * nothing. What could be a secret is blotted out: queries of URLs, tokens. Pure, fuzzed.
 */
char *orch_last_words_of(const char *text, gsize length);

/** The same of a log file; NULL also when it can't be read. Reads its last 16 KiB. */
char *orch_last_words(const char *path);
