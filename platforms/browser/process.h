/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * One child process with two pipe ends at its file descriptors 3 and 4. It leads a process group
 * of its own, is killed by the kernel when the thread that started it dies, and is ended by that
 * group's id. Main thread.
 */

typedef struct BrowserProcess BrowserProcess;

/** Once, when the process ended by itself. @message: how it ended and the last line it wrote. */
typedef void (*BrowserProcessExited)(const char *message, gpointer user_data);

/**
 * browser_process_new:
 * @envp: (nullable): NULL inherits
 * @ret_read_fd: (out): what the child writes to its descriptor 4; the caller closes it
 * @ret_write_fd: (out): what the child reads from its descriptor 3; the caller closes it
 *
 * Errors: PLATFORM_ERROR_BROWSER.
 */
BrowserProcess *browser_process_new(char **argv, char **envp, BrowserProcessExited on_exited,
                                    gpointer user_data, int *ret_read_fd, int *ret_write_fd,
                                    GError **error);

/** Kills the group and waits for its leader, for at most 2 s. */
void browser_process_free(BrowserProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BrowserProcess, browser_process_free)

/** Waits until it ends by itself, at most @timeout_ms. Returns whether it did. Blocks. */
bool browser_process_wait(BrowserProcess *process, unsigned timeout_ms);

int browser_process_get_pid(BrowserProcess *process);

/** Borrowed: the end of what it wrote to its standard error so far. */
const char *browser_process_get_stderr(BrowserProcess *process);
