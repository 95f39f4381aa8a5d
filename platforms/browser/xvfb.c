/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/browser/xvfb.h"

#include "platforms/platform.h"

#include <X11/Xauth.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_WAIT_MS 30000 /* from a cold disk, as Chromium may take */
#define END_WAIT_MS 1000
#define COOKIE_BYTES 16
#define COOKIE_NAME "MIT-MAGIC-COOKIE-1"

struct BrowserXvfb {
    GPid pid;        /* 0 once reaped */
    char *display;   /* owned */
    char *authority; /* owned */
    GBytes *cookie;  /* owned */
};

bool browser_xvfb_is_installed(void)
{
    g_autofree char *path = g_find_program_in_path("Xvfb");
    return path != NULL;
}

/* Between fork and exec: only async-signal-safe calls. */
static void prepare_child(gpointer data)
{
    pid_t parent = *(pid_t *)data;
    setpgid(0, 0); /* a terminal's Ctrl-C is for the worker, which leaves in order */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
}

static bool fail(GError **error, const char *what)
{
    g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER,
                "the virtual display (Xvfb) did not start: %s", what);
    return false;
}

/* For every display and host: whoever can read the file may connect. */
static bool write_authority(BrowserXvfb *xvfb, GError **error)
{
    uint8_t cookie[COOKIE_BYTES];
    if (getrandom(cookie, sizeof cookie, 0) != sizeof cookie) {
        return fail(error, g_strerror(errno));
    }
    xvfb->cookie = g_bytes_new(cookie, sizeof cookie);
    int fd = open(xvfb->authority, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL) {
        return fail(error, g_strerror(errno));
    }
    static char name[] = COOKIE_NAME;
    Xauth entry = {.family = FamilyWild,
                   .name_length = sizeof name - 1,
                   .name = name,
                   .data_length = sizeof cookie,
                   .data = (char *)cookie};
    bool written = XauWriteAuth(file, &entry) == 1;
    return fclose(file) == 0 && written ? true : fail(error, "its cookie can't be written");
}

/* The server writes its number once it takes connections. */
static bool read_number(BrowserXvfb *xvfb, int fd, GError **error)
{
    char text[16];
    gsize length = 0;
    int64_t end_us = g_get_monotonic_time() + START_WAIT_MS * 1000;
    while (length < sizeof text - 1 && memchr(text, '\n', length) == NULL) {
        struct pollfd waited = {.fd = fd, .events = POLLIN};
        int left_ms = (int)((end_us - g_get_monotonic_time()) / 1000);
        int ready = left_ms > 0 ? poll(&waited, 1, left_ms) : 0;
        ssize_t n = ready > 0 ? read(fd, text + length, sizeof text - 1 - length) : -1;
        if (n <= 0 && (ready <= 0 || errno != EINTR)) {
            return fail(error, ready == 0 ? "it does not answer" : "it ended at once");
        }
        length += (gsize)MAX(n, 0);
    }
    text[length] = '\0';
    xvfb->display = g_strdup_printf(":%d", atoi(text));
    return true;
}

static bool spawn(BrowserXvfb *xvfb, int width, int height, GError **error)
{
    int ends[2];
    if (!g_unix_open_pipe(ends, FD_CLOEXEC, error)) {
        return false;
    }
    g_autofree char *screen = g_strdup_printf("%dx%dx24", width, height);
    const char *const argv[] = {"Xvfb",      "-displayfd", "3",   "-screen", "0",
                                screen,      "-nolisten",  "tcp", "-auth",   xvfb->authority,
                                "-nocursor", "-noreset",   NULL};
    const int target = 3;
    pid_t self = getpid();
    g_autoptr(GError) cause = NULL;
    bool started = g_spawn_async_with_pipes_and_fds(
        NULL, argv, NULL,
        G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
            G_SPAWN_STDERR_TO_DEV_NULL,
        prepare_child, &self, -1, -1, -1, &ends[1], &target, 1, &xvfb->pid, NULL, NULL, NULL,
        &cause);
    close(ends[1]);
    bool up = started ? read_number(xvfb, ends[0], error) : fail(error, cause->message);
    close(ends[0]);
    return up;
}

BrowserXvfb *browser_xvfb_new(const char *folder, int width, int height, GError **error)
{
    g_autoptr(BrowserXvfb) xvfb = g_new0(BrowserXvfb, 1);
    xvfb->authority = g_build_filename(folder, "xauthority", NULL);
    if (!write_authority(xvfb, error) || !spawn(xvfb, width, height, error)) {
        return NULL;
    }
    return g_steal_pointer(&xvfb);
}

static void end(BrowserXvfb *xvfb)
{
    kill(xvfb->pid, SIGTERM); /* it removes its socket and lock */
    for (int waited_ms = 0; waitpid(xvfb->pid, NULL, WNOHANG) == 0; waited_ms += 5) {
        if (waited_ms >= END_WAIT_MS) {
            kill(xvfb->pid, SIGKILL);
            waitpid(xvfb->pid, NULL, 0);
            return;
        }
        poll(NULL, 0, 5);
    }
}

void browser_xvfb_free(BrowserXvfb *xvfb)
{
    if (xvfb == NULL) {
        return;
    }
    if (xvfb->pid != 0) {
        end(xvfb);
    }
    if (xvfb->authority != NULL) {
        unlink(xvfb->authority);
    }
    g_free(xvfb->display);
    g_free(xvfb->authority);
    g_clear_pointer(&xvfb->cookie, g_bytes_unref);
    g_free(xvfb);
}

const char *browser_xvfb_get_display(const BrowserXvfb *xvfb)
{
    return xvfb->display;
}

const char *browser_xvfb_get_authority(const BrowserXvfb *xvfb)
{
    return xvfb->authority;
}

GBytes *browser_xvfb_get_cookie(const BrowserXvfb *xvfb)
{
    return xvfb->cookie;
}
