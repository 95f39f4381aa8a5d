/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/session.h"

/*
 * Commands from outside, a JSON object each: {"id","name","args"}. A command whose id was seen
 * already does not run again; its result is told again. Results are {"id","ok","error":{"code",
 * "message"}}. Main thread only.
 */

typedef struct BotCommands BotCommands;

typedef struct {
    /* Run it; call @done with @done_data once, now or later. @args: (nullable) (transfer none) */
    void (*run)(const char *name, JsonObject *args, BotCommandDone done, gpointer done_data,
                gpointer user_data);
    /* @result: (transfer full) */
    void (*on_result)(JsonObject *result, gpointer user_data);
    /* bot_commands_read_fd came to its input's end. May be NULL. */
    void (*on_input_end)(gpointer user_data);
} BotCommandHandler;

BotCommands *bot_commands_new(const BotCommandHandler *handler, gpointer user_data);
/** Not before whoever still has a "done" to call is gone. */
void bot_commands_free(BotCommands *commands);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotCommands, bot_commands_free)

/** @args: (nullable) (transfer none) */
void bot_commands_take(BotCommands *commands, const char *id, const char *name, JsonObject *args);

/** Run one line; whatever is wrong with it becomes a result. */
void bot_commands_take_line(BotCommands *commands, const char *line);

/** Read lines from @fd (not closed) until it ends. Call at most once. */
void bot_commands_read_fd(BotCommands *commands, int fd);
