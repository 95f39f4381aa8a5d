/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/outcome.h"

/**
 * bot_recover:
 * @output_dir: what a killed worker left
 *
 * Locks the folder, finalizes the recording, writes the artifacts from events.ndjson, sends what
 * the webhook spool holds and the final report, and forgets the kept configuration. Idempotent.
 * Blocks (it runs the main context itself). Returns the exit code; the reason is on the log.
 */
BotExit bot_recover(const char *output_dir);
