/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the page's scripts read a page by rules, and how they write into its chat, in a real
 * Chromium: platforms/page/dom.js and people.js.
 */
#include "platforms/page/page.h"

#include "tests/platforms/fixture.h"

#include <string.h>

static const char rules[] =
    "{\"exclude\": \"#private\", \"dialogs\": \"[role=dialog]\", \"in_call_min\": 2, \"purposes\": "
    "{"
    "\"people\": [{\"id\": \"name\", \"css\": \"[role=button]\", \"name\": [\"People\"], "
    "\"match\": \"begins\"}],"
    "\"counted\": [{\"id\": \"name\", \"css\": \"button\", \"name\": [\"people -\"]}],"
    "\"field\": [{\"id\": \"label\", \"css\": \"input\", \"name\": [\"your name\"], "
    "\"match\": \"exact\"}],"
    "\"host\": [{\"id\": \"x\", \"css\": \"p\", \"text\": [\"waiting for the host\"], "
    "\"unless\": [\"host to let you in\"]}],"
    "\"frame\": [{\"id\": \"x\", \"css\": \"iframe\", \"min_size\": [120, 40]}],"
    "\"tile\": [{\"id\": \"x\", \"css\": \".tile\"}],"
    "\"speaking_mark\": [{\"id\": \"x\", \"css\": \".mark:not(.silent)\"}],"
    "\"tile_name\": [{\"id\": \"x\", \"css\": \"b\"}],"
    "\"tile_name_tail\": [{\"id\": \"x\", \"text\": [\", muted\"]}],"
    "\"in_call\": [{\"id\": \"leave\", \"css\": \"#lobby\", \"lobby_too\": true},"
    "{\"id\": \"chip\", \"css\": \"#chip\", \"lobby_too\": true},"
    "{\"id\": \"named\", \"css\": \"#named\", \"lobby_too\": true},"
    "{\"id\": \"tools\", \"css\": \"#tools\"}],"
    "\"chat_button\": [{\"id\": \"x\", \"css\": \"#open\"}],"
    "\"chat_input\": [{\"id\": \"x\", \"css\": \".field\"}],"
    "\"chat_send\": [{\"id\": \"x\", \"css\": \".send\"}]}}";

typedef struct {
    Fixture fixture;
    Page *page;
    bool ready, at;
} Test;

static Test test; /* one browser for all */

static void on_ready(gpointer user_data)
{
    test.ready = true;
}

static void on_navigated(const char *url, gpointer user_data)
{
}

static void on_message(const char *type, JsonObject *message, gpointer user_data)
{
}

static void on_lost(BrowserLost lost, const char *message, gpointer user_data)
{
    g_error("the page is lost: %s", message);
}

static bool is_home(const char *url, gpointer user_data)
{
    return false;
}

static void on_arrived(JsonNode *value, const GError *error, gpointer user_data)
{
    g_assert_no_error(error);
    test.at = true;
}

static void start(void)
{
    static const PageEvents events = {.on_ready = on_ready,
                                      .on_navigated = on_navigated,
                                      .on_message = on_message,
                                      .on_lost = on_lost};
    static const char *const none[] = {NULL};
    fixture_start(&test.fixture);
    PageConfig config = {.browser = fixture_browser_options(&test.fixture),
                         .is_home = is_home,
                         .channels = none,
                         .fetches = none,
                         .rules = rules};
    g_autoptr(GError) error = NULL;
    test.page = page_new(&config, &events, NULL, &error);
    g_assert_no_error(error);
    FIXTURE_WAIT(test.ready, 30);
}

static void stop(void)
{
    page_free(test.page);
    fixture_stop(&test.fixture);
}

static void go(const char *path)
{
    g_autofree char *url = fixture_url(&test.fixture, path);
    test.at = false;
    browser_navigate(page_get_browser(test.page), url, 20000, on_arrived, NULL);
    FIXTURE_WAIT(test.at, 20);
    bool loaded = false;
    while (!loaded) {
        g_autofree char *value =
            fixture_evaluate(page_get_browser(test.page),
                             "document.readyState === 'complete' && '__steno' in window");
        loaded = strcmp(value, "true") == 0;
    }
}

static void expect(const char *expression, const char *json)
{
    g_autofree char *value = fixture_evaluate(page_get_browser(test.page), expression);
    g_assert_cmpstr(value, ==, json);
}

/* What check-page would print for the only candidate of @purpose. */
static void expect_table(const char *purpose, const char *found)
{
    g_autofree char *call =
        g_strdup_printf("__steno.table().find((row) => row.purpose === '%s').found", purpose);
    g_autofree char *json = g_strdup_printf("\"%s\"", found);
    expect(call, json);
}

static void test_names_are_what_labels_say(void)
{
    go("/dom.html");
    expect_table("people", "<div#chip> People");
    expect_table("counted", "<button#counted> People - 3 joined");
    expect_table("field", "<input#named> Your name");
}

static void test_what_must_not_stand_there(void)
{
    go("/dom.html");
    expect_table("host", "<p#host> Waiting for the host to join");
}

static void test_only_what_is_seen_has_a_size(void)
{
    go("/dom.html");
    expect_table("frame", "<iframe#seen> ");
    expect("document.getElementById('seen').remove(), "
           "__steno.read(['frame'], null, [], []).found.frame === undefined",
           "true");
}

static void test_the_lobbys_marks_alone_are_no_call(void)
{
    go("/dom.html");
    expect("__steno.read([], 'in_call', [], []).count", "1"); /* three show, two make a call */
    expect("document.getElementById('host').id = 'tools', "
           "__steno.read([], 'in_call', [], []).count",
           "4");
}

/* The table reads what the page's code reads, also where nothing else looks. */
static void test_lists_are_read_in_what_is_excluded(void)
{
    go("/dom.html");
    expect_table("tile", "2 x <div> Alice, muted");
    expect_table("speaking_mark", "<i> ");
    expect_table("tile_name", "2 x <b> Alice");
    expect_table("tile_name_tail", "<div> Alice, muted");
    expect("document.getElementById('chip').remove(), __steno.table().find((row) => "
           "row.purpose === 'people').found",
           "\"-\""); /* but a button is looked for outside of it */
}

static const char field_content[] = "(({value, innerText}) => value === undefined ? "
                                    "innerText.trim() : value)(document.querySelector('.field'))";

static void test_chat_is_sent(void)
{
    static const char *const fields[] = {"/chat.html", "/chat.html?editor"};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        go(fields[i]);
        expect("__steno.send_chat('one  two\\u00a0three\\nfour')", "null");
        expect("state.sent.map((text) => text.replace(/\\s+/g, ' '))", "[\"one two three four\"]");
        expect("state.sent[0].trim().split('\\n').length", "2"); /* a line is a line */
        expect("__steno.send_chat('again')", "null");
        expect("state.presses", "1");
    }
}

static void test_a_chat_that_shows_late_is_not_closed_again(void)
{
    go("/chat.html?late&editor");
    expect("__steno.send_chat('hello')", "\"the chat did not open\"");
    expect("(async () => { let problem; do { problem = await __steno.send_chat('hello'); } "
           "while (problem === 'the chat did not open'); return problem; })()",
           "null");
    expect("[state.presses, state.sent.map((text) => text.trim())]", "[1,[\"hello\"]]");
}

static void test_what_was_not_sent_does_not_stay_in_the_field(void)
{
    static const char *const fields[] = {"", "&editor"};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        g_autofree char *mute = g_strconcat("/chat.html?mute", fields[i], NULL);
        go(mute);
        expect("__steno.send_chat('hello')", "\"the chat field did not empty\"");
        expect(field_content, "\"\"");
        g_autofree char *refusing = g_strconcat("/chat.html?refuse=1", fields[i], NULL);
        go(refusing);
        expect("__steno.send_chat('hello')", "\"the chat field did not take the text\"");
        expect(field_content, "\"\"");
        expect("__steno.send_chat('hello')", "null");
        expect("state.sent.map((text) => text.trim())", "[\"hello\"]");
    }
}

static void test_a_text_too_long_for_the_field_is_not_cut_in_silence(void)
{
    go("/chat.html?max=20");
    expect("__steno.send_chat('0123456789012345678901234')", "{\"limit\":20}");
    expect("state.sent.length", "0");
    expect("__steno.send_chat('01234567890123456789')", "null");
}

int main(int argc, char *argv[])
{
    fixture_init(&argc, &argv);
    g_test_add_func("/dom/names_are_what_labels_say", test_names_are_what_labels_say);
    g_test_add_func("/dom/what_must_not_stand_there", test_what_must_not_stand_there);
    g_test_add_func("/dom/only_what_is_seen_has_a_size", test_only_what_is_seen_has_a_size);
    g_test_add_func("/dom/the_lobbys_marks_alone_are_no_call",
                    test_the_lobbys_marks_alone_are_no_call);
    g_test_add_func("/dom/lists_are_read_in_what_is_excluded",
                    test_lists_are_read_in_what_is_excluded);
    g_test_add_func("/dom/chat_is_sent", test_chat_is_sent);
    g_test_add_func("/dom/a_chat_that_shows_late_is_not_closed_again",
                    test_a_chat_that_shows_late_is_not_closed_again);
    g_test_add_func("/dom/what_was_not_sent_does_not_stay_in_the_field",
                    test_what_was_not_sent_does_not_stay_in_the_field);
    g_test_add_func("/dom/a_text_too_long_for_the_field_is_not_cut_in_silence",
                    test_a_text_too_long_for_the_field_is_not_cut_in_silence);
    start();
    int status = g_test_run();
    stop();
    fixture_end();
    return status;
}
