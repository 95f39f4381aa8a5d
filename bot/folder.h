/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/config.h"

/*
 * A bot's output folder: made, and locked as long as a process works in it, so that a recovery
 * never meets a living worker. It also keeps the effective configuration for that recovery
 * (readable by the owner only: it holds secrets), until the bot ended well.
 */

typedef struct BotFolder BotFolder;

/**
 * bot_folder_open:
 * @create: make it; else it must be there
 *
 * Errors: G_IO_ERROR; G_IO_ERROR_BUSY when another process works in it.
 */
BotFolder *bot_folder_open(const char *path, bool create, GError **error);
/** Lets go of the lock. */
void bot_folder_close(BotFolder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotFolder, bot_folder_close)

bool bot_folder_keep_config(BotFolder *folder, const BotConfig *config, GError **error);
/** Errors: G_FILE_ERROR_NOENT when the folder's bot ended well, or there never was one. */
BotConfig *bot_folder_load_config(BotFolder *folder, GError **error);
void bot_folder_forget_config(BotFolder *folder);
