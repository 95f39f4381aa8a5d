/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/cli.h"
#include "bot/machine.h"

/*
 * One worker process from start to end: it stands by if asked to, runs its one bot, takes commands
 * and signals, keeps the control link, and stays until the orchestrator has every event, or the
 * grace time is over. Main thread, once a process.
 */

/**
 * bot_worker_run:
 * @cli: (transfer none): of action BOT_CLI_RUN
 *
 * Returns the process's exit code: the bot's own; 0 when a standby was not needed. What could not
 * even begin is said on standard error.
 */
BotExit bot_worker_run(const BotCli *cli);
