/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * The one log writer: text on a terminal, JSON lines elsewhere, on standard error, stamped with
 * the bot's id. Levels below G_MESSAGES_DEBUG's domains are left out as GLib does it.
 */

/** @bot_id: (nullable): copied; call again when it is known. Thread: main, before others run. */
void bot_log_init(const char *bot_id);

/** Called before and after a line is written, so that a status line can step aside. */
void bot_log_set_hooks(void (*before)(void), void (*after)(void));
