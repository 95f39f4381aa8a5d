/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * A browser's temporary folder: <tmp>/steno-browser-XXXXXX, with a lock file that the kernel
 * releases when its owner dies. So a folder whose lock is free belongs to nobody, however its
 * worker ended, and is removed by browser_profile_reap: at every browser's start, and by whoever
 * recovers a dead worker. It lies in the temporary folder, not in the output folder, because
 * Chromium puts a socket into it, and a socket's path may have 107 bytes: where TMPDIR is too long
 * for that, it lies in /tmp.
 */

typedef struct BrowserProfile BrowserProfile;

/** Errors: PLATFORM_ERROR_BROWSER. */
BrowserProfile *browser_profile_new(GError **error);
/** Removes the folder with all that is in it. */
void browser_profile_free(BrowserProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BrowserProfile, browser_profile_free)

/** Borrowed: for --user-data-dir. */
const char *browser_profile_get_path(BrowserProfile *profile);
/** Borrowed: for the browser's TMPDIR, so that what it leaves behind goes too. */
const char *browser_profile_get_tmp(BrowserProfile *profile);

/** Where the folders lie: @tmp_dir, or "/tmp" when that is too long. Pure. */
const char *browser_profile_base(const char *tmp_dir);

/** Removes the folders of dead workers; returns how many. Blocks for the time that takes. */
unsigned browser_profile_reap(void);

/** rm -r, without following links; what can't be removed stays. */
void browser_remove_tree(const char *path);
