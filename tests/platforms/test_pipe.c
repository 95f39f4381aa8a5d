/* SPDX-License-Identifier: Apache-2.0 */
/* The DevTools pipe against a scripted peer at the other ends. */
#include "platforms/browser/pipe.h"

#include "platforms/json.h"
#include "platforms/platform.h"
#include "tests/platforms/fixture.h"

#include <glib-unix.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    BrowserPipe *pipe;
    int in, out; /* the peer's: reads calls, writes answers */
    unsigned n_replies, n_events, n_closed;
    char *result, *event;
    GError *error, *closed;
    bool free_in_reply;
} Test;

static void on_event(const char *session, const char *method, JsonObject *params,
                     gpointer user_data)
{
    Test *test = user_data;
    test->n_events++;
    g_free(test->event);
    test->event = g_strdup_printf("%s %s %" G_GINT64_FORMAT, session, method,
                                  platform_json_int(params, "n", -1));
}

static void on_closed(const GError *error, gpointer user_data)
{
    Test *test = user_data;
    test->n_closed++;
    test->closed = g_error_copy(error);
}

static void on_reply(JsonObject *result, const GError *error, gpointer user_data)
{
    Test *test = user_data;
    test->n_replies++;
    g_clear_error(&test->error);
    test->error = error != NULL ? g_error_copy(error) : NULL;
    g_free(test->result);
    test->result = g_strdup(platform_json_string(result, "text", NULL));
    if (test->free_in_reply) {
        g_clear_pointer(&test->pipe, browser_pipe_free);
    }
}

static void start(Test *test)
{
    static const BrowserPipeEvents events = {on_event, on_closed};
    int calls[2], answers[2];
    memset(test, 0, sizeof *test);
    g_assert_true(g_unix_open_pipe(calls, FD_CLOEXEC, NULL));
    g_assert_true(g_unix_open_pipe(answers, FD_CLOEXEC, NULL));
    test->in = calls[0];
    test->out = answers[1];
    fcntl(test->in, F_SETFL, O_NONBLOCK);
    test->pipe = browser_pipe_new(answers[0], calls[1], &events, test);
}

static void stop(Test *test)
{
    browser_pipe_free(test->pipe);
    if (test->in >= 0) {
        close(test->in);
    }
    if (test->out >= 0) {
        close(test->out);
    }
    g_clear_error(&test->error);
    g_clear_error(&test->closed);
    g_free(test->result);
    g_free(test->event);
}

static void answer(Test *test, const char *text, size_t size)
{
    g_assert_cmpint(write(test->out, text, size), ==, (gssize)size);
}

#define ANSWER(test, text) answer(test, text, sizeof text) /* with its NUL */

static void test_matches_replies_by_id(void)
{
    Test test;
    start(&test);
    browser_pipe_call(test.pipe, "S1", "Page.x", g_variant_new_parsed("{'a': <'\"q\"'>}"), 5000,
                      on_reply, &test);
    char sent[256] = "";
    g_assert_cmpint(read(test.in, sent, sizeof sent), >, 0);
    g_assert_cmpstr(sent, ==,
                    "{\"id\":1,\"method\":\"Page.x\",\"sessionId\":\"S1\","
                    "\"params\":{\"a\":\"\\\"q\\\"\"}}");
    ANSWER(&test, "{\"id\":9,\"result\":{\"text\":\"other\"}}");
    answer(&test, "{\"id\":1,\"resu", 13); /* in pieces */
    g_assert_cmpuint(test.n_replies, ==, 0);
    ANSWER(&test, "lt\":{\"text\":\"mine\"}}");
    FIXTURE_WAIT(test.n_replies == 1, 5);
    g_assert_cmpstr(test.result, ==, "mine");
    stop(&test);
}

static void test_refusals_and_events(void)
{
    Test test;
    start(&test);
    browser_pipe_call(test.pipe, NULL, "X.y", NULL, 5000, on_reply, &test);
    ANSWER(&test, "{\"method\":\"A.b\",\"sessionId\":\"S\",\"params\":{\"n\":3}}");
    ANSWER(&test, "{\"id\":1,\"error\":{\"code\":-32601,\"message\":\"wasn't found\"}}");
    FIXTURE_WAIT(test.n_replies == 1, 5);
    g_assert_cmpstr(test.event, ==, "S A.b 3");
    g_assert_error(test.error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL);
    g_assert_cmpstr(test.error->message, ==, "X.y: wasn't found");
    stop(&test);
}

static void test_silence_times_out_once(void)
{
    Test test;
    start(&test);
    browser_pipe_call(test.pipe, NULL, "X.y", NULL, 20, on_reply, &test);
    FIXTURE_WAIT(test.n_replies == 1, 5);
    g_assert_error(test.error, PLATFORM_ERROR, PLATFORM_ERROR_TIMEOUT);
    ANSWER(&test, "{\"id\":1,\"result\":{}}"); /* too late */
    ANSWER(&test, "{\"method\":\"A.b\"}");
    FIXTURE_WAIT(test.n_events == 1, 5);
    g_assert_cmpuint(test.n_replies, ==, 1);
    stop(&test);
}

static void test_too_large_is_refused(void)
{
    Test test;
    start(&test);
    g_autofree char *large = g_strnfill(16 << 20, 'x');
    browser_pipe_call(test.pipe, NULL, "X.y", g_variant_new_parsed("{'a': <%s>}", large), 5000,
                      on_reply, &test);
    g_assert_cmpuint(test.n_replies, ==, 0); /* not from inside the call */
    FIXTURE_WAIT(test.n_replies == 1, 5);
    g_assert_error(test.error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER);
    stop(&test);
}

static void test_peer_that_does_not_read_does_not_block(void)
{
    Test test;
    start(&test);
    g_autofree char *large = g_strnfill(1 << 20, 'x');
    for (int i = 0; i < 3; i++) {
        browser_pipe_call(test.pipe, NULL, "X.y", g_variant_new_parsed("{'a': <%s>}", large), 5000,
                          on_reply, &test);
    }
    size_t n_read = 0;
    g_autofree char *buffer = g_malloc(1 << 16);
    while (n_read < (3 << 20)) { /* it comes when the peer reads at last */
        ssize_t n = read(test.in, buffer, 1 << 16);
        n_read += (size_t)MAX(n, 0);
        g_main_context_iteration(NULL, FALSE);
    }
    g_assert_cmpuint(test.n_replies, ==, 0);
    stop(&test);
}

static void test_hangup_fails_every_call_then_closes(void)
{
    Test test;
    start(&test);
    browser_pipe_call(test.pipe, NULL, "X.y", NULL, 60000, on_reply, &test);
    browser_pipe_call(test.pipe, NULL, "X.z", NULL, 60000, on_reply, &test);
    close(test.out);
    test.out = -1;
    FIXTURE_WAIT(test.n_closed == 1, 5);
    g_assert_cmpuint(test.n_replies, ==, 2);
    g_assert_error(test.error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER);
    browser_pipe_call(test.pipe, NULL, "X.z", NULL, 60000, on_reply, &test);
    FIXTURE_WAIT(test.n_replies == 3, 5);
    g_assert_cmpuint(test.n_closed, ==, 1);
    stop(&test);
}

static void test_garbage_breaks_it(void)
{
    static const char *const garbage[] = {"not json", "[1]", "{\"id\":", "\xff\xfe"};
    for (size_t i = 0; i < G_N_ELEMENTS(garbage); i++) {
        Test test;
        start(&test);
        answer(&test, garbage[i], strlen(garbage[i]) + 1);
        FIXTURE_WAIT(test.n_closed == 1, 5);
        g_assert_error(test.closed, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL);
        stop(&test);
    }
}

static void test_deep_nesting_breaks_it(void)
{
    Test test;
    start(&test);
    g_autofree char *deep = g_strnfill(40000, '[');
    answer(&test, deep, strlen(deep) + 1);
    FIXTURE_WAIT(test.n_closed == 1, 5);
    stop(&test);
}

static void test_freed_inside_a_reply(void)
{
    Test test;
    start(&test);
    test.free_in_reply = true;
    browser_pipe_call(test.pipe, NULL, "X.y", NULL, 60000, on_reply, &test);
    browser_pipe_call(test.pipe, NULL, "X.z", NULL, 60000, on_reply, &test);
    ANSWER(&test, "{\"id\":1,\"result\":{}}");
    ANSWER(&test, "{\"id\":2,\"result\":{}}");
    FIXTURE_WAIT(test.n_replies == 1, 5);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_assert_cmpuint(test.n_replies, ==, 1);
    stop(&test);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pipe/matches_replies_by_id", test_matches_replies_by_id);
    g_test_add_func("/pipe/refusals_and_events", test_refusals_and_events);
    g_test_add_func("/pipe/silence_times_out_once", test_silence_times_out_once);
    g_test_add_func("/pipe/too_large_is_refused", test_too_large_is_refused);
    g_test_add_func("/pipe/peer_that_does_not_read_does_not_block",
                    test_peer_that_does_not_read_does_not_block);
    g_test_add_func("/pipe/hangup_fails_every_call_then_closes",
                    test_hangup_fails_every_call_then_closes);
    g_test_add_func("/pipe/garbage_breaks_it", test_garbage_breaks_it);
    g_test_add_func("/pipe/deep_nesting_breaks_it", test_deep_nesting_breaks_it);
    g_test_add_func("/pipe/freed_inside_a_reply", test_freed_inside_a_reply);
    return g_test_run();
}
