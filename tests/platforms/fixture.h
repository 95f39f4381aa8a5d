/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/browser/browser.h"

#include <libsoup/soup.h>

/*
 * What the browser tests share: a small web server on loopback whose pages send the platforms' kind
 * of strict headers, and waiting that iterates the main context until a condition holds.
 */

typedef struct {
    SoupServer *server; /* owned */
    unsigned port;
} Fixture;

/**
 * g_test_init and g_test_run with a temporary folder of this program's own, so that what others
 * leave in the common one is neither counted nor removed.
 */
void fixture_init(int *argc, char ***argv);
int fixture_run(void);
/** The last part of fixture_run, where a browser outlives the tests. */
void fixture_end(void);

/** Serves the files of tests/platforms, and "/blank". */
void fixture_start(Fixture *fixture);
void fixture_stop(Fixture *fixture);

/** (transfer full): http://127.0.0.1:PORT and @path */
char *fixture_url(Fixture *fixture, const char *path);

/** (transfer full): options for a test's browser: no sandbox as root, loopback made public. */
BrowserOptions *fixture_browser_options(Fixture *fixture);

/** A shared machine's disk has stood still for that long; a wait tells what hangs. */
#define FIXTURE_STALL_S 40

/** Iterates the main context until @flag holds; fails the test @seconds and a stall later. */
#define FIXTURE_WAIT(flag, seconds)                                                                \
    do {                                                                                           \
        int64_t fixture_end_us =                                                                   \
            g_get_monotonic_time() + (int64_t)((seconds) + FIXTURE_STALL_S) * G_USEC_PER_SEC;      \
        unsigned fixture_tick = g_timeout_add(50, fixture_wake, NULL);                             \
        while (!(flag) && g_get_monotonic_time() < fixture_end_us) {                               \
            g_main_context_iteration(NULL, TRUE);                                                  \
        }                                                                                          \
        g_source_remove(fixture_tick);                                                             \
        g_assert_true(flag);                                                                       \
    } while (0)

gboolean fixture_wake(gpointer data);

/** The value of @expression in the page as a JSON text, waited for. (transfer full) */
char *fixture_evaluate(Browser *browser, const char *expression);

/** True while a process of that id lives (a zombie does not). */
bool fixture_process_lives(int pid);
