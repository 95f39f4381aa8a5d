/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/session.h"

/*
 * Commands from outside, a JSON object each: {"id","name","args"}. A command whose id was seen
 * already does not run again; its result is told again. Results go out as events of type
 * "result": {"id","ok","error":{"code","message"}}. Main thread only.
 */

typedef struct BotCommands BotCommands;

/** @session, @log: borrowed for its life. */
BotCommands *bot_commands_new(BotSession *session, BotEventLog *log);
void bot_commands_free(BotCommands *commands);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotCommands, bot_commands_free)

/** Run one line; whatever is wrong with it becomes a result. */
void bot_commands_take_line(BotCommands *commands, const char *line);

/** Read lines from @fd (not closed) until it ends. */
void bot_commands_read_fd(BotCommands *commands, int fd);
