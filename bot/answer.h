/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/**
 * bot_answer_is_final:
 *
 * Whether an HTTP receiver that answers @status will answer so for ever: every 4xx but 408 (time is
 * over), 425 (too early) and 429 (too many), and a move for good (301, 308), which is not followed.
 * Such a request is repeated once, in case a proxy was on its way up, and no more. Pure; any
 * thread.
 */
bool bot_answer_is_final(unsigned status);
