/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/**
 * bot_summary:
 * @events: what bot_event_log_read returns
 *
 * Returns (transfer full) what a bot delivered, for the person who sent it: the recording with its
 * path, length and size, who spoke, the other files; or why there is none. Lines, the last one
 * ended. Pure.
 */
char *bot_summary(const char *output_dir, JsonArray *events);
