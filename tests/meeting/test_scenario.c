// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/scenario.h"

#include <string.h>

static MeetingScenario *parse(const char *json, GError **error)
{
    return meeting_scenario_parse(json, -1, ".", NULL, error);
}

static void test_defaults(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MeetingScenario) s = parse("{}", &error);
    g_assert_no_error(error);
    g_assert_cmpint(s->lobby_mode, ==, MEETING_LOBBY_NONE);
    g_assert_cmpfloat(s->duration_s, ==, G_MAXDOUBLE);
    g_assert_true(s->audio_level);
    g_assert_cmpuint(s->people->len, ==, 0);
}

static void test_whole_format(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MeetingScenario) s = parse(
        "{\"platform\":\"meet\",\"duration_s\":30,\"lobby\":{\"mode\":\"admit\",\"after_s\":2},"
        "\"participants\":[{\"id\":\"alice\",\"name\":\"Alice Martin\",\"host\":true,"
        "\"join_s\":0,\"leave_s\":null,\"camera\":{\"source\":\"pattern:ball\","
        "\"codec\":\"vp9\",\"width\":320,\"height\":180,\"fps\":15},"
        "\"speech\":[{\"at_s\":9.0,\"tone_hz\":440,\"for_s\":1.5}],"
        "\"screen\":[{\"from_s\":12,\"to_s\":20,\"source\":\"pattern:smpte\"}]},"
        "{\"id\":\"bob\",\"camera\":\"flash_beep\",\"join_s\":3,\"leave_s\":8}],"
        "\"chat\":[{\"at_s\":5,\"from\":\"alice\",\"text\":\"Hello\"}],"
        "\"events\":[{\"at_s\":25,\"do\":\"end_meeting\"},"
        "{\"at_s\":4,\"do\":\"mute\",\"id\":\"bob\"}],"
        "\"network\":{\"loss\":0.05,\"jitter_ms\":20,\"seed\":3},"
        "\"wire\":{\"receivers\":\"inactive\",\"audio_level\":false,\"red\":true,"
        "\"recycle_every_s\":0.5,\"leaves\":\"absence\"},"
        "\"page\":{\"variant\":\"normal\",\"dialogs\":[\"recorded\"]}}",
        &error);
    g_assert_no_error(error);
    g_assert_cmpuint(s->people->len, ==, 2);
    const MeetingPerson *alice = g_ptr_array_index(s->people, 0);
    const MeetingPerson *bob = g_ptr_array_index(s->people, 1);
    g_assert_cmpint(alice->number, ==, 1);
    g_assert_cmpint(alice->camera->codec, ==, MEETING_CODEC_VP9);
    g_assert_cmpint(alice->camera->fps, ==, 15);
    g_assert_cmpstr(bob->camera->source, ==, "flash_beep");
    g_assert_cmpstr(bob->name, ==, "bob");
    /* Events are sorted by time. */
    g_assert_cmpint(((MeetingEvent *)g_ptr_array_index(s->events, 0))->action, ==, MEETING_DO_MUTE);
    g_assert_cmpint(s->receivers, ==, MEETING_RECEIVERS_INACTIVE);
    g_assert_true(s->red);
    g_assert_false(s->audio_level);
    g_assert_cmpfloat(s->network_seed, ==, 3);

    g_assert_false(meeting_person_present(bob, 2.9));
    g_assert_true(meeting_person_camera_on(s, bob, 3.0));
    g_assert_false(meeting_person_camera_on(s, bob, 8.0));
    g_assert_false(meeting_person_muted(s, bob, 3.9));
    g_assert_true(meeting_person_muted(s, bob, 4.0));
    g_assert_null(meeting_person_screen(alice, 11.9));
    g_assert_nonnull(meeting_person_screen(alice, 12.0));
}

static void test_says_what_is_wrong(void)
{
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"", "the scenario is not "},
        {"[]", "the scenario is not one JSON object"},
        {"{\"lobbby\":{}}", "lobbby: unknown key"},
        {"{\"lobby\":{\"mode\":\"maybe\"}}", "lobby.mode: expected one of none, admit"},
        {"{\"duration_s\":\"30\"}", "duration_s: expected a number from 0 to 86400, got \"30\""},
        {"{\"participants\":{}}", "participants: expected an array"},
        {"{\"participants\":[{\"name\":\"x\"}]}", "participants[0].id: expected"},
        {"{\"participants\":[{\"id\":\"a\"},{\"id\":\"a\"}]}", "participants[1]: expected an id"},
        {"{\"participants\":[{\"id\":\"a\",\"camera\":{\"source\":\"pattern:nope\"}}]}",
         "participants[0].camera.source: expected flash_beep"},
        {"{\"participants\":[{\"id\":\"a\",\"camera\":{\"source\":\"pattern:ball\",\"fps\":2.5}}]}",
         "participants[0].camera.fps: expected a whole number"},
        {"{\"participants\":[{\"id\":\"a\",\"camera\":{\"source\":\"file:no-such\"}}]}",
         "participants[0].camera.source: there is no file"},
        {"{\"participants\":[{\"id\":\"a\",\"speech\":[{\"at_s\":1,\"wav\":\"none.wav\"}]}]}",
         "participants[0].speech[0].wav: there is no file"},
        {"{\"participants\":[{\"id\":\"a\",\"speech\":[{\"at_s\":1,\"tone_hz\":440}]}]}",
         "participants[0].speech[0]: expected either wav, or tone_hz with for_s"},
        {"{\"participants\":[{\"id\":\"a\",\"join_s\":5,\"leave_s\":4}]}",
         "participants[0]: expected leave_s after join_s"},
        {"{\"participants\":[{\"id\":\"a\"},{\"id\":\"b\",\"companion_of\":\"c\"}]}",
         "participants[1]: expected companion_of somebody before"},
        {"{\"participants\":[{\"id\":\"a\",\"companion_of\":\"a\"}]}",
         "participants[0]: expected companion_of somebody before"},
        {"{\"participants\":[{\"id\":\"a\"},{\"id\":\"b\",\"companion_of\":\"a\",\"camera\":"
         "\"pattern:ball\"}]}",
         "participants[1].camera: expected nothing, of a companion"},
        {"{\"participants\":[{\"id\":\"a\",\"room\":\"\"}]}",
         "participants[0].room: expected a string"},
        {"{\"chat\":[{\"at_s\":1,\"from\":\"x\",\"text\":\"y\"}]}", "chat[0].from: expected"},
        {"{\"events\":[{\"at_s\":1,\"do\":\"dance\"}]}", "events[0].do: expected one of"},
        {"{\"events\":[{\"at_s\":1,\"do\":\"mute\"}]}", "events[0].id: expected"},
        {"{\"events\":[{\"at_s\":1,\"do\":\"show_dialog\"}]}", "events[0].name: expected"},
        {"{\"events\":[{\"at_s\":-1,\"do\":\"end_meeting\"}]}", "events[0].at_s: expected"},
        {"{\"network\":{\"loss\":2}}", "network.loss: expected a number from 0 to 0.9"},
        {"{\"wire\":{\"red\":1}}", "wire.red: expected true or false, got 1"},
        {"{\"wire\":{\"recycle_every_s\":0.01}}", "wire.recycle_every_s: expected 0"},
        {"{\"page\":{\"variant\":\"odd\"}}", "page.variant: expected one of normal"},
        {"{\"platform\":\"zoom\",\"page\":{\"wording\":\"german\"}}", "page.wording: expected"},
        {"{\"platform\":\"teams\",\"page\":{\"variant\":\"full\"}}", "page.variant: expected"},
        {"{\"page\":{\"quirks\":[\"bot_wall\"]}}",
         "page.quirks[0]: expected one of this platform's"},
        {"{\"platform\":\"skype\"}", "platform: expected one of meet"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MeetingScenario) s = parse(cases[i].json, &error);
        g_assert_null(s);
        g_assert_error(error, MEETING_ERROR, MEETING_ERROR_SCENARIO);
        if (strstr(error->message, cases[i].message) == NULL)
            g_error("%s: got \"%s\", wanted \"%s\"", cases[i].json, error->message,
                    cases[i].message);
    }
}

static void test_second_devices_and_rooms(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MeetingScenario) s =
        parse("{\"participants\":[{\"id\":\"a\",\"name\":\"Alice\",\"room\":\"den\"},"
              "{\"id\":\"b\",\"companion_of\":\"a\",\"screen\":[{\"from_s\":1,\"to_s\":2,"
              "\"source\":\"pattern:smpte\"}]}]}",
              &error);
    g_assert_no_error(error);
    const MeetingPerson *alice = g_ptr_array_index(s->people, 0);
    const MeetingPerson *second = g_ptr_array_index(s->people, 1);
    g_assert_cmpstr(alice->room, ==, "den");
    g_assert_true(second->companion_of == alice);
    g_assert_cmpstr(second->name, ==, "Alice");
    g_assert_cmpuint(second->screens->len, ==, 1);
}

/* Every scenario that comes with the test meeting is valid. */
static void test_shipped(void)
{
    g_autofree char *folder =
        g_build_filename(g_getenv("G_TEST_SRCDIR"), "meeting", "scenarios", NULL);
    g_autofree char *speech =
        g_build_filename(g_getenv("G_TEST_BUILDDIR"), "meeting", "speech", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_assert_nonnull(dir);
    const char *name;
    guint n = 0;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *text = NULL;
        g_assert_true(g_file_get_contents(path, &text, NULL, &error));
        g_autoptr(MeetingScenario) s = meeting_scenario_parse(text, -1, folder, speech, &error);
        if (s == NULL)
            g_error("%s: %s", name, error->message);
        n++;
    }
    g_assert_cmpuint(n, >, 30);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scenario/an_empty_one_has_defaults", test_defaults);
    g_test_add_func("/scenario/the_whole_format_is_read", test_whole_format);
    g_test_add_func("/scenario/says_what_is_wrong_and_where", test_says_what_is_wrong);
    g_test_add_func("/scenario/second_devices_and_rooms", test_second_devices_and_rooms);
    g_test_add_func("/scenario/all_shipped_ones_are_valid", test_shipped);
    return g_test_run();
}
