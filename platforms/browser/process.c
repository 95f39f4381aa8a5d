/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/browser/process.h"

#include "base/text.h"
#include "platforms/platform.h"

#include <glib-unix.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STDERR_KEPT_BYTES 4096
#define KILL_WAIT_MS 5000
#define GROUP_WAIT_STEP_MS 5
#define GROUP_WAIT_STEPS 20

struct BrowserProcess {
    GPid pid; /* 0 once reaped */
    int pid_fd;
    int stderr_fd;
    unsigned exit_source, stderr_source;
    GString *stderr_tail; /* owned */
    BrowserProcessExited on_exited;
    gpointer user_data;
};

/* Between fork and exec: only async-signal-safe calls. */
static void prepare_child(gpointer data)
{
    pid_t parent = *(pid_t *)data;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) { /* it died before prctl */
        _exit(1);
    }
    signal(SIGPIPE, SIG_DFL);
}

/* One piece of what it wrote. Returns how many bytes, 0 at the end, -1 when there is none now. */
static ssize_t read_stderr(BrowserProcess *process)
{
    char text[1024];
    ssize_t n = read(process->stderr_fd, text, sizeof text);
    if (n <= 0) {
        return n == 0 || (errno != EAGAIN && errno != EINTR) ? 0 : -1;
    }
    g_string_append_len(process->stderr_tail, text, n);
    if (process->stderr_tail->len > STDERR_KEPT_BYTES) {
        g_string_erase(process->stderr_tail, 0,
                       (gssize)(process->stderr_tail->len - STDERR_KEPT_BYTES));
    }
    return n;
}

static gboolean on_stderr(int fd, GIOCondition condition, gpointer data)
{
    BrowserProcess *process = data;
    if (read_stderr(process) == 0) {
        process->stderr_source = 0;
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

/*
 * Ends what is left of a group whose leader was reaped, and waits for it: a helper that still
 * writes would leave files in a folder that is being removed.
 */
static void end_group(pid_t group)
{
    kill(-group, SIGKILL);
    for (int i = 0; i < GROUP_WAIT_STEPS && kill(-group, 0) == 0; i++) {
        if (waitpid(-group, NULL, WNOHANG) <= 0) { /* ours only when we are the reaper */
            poll(NULL, 0, GROUP_WAIT_STEP_MS);
        }
    }
}

static char *describe_exit(BrowserProcess *process, int status)
{
    g_autofree char *how = WIFSIGNALED(status)
                               ? g_strdup_printf("killed by signal %d", WTERMSIG(status))
                               : g_strdup_printf("exit status %d", WEXITSTATUS(status));
    g_autofree char *valid = g_utf8_make_valid(process->stderr_tail->str, -1);
    g_strchomp(valid);
    const char *line = strrchr(valid, '\n');
    line = line != NULL ? line + 1 : valid;
    g_autofree char *words = base_text_cut(line, 300);
    return *words == '\0' ? g_strdup_printf("the browser ended: %s", how)
                          : g_strdup_printf("the browser ended: %s: %s", how, words);
}

static gboolean on_exit_ready(int fd, GIOCondition condition, gpointer data)
{
    BrowserProcess *process = data;
    int status = 0;
    if (waitpid(process->pid, &status, WNOHANG) != process->pid) {
        return G_SOURCE_CONTINUE;
    }
    end_group(process->pid);
    process->pid = 0;
    process->exit_source = 0;
    while (read_stderr(process) > 0) { /* its last words */
    }
    g_autofree char *message = describe_exit(process, status);
    process->on_exited(message, process->user_data);
    return G_SOURCE_REMOVE;
}

static void close_pair(int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

/* Two pipes, close-on-exec on every end. */
static bool make_pipes(int to_child[2], int from_child[2], GError **error)
{
    if (!g_unix_open_pipe(to_child, FD_CLOEXEC, error)) {
        return false;
    }
    if (!g_unix_open_pipe(from_child, FD_CLOEXEC, error)) {
        close_pair(to_child);
        return false;
    }
    return true;
}

BrowserProcess *browser_process_new(char **argv, char **envp, BrowserProcessExited on_exited,
                                    gpointer user_data, int *ret_read_fd, int *ret_write_fd,
                                    GError **error)
{
    int to_child[2], from_child[2];
    if (!make_pipes(to_child, from_child, error)) {
        return NULL;
    }
    int child_ends[2] = {to_child[0], from_child[1]};
    const int targets[2] = {3, 4};
    pid_t self = getpid();
    GPid pid = 0;
    int stderr_fd = -1;
    g_autoptr(GError) cause = NULL;
    bool started = g_spawn_async_with_pipes_and_fds(
        NULL, (const char *const *)argv, (const char *const *)envp,
        G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, prepare_child,
        &self, -1, -1, -1, child_ends, targets, 2, &pid, NULL, NULL, &stderr_fd, &cause);
    close_pair(child_ends);
    if (!started) {
        close(to_child[1]);
        close(from_child[0]);
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER,
                    "the browser did not start: %s (browser.executable is %s)", cause->message,
                    argv[0]);
        return NULL;
    }
    BrowserProcess *process = g_new0(BrowserProcess, 1);
    process->pid = pid;
    process->on_exited = on_exited;
    process->user_data = user_data;
    process->stderr_tail = g_string_new(NULL);
    process->stderr_fd = stderr_fd;
    g_unix_set_fd_nonblocking(stderr_fd, TRUE, NULL);
    process->stderr_source =
        g_unix_fd_add(stderr_fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_stderr, process);
    process->pid_fd = pidfd_open(pid, 0);
    process->exit_source = g_unix_fd_add(process->pid_fd, G_IO_IN, on_exit_ready, process);
    *ret_read_fd = from_child[0];
    *ret_write_fd = to_child[1];
    return process;
}

bool browser_process_wait(BrowserProcess *process, unsigned timeout_ms)
{
    if (process->pid == 0) {
        return true;
    }
    struct pollfd poll_fd = {.fd = process->pid_fd, .events = POLLIN};
    int64_t deadline_us = g_get_monotonic_time() + (int64_t)timeout_ms * 1000;
    int left_ms;
    do {
        left_ms = (int)MAX(0, (deadline_us - g_get_monotonic_time()) / 1000);
    } while (poll(&poll_fd, 1, left_ms) < 0 && errno == EINTR);
    if (waitpid(process->pid, NULL, WNOHANG) != process->pid) {
        return false;
    }
    g_clear_handle_id(&process->exit_source, g_source_remove);
    end_group(process->pid);
    process->pid = 0;
    return true;
}

void browser_process_free(BrowserProcess *process)
{
    if (process == NULL) {
        return;
    }
    if (process->pid != 0) {
        kill(-process->pid, SIGKILL);
        if (!browser_process_wait(process, KILL_WAIT_MS)) {
            g_warning("the browser (process %d) does not die", process->pid);
        }
    }
    g_clear_handle_id(&process->exit_source, g_source_remove);
    g_clear_handle_id(&process->stderr_source, g_source_remove);
    close(process->stderr_fd);
    close(process->pid_fd);
    g_string_free(process->stderr_tail, TRUE);
    g_free(process);
}

int browser_process_get_pid(BrowserProcess *process)
{
    return process->pid;
}

const char *browser_process_get_stderr(BrowserProcess *process)
{
    return process->stderr_tail->str;
}
