/* SPDX-License-Identifier: Apache-2.0 */
/* The browser layer against a real Chromium: start, calls, crash, freeze, kill, nothing left. */
#include "platforms/browser/browser.h"

#include "platforms/browser/profile.h"
#include "platforms/platform.h"
#include "tests/platforms/fixture.h"

#include <glib/gstdio.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    Fixture fixture;
    Browser *browser;
    bool ready, lost, answered;
    BrowserLost how;
    char *message, *url;
    GError *error;
} Test;

static void on_ready(gpointer user_data)
{
    ((Test *)user_data)->ready = true;
}

static void on_navigated(const char *url, gpointer user_data)
{
    Test *test = user_data;
    g_free(test->url);
    test->url = g_strdup(url);
}

static void on_lost(BrowserLost lost, const char *message, gpointer user_data)
{
    Test *test = user_data;
    g_assert_false(test->lost);
    test->lost = true;
    test->how = lost;
    test->message = g_strdup(message);
}

static const BrowserEvents events = {on_ready, on_navigated, on_lost};

static void on_answer(JsonNode *value, const GError *error, gpointer user_data)
{
    Test *test = user_data;
    test->answered = true;
    g_clear_error(&test->error);
    test->error = error != NULL ? g_error_copy(error) : NULL;
}

static void start(Test *test)
{
    static const char *const scripts[] = {"window.injected = 1;", NULL};
    g_autoptr(GError) error = NULL;
    memset(test, 0, sizeof *test);
    fixture_start(&test->fixture);
    test->browser =
        browser_new(fixture_browser_options(&test->fixture), scripts, &events, test, &error);
    g_assert_no_error(error);
    FIXTURE_WAIT(test->ready || test->lost, 30);
    g_assert_false(test->lost);
    g_autofree char *url = fixture_url(&test->fixture, "/blank");
    browser_navigate(test->browser, url, 10000, on_answer, test);
    FIXTURE_WAIT(test->answered && test->url != NULL, 15);
    g_assert_no_error(test->error);
    g_autofree char *loaded = fixture_evaluate(
        test->browser, "new Promise((done) => document.readyState === 'complete' ? done(1) "
                       ": addEventListener('load', () => done(1)))");
    g_assert_cmpstr(loaded, ==, "1");
}

static void stop(Test *test)
{
    int pid = browser_get_pid(test->browser);
    browser_free(test->browser);
    g_assert_true(pid == 0 || !fixture_process_lives(pid));
    g_assert_cmpuint(browser_profile_reap(), ==, 0);
    fixture_stop(&test->fixture);
    g_clear_error(&test->error);
    g_free(test->message);
    g_free(test->url);
}

static void test_evaluates_with_scripts_in_place(void)
{
    Test test;
    start(&test);
    g_autofree char *sum = fixture_evaluate(test.browser, "injected + 41");
    g_assert_cmpstr(sum, ==, "42");
    g_autofree char *waited =
        fixture_evaluate(test.browser, "new Promise((r) => setTimeout(() => r('later'), 20))");
    g_assert_cmpstr(waited, ==, "\"later\"");
    g_autofree char *honest = fixture_evaluate(test.browser, "navigator.webdriver");
    g_assert_cmpstr(honest, !=, "undefined"); /* the page sees the browser as it is */
    test.answered = false;
    browser_evaluate(test.browser, "throw new Error('no')", 1000, on_answer, &test);
    FIXTURE_WAIT(test.answered, 10);
    g_assert_error(test.error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL);
    g_assert_nonnull(strstr(test.error->message, "no"));
    test.answered = false; /* a page's own words, cut: still a text that JSON can hold */
    browser_evaluate(test.browser, "throw new Error('会'.repeat(1000))", 1000, on_answer, &test);
    FIXTURE_WAIT(test.answered, 5);
    g_assert_error(test.error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL);
    g_assert_true(g_utf8_validate(test.error->message, -1, NULL));
    stop(&test);
}

static void test_alert_does_not_hold_the_page(void)
{
    Test test;
    start(&test);
    g_autofree char *after = fixture_evaluate(test.browser, "alert('stop'), 7");
    g_assert_cmpstr(after, ==, "7");
    stop(&test);
}

static void test_frozen_page_times_out_and_can_be_interrupted(void)
{
    Test test;
    start(&test);
    browser_evaluate(test.browser, "setTimeout(() => { for (;;); }, 0)", 1000, NULL, NULL);
    g_autoptr(GTimer) timer = g_timer_new();
    FIXTURE_WAIT(g_timer_elapsed(timer, NULL) > 0.3, 5);
    test.answered = false;
    browser_evaluate(test.browser, "1", 1000, on_answer, &test);
    FIXTURE_WAIT(test.answered, 10);
    g_assert_error(test.error, PLATFORM_ERROR, PLATFORM_ERROR_TIMEOUT);
    browser_interrupt(test.browser);
    g_autofree char *alive = fixture_evaluate(test.browser, "2");
    g_assert_cmpstr(alive, ==, "2");
    stop(&test);
}

static void test_crashed_page_is_lost(void)
{
    Test test;
    start(&test);
    browser_navigate(test.browser, "chrome://crash", 5000, NULL, NULL);
    FIXTURE_WAIT(test.lost, 20);
    g_assert_cmpint(test.how, ==, BROWSER_LOST_PAGE);
    stop(&test);
}

static void test_killed_browser_is_lost(void)
{
    Test test;
    start(&test);
    kill(browser_get_pid(test.browser), SIGKILL);
    FIXTURE_WAIT(test.lost, 10);
    g_assert_cmpint(test.how, ==, BROWSER_LOST_PROCESS);
    g_assert_nonnull(strstr(test.message, "signal 9"));
    stop(&test);
}

static void test_unreachable_page_says_why(void)
{
    Test test;
    start(&test);
    test.answered = false;
    browser_navigate(test.browser, "https://127.0.0.1:1/", 10000, on_answer, &test);
    FIXTURE_WAIT(test.answered, 15);
    g_assert_error(test.error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL);
    g_assert_nonnull(strstr(test.error->message, "net::ERR_"));
    stop(&test);
}

static void test_screenshot_is_a_png(void)
{
    Test test;
    start(&test);
    g_autofree char *dir = g_dir_make_tmp("steno-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "page.png", NULL);
    test.answered = false;
    browser_screenshot(test.browser, path, 10000, on_answer, &test);
    FIXTURE_WAIT(test.answered, 15);
    g_assert_no_error(test.error);
    g_autofree char *png = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(path, &png, &size, NULL));
    g_assert_cmpmem(png, MIN(size, 4), "\x89PNG", 4);
    browser_remove_tree(dir);
    stop(&test);
}

static void test_dead_program_says_its_last_words(void)
{
    Test test = {0};
    g_autoptr(GError) error = NULL;
    BrowserOptions *options = browser_options_new(NULL, NULL);
    options->sandbox = false;
    g_free(options->executable);
    options->executable = g_strdup("/bin/sh");
    options->args = g_strsplit("", " ", -1);
    test.browser = browser_new(options, NULL, &events, &test, &error);
    g_assert_no_error(error);
    FIXTURE_WAIT(test.lost, 10);
    g_assert_cmpint(test.how, ==, BROWSER_LOST_PROCESS);
    g_assert_nonnull(strstr(test.message, "exit status"));
    browser_free(test.browser);
    g_free(test.message);
}

static void test_sandbox_as_root_is_refused_with_advice(void)
{
    if (geteuid() != 0) {
        g_test_skip("not root");
        return;
    }
    g_autoptr(GError) error = NULL;
    BrowserOptions *options = browser_options_new(NULL, NULL);
    g_assert_true(options->sandbox);
    g_assert_null(browser_new(options, NULL, &events, NULL, &error));
    g_assert_error(error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER);
    g_assert_nonnull(strstr(error->message, "browser.sandbox"));
}

/* A worker that is killed: this program again, which starts a browser and tells its process id. */
G_NORETURN static void be_worker(void)
{
    static const BrowserEvents nothing = {on_ready, on_navigated, on_lost};
    Test test = {0};
    BrowserOptions *options = browser_options_new(NULL, NULL);
    options->sandbox = false;
    test.browser = browser_new(options, NULL, &nothing, &test, NULL);
    FIXTURE_WAIT(test.ready, 30);
    g_print("%d\n", browser_get_pid(test.browser));
    fflush(stdout);
    for (;;) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static void test_killed_worker_takes_its_browser_along(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) worker = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                                                     "/proc/self/exe", "--worker", NULL);
    g_assert_no_error(error);
    g_autoptr(GDataInputStream) lines =
        g_data_input_stream_new(g_subprocess_get_stdout_pipe(worker));
    g_autofree char *line = g_data_input_stream_read_line(lines, NULL, NULL, &error);
    g_assert_no_error(error);
    int pid = atoi(line);
    g_assert_true(fixture_process_lives(pid));
    g_assert_cmpuint(browser_profile_reap(), ==, 0); /* its owner lives */
    g_subprocess_send_signal(worker, SIGKILL);
    g_subprocess_wait(worker, NULL, NULL);
    FIXTURE_WAIT(!fixture_process_lives(pid), 30);
    unsigned n_reaped = 0; /* its helpers may write for a moment more */
    FIXTURE_WAIT((n_reaped += browser_profile_reap()) > 0, 40);
    g_assert_cmpuint(n_reaped, ==, 1);
}

static void test_a_long_temporary_folder_is_not_used(void)
{
    g_assert_cmpstr(browser_profile_base("/var/tmp"), ==, "/var/tmp");
    g_assert_cmpstr(browser_profile_base("/home/somebody/a/rather/long/path/for/temporary/files"),
                    ==, "/tmp");
}

/* Others clean up while one begins: its folder is not taken for a dead one's at any moment. */
static gpointer reap_again_and_again(gpointer data)
{
    gint *over = data;
    while (g_atomic_int_get(over) == 0) {
        (void)browser_profile_reap(); /* what goes at the same moment it may count as its own */
    }
    return NULL;
}

static void beginning_profiles_are_left_alone(void)
{
    gint over = 0;
    GThread *thread = g_thread_new("reaper", reap_again_and_again, &over);
    for (int i = 0; i < 2000; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(BrowserProfile) profile = browser_profile_new(&error);
        g_assert_no_error(error);
        g_assert_true(g_file_test(browser_profile_get_path(profile), G_FILE_TEST_IS_DIR));
    }
    g_atomic_int_set(&over, 1);
    g_thread_join(thread);
}

int main(int argc, char *argv[])
{
    if (argc == 2 && strcmp(argv[1], "--worker") == 0) {
        be_worker();
    }
    /* Folders of dead workers are counted: not those of other tests. Before GLib looks. */
    char tmp[] = "/tmp/steno-test-XXXXXX";
    g_assert_nonnull(mkdtemp(tmp));
    g_setenv("TMPDIR", tmp, TRUE);
    fixture_init(&argc, &argv);
    g_test_add_func("/browser/beginning_profiles_are_left_alone",
                    beginning_profiles_are_left_alone);
    g_test_add_func("/browser/a_long_temporary_folder_is_not_used",
                    test_a_long_temporary_folder_is_not_used);
    g_test_add_func("/browser/evaluates_with_scripts_in_place",
                    test_evaluates_with_scripts_in_place);
    g_test_add_func("/browser/alert_does_not_hold_the_page", test_alert_does_not_hold_the_page);
    g_test_add_func("/browser/frozen_page_times_out_and_can_be_interrupted",
                    test_frozen_page_times_out_and_can_be_interrupted);
    g_test_add_func("/browser/crashed_page_is_lost", test_crashed_page_is_lost);
    g_test_add_func("/browser/killed_browser_is_lost", test_killed_browser_is_lost);
    g_test_add_func("/browser/unreachable_page_says_why", test_unreachable_page_says_why);
    g_test_add_func("/browser/screenshot_is_a_png", test_screenshot_is_a_png);
    g_test_add_func("/browser/dead_program_says_its_last_words",
                    test_dead_program_says_its_last_words);
    g_test_add_func("/browser/sandbox_as_root_is_refused_with_advice",
                    test_sandbox_as_root_is_refused_with_advice);
    g_test_add_func("/browser/killed_worker_takes_its_browser_along",
                    test_killed_worker_takes_its_browser_along);
    int status = fixture_run();
    g_assert_cmpint(g_rmdir(tmp), ==, 0);
    return status;
}
