/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** One row of the speaker message; the bot itself is never in it. */
typedef struct {
    const char *name; /* borrowed, UTF-8 */
    uint32_t id;
    bool speaking;
} StreamingSpeaker;

/**
 * streaming_speakers_to_json:
 * @time_unix_ms: Unix milliseconds, the same for every row
 *
 * Returns (transfer full) the text array [{"name","id","timestamp","isSpeaking"}]: those speaking
 * first, as some consumers read the first row only, otherwise in the order given. Pure.
 */
char *streaming_speakers_to_json(const StreamingSpeaker *speakers, gsize n_speakers,
                                 int64_t time_unix_ms);
