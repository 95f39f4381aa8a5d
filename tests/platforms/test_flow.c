/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/adapter/flow.h"

static Flow flow;
static FlowReading page;
static int64_t clock_ms;

static void fresh(void)
{
    flow = (Flow){.in_call_min = 4,
                  .prejoin_ms = 60000,
                  .rejoin_ms = 6000,
                  .vanished_ms = 20000,
                  .network_lost_ms = 30000};
    page = (FlowReading){.place = FLOW_PLACE_HOME};
    clock_ms = 1000;
}

static void show(FlowPurpose purpose, bool shown)
{
    page.rules[purpose] = shown ? "x" : NULL;
}

static FlowStep step(int64_t after_ms)
{
    clock_ms += after_ms;
    return flow_step(&flow, &page, clock_ms);
}

static void expect_click(FlowPurpose purpose)
{
    FlowStep got = step(300);
    g_assert_cmpint(got.todo, ==, FLOW_DO_CLICK);
    g_assert_cmpint(got.purpose, ==, purpose);
}

static void expect_left(FlowStep got, PlatformLeft left)
{
    g_assert_cmpint(got.todo, ==, FLOW_DO_LEFT);
    g_assert_cmpstr(platform_left_to_string(got.left), ==, platform_left_to_string(left));
    g_assert_nonnull(got.message);
}

static void enter_call(void)
{
    fresh();
    page.n_in_call = 6;
    step(0);
    g_assert_true(step(300).admitted);
}

static void test_prejoin_order(void)
{
    fresh();
    show(FLOW_DISMISS, true);
    show(FLOW_MIC_IS_ON, true);
    show(FLOW_CAMERA_IS_ON, true);
    show(FLOW_NAME_FIELD, true);
    show(FLOW_JOIN_BUTTON, true);
    expect_click(FLOW_DISMISS);
    show(FLOW_DISMISS, false);
    expect_click(FLOW_MIC_IS_ON);
    show(FLOW_MIC_IS_ON, false);
    expect_click(FLOW_CAMERA_IS_ON);
    show(FLOW_CAMERA_IS_ON, false);
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NAME);
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NAME); /* until the field holds it */
    flow.named = true;
    expect_click(FLOW_JOIN_BUTTON);
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING); /* not pressed again at once */
    clock_ms += 6000;
    expect_click(FLOW_JOIN_BUTTON);
    flow.rejoin_ms = 15000;
    show(FLOW_DISMISS, true); /* the button's own question */
    expect_click(FLOW_DISMISS);
    show(FLOW_DISMISS, false);
    g_assert_cmpint(step(2500).todo, ==, FLOW_DO_NOTHING);
    clock_ms += 500;
    expect_click(FLOW_JOIN_BUTTON);
}

static void test_what_does_not_react_is_left_alone(void)
{
    fresh();
    show(FLOW_DISMISS, true);
    show(FLOW_JOIN_BUTTON, true);
    for (int i = 0; i < 8; i++) {
        expect_click(FLOW_DISMISS);
    }
    expect_click(FLOW_JOIN_BUTTON);
    enter_call();
    show(FLOW_CONSENT, true);
    for (int i = 0; i < 8; i++) {
        expect_click(FLOW_CONSENT);
    }
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING);
    show(FLOW_CONSENT, false);
    step(300);
    show(FLOW_CONSENT, true); /* another one */
    expect_click(FLOW_CONSENT);
}

static void test_lobby_comes_before_call(void)
{
    fresh();
    page.n_in_call = 9; /* the lobby shows the call's controls too */
    show(FLOW_LOBBY, true);
    g_assert_true(step(300).lobby);
    for (int i = 0; i < 20; i++) {
        FlowStep got = step(300);
        g_assert_false(got.lobby);
        g_assert_false(got.admitted);
    }
    show(FLOW_HOST_ABSENT, true);
    g_assert_true(step(300).host_changed);
    g_assert_true(flow.host_absent);
    g_assert_false(step(300).host_changed);
    show(FLOW_HOST_ABSENT, false);
    g_assert_true(step(300).host_changed);
    show(FLOW_LOBBY, false);
    g_assert_false(step(300).admitted); /* one sight is none */
    g_assert_true(step(300).admitted);
    g_assert_false(step(300).admitted);
}

static void test_a_hint_means_the_lobby_after_a_while(void)
{
    fresh();
    flow.lobby_hint_ms = 5000;
    show(FLOW_JOIN_BUTTON, true);
    expect_click(FLOW_JOIN_BUTTON);
    show(FLOW_JOIN_BUTTON, false);
    show(FLOW_LOBBY_HINT, true);
    page.n_in_call = 3; /* all that the lobby shows of the call's controls */
    g_assert_false(step(4900).lobby);
    g_assert_true(step(100).lobby);
    g_assert_cmpint(flow.phase, ==, FLOW_PHASE_LOBBY);
    page.n_in_call = 6;
    step(300);
    g_assert_true(step(300).admitted);
}

static void test_few_marks_are_no_call(void)
{
    fresh();
    page.n_in_call = 3;
    for (int i = 0; i < 10; i++) {
        g_assert_false(step(300).admitted);
    }
}

static void test_passcode_is_given_once(void)
{
    fresh();
    flow.has_passcode = true;
    flow.named = true;
    show(FLOW_JOIN_BUTTON, true);
    expect_click(FLOW_JOIN_BUTTON);
    show(FLOW_PASSCODE_FIELD, true); /* asked for after the button */
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_PASSCODE);
    flow.passcode_given = true;
    expect_click(FLOW_JOIN_BUTTON); /* at once, not after rejoin_ms */
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING);
    show(FLOW_PASSCODE_WRONG, true);
    expect_left(step(300), PLATFORM_LEFT_NOT_FOUND);
    fresh();
    show(FLOW_PASSCODE_FIELD, true); /* and none is known */
    expect_left(step(300), PLATFORM_LEFT_NOT_FOUND);
}

static void test_fields_that_take_nothing_end_it(void)
{
    fresh();
    show(FLOW_NAME_FIELD, true);
    show(FLOW_JOIN_BUTTON, true);
    g_assert_cmpint(step(0).todo, ==, FLOW_DO_NAME);
    g_assert_cmpint(step(59000).todo, ==, FLOW_DO_NAME);
    expect_left(step(1000), PLATFORM_LEFT_UI_NOT_FOUND);
    fresh();
    flow.has_passcode = true;
    show(FLOW_PASSCODE_FIELD, true);
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_PASSCODE);
    flow.passcode_refused = true;
    expect_left(step(300), PLATFORM_LEFT_NOT_FOUND);
}

static void test_a_join_button_that_leads_nowhere_ends_it(void)
{
    fresh();
    flow.named = true;
    show(FLOW_JOIN_BUTTON, true);
    unsigned n_presses = 0;
    FlowStep got = step(0);
    for (; got.todo != FLOW_DO_LEFT && clock_ms < 200000; got = step(300)) {
        n_presses += got.todo == FLOW_DO_CLICK ? 1 : 0;
    }
    expect_left(got, PLATFORM_LEFT_UI_NOT_FOUND);
    g_assert_cmpuint(n_presses, ==, 10); /* a minute, six seconds apart */
}

static void test_a_page_that_waits_for_the_host_is_loaded_again(void)
{
    fresh();
    flow.reload_ms = 15000;
    show(FLOW_NOT_STARTED, true);
    FlowStep got = step(0);
    g_assert_true(got.lobby && got.host_changed && flow.host_absent);
    g_assert_cmpint(got.todo, ==, FLOW_DO_NOTHING);
    got = step(14000);
    g_assert_false(got.lobby || got.host_changed);
    g_assert_cmpint(got.todo, ==, FLOW_DO_NOTHING);
    g_assert_cmpint(step(1000).todo, ==, FLOW_DO_RELOAD);
    g_assert_cmpint(step(14000).todo, ==, FLOW_DO_NOTHING);
    g_assert_cmpint(step(1000).todo, ==, FLOW_DO_RELOAD);
    show(FLOW_NOT_STARTED, false); /* the host has come: the way in, anew */
    show(FLOW_NAME_FIELD, true);
    show(FLOW_JOIN_BUTTON, true);
    g_assert_cmpint(step(59000).todo, ==, FLOW_DO_NAME);
    flow.named = true;
    expect_click(FLOW_JOIN_BUTTON);
    show(FLOW_NAME_FIELD, false);
    show(FLOW_JOIN_BUTTON, false);
    show(FLOW_LOBBY, true);
    got = step(300);
    g_assert_false(got.lobby); /* told at most once */
    g_assert_true(got.host_changed);
}

static void test_walls(void)
{
    static const struct {
        FlowPurpose purpose;
        PlatformLeft left;
    } walls[] = {{FLOW_NOT_FOUND, PLATFORM_LEFT_NOT_FOUND},
                 {FLOW_LOGIN_REQUIRED, PLATFORM_LEFT_LOGIN_REQUIRED},
                 {FLOW_CAPTCHA, PLATFORM_LEFT_CAPTCHA},
                 {FLOW_BLOCKED, PLATFORM_LEFT_BOTS_NOT_ALLOWED},
                 {FLOW_LOBBY_TIMEOUT, PLATFORM_LEFT_LOBBY_TIMEOUT},
                 {FLOW_DENIED, PLATFORM_LEFT_DENIED}};
    for (size_t i = 0; i < G_N_ELEMENTS(walls); i++) {
        fresh();
        show(walls[i].purpose, true);
        expect_left(step(300), walls[i].left);
    }
    fresh(); /* what it offers beside the refusal does not change it */
    show(FLOW_BLOCKED, true);
    show(FLOW_CAPTCHA, true);
    show(FLOW_LOGIN_REQUIRED, true);
    expect_left(step(300), PLATFORM_LEFT_BOTS_NOT_ALLOWED);
    fresh();
    page.place = FLOW_PLACE_SIGN_IN;
    expect_left(step(300), PLATFORM_LEFT_LOGIN_REQUIRED);
    fresh();
    page.place = FLOW_PLACE_ELSEWHERE;
    expect_left(step(300), PLATFORM_LEFT_NOT_FOUND);
    fresh();
    step(0);
    expect_left(step(60000), PLATFORM_LEFT_UI_NOT_FOUND);
}

static void test_an_end_is_believed_on_its_second_sight(void)
{
    static const struct {
        FlowPurpose purpose;
        PlatformLeft left;
    } ends[] = {{FLOW_REMOVED, PLATFORM_LEFT_REMOVED},
                {FLOW_ENDED, PLATFORM_LEFT_ENDED},
                {FLOW_REMOVED_PAGE, PLATFORM_LEFT_REMOVED},
                {FLOW_ENDED_PAGE, PLATFORM_LEFT_ENDED},
                {FLOW_CONNECTION_FAILED, PLATFORM_LEFT_NETWORK_LOST}};
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        enter_call();
        show(ends[i].purpose, true);
        g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING);
        show(ends[i].purpose, false);
        g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING); /* it was a flicker */
        show(ends[i].purpose, true);
        g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING);
        expect_left(step(300), ends[i].left);
    }
}

static void test_vanished_controls_are_waited_for(void)
{
    enter_call();
    page.n_in_call = 0;
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING);
    g_assert_cmpint(step(19000).todo, ==, FLOW_DO_NOTHING);
    page.n_in_call = 6;
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING);
    page.n_in_call = 0;
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING);
    expect_left(step(20000), PLATFORM_LEFT_PAGE_LOST);
}

static void test_network_is_lost_only_when_nothing_flows(void)
{
    enter_call();
    show(FLOW_NETWORK_LOST, true);
    page.media_flows = true;
    for (int i = 0; i < 10; i++) {
        g_assert_cmpint(step(10000).todo, ==, FLOW_DO_NOTHING);
    }
    page.media_flows = false;
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING);
    g_assert_cmpint(step(29000).todo, ==, FLOW_DO_NOTHING);
    expect_left(step(1000), PLATFORM_LEFT_NETWORK_LOST);
    enter_call();
    page.link_failed = true;
    step(300);
    expect_left(step(30000), PLATFORM_LEFT_NETWORK_LOST);
}

/* The host puts the bot back into the waiting room, and lets it in again. */
static void test_back_to_the_lobby_and_in_again(void)
{
    enter_call();
    show(FLOW_LOBBY, true);
    page.media_flows = true;
    for (int i = 0; i < 5; i++) {
        g_assert_false(step(300).lobby); /* it is a call, whatever the text is */
    }
    page.media_flows = false;
    g_assert_false(step(300).lobby);
    g_assert_false(step(300).lobby);
    FlowStep got = step(300);
    g_assert_true(got.lobby);
    g_assert_cmpint(got.todo, ==, FLOW_DO_NOTHING);
    g_assert_false(step(25000).lobby); /* told once, and waited for */
    page.n_in_call = 6;
    g_assert_false(step(300).admitted); /* the lobby comes before the call */
    show(FLOW_LOBBY, false);
    g_assert_false(step(300).admitted);
    g_assert_true(step(300).admitted);
    page.media_flows = true; /* late packets */
    page.n_in_call = 2;
    show(FLOW_LOBBY, true);
    step(300);
    step(300);
    g_assert_true(step(300).lobby);
    show(FLOW_DENIED, true);
    expect_left(step(300), PLATFORM_LEFT_DENIED);
}

/* What is never done does not go on for ever. */
static void test_fields_that_take_nothing_end(void)
{
    fresh();
    show(FLOW_NAME_FIELD, true);
    show(FLOW_JOIN_BUTTON, true);
    for (int i = 0; i < 190; i++) {
        g_assert_cmpint(step(300).todo, ==, FLOW_DO_NAME);
    }
    step(3000);
    expect_left(step(300), PLATFORM_LEFT_UI_NOT_FOUND);
    fresh();
    flow.has_passcode = flow.named = true;
    show(FLOW_PASSCODE_FIELD, true);
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_PASSCODE);
    expect_left(step(60000), PLATFORM_LEFT_NOT_FOUND);
}

static void test_microphone_is_kept_as_wanted(void)
{
    enter_call();
    show(FLOW_MIC_IS_OFF, true);
    FlowStep got = step(300);
    g_assert_true(got.mic_changed);
    g_assert_cmpint(got.todo, ==, FLOW_DO_NOTHING);
    flow.want_open_mic = true;
    for (int i = 0; i < 5; i++) {
        clock_ms += 1000;
        expect_click(FLOW_MIC_IS_OFF);
        g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING); /* the button gets its second */
    }
    g_assert_true(step(2000).mic_gave_up);
    g_assert_false(step(2000).mic_gave_up);
    show(FLOW_MIC_IS_OFF, false);
    show(FLOW_MIC_IS_ON, true);
    page.unsent = true; /* the button is pressed, but nothing carries the sound yet */
    g_assert_false(step(300).mic_changed);
    page.unsent = false;
    g_assert_true(step(300).mic_changed);
    g_assert_cmpint(flow.mic, ==, FLOW_MIC_OPEN);
    flow.want_open_mic = false;
    clock_ms += 1000;
    expect_click(FLOW_MIC_IS_ON);
}

static void test_camera_is_turned_on_with_patience(void)
{
    enter_call();
    show(FLOW_CAMERA_IS_OFF, true);
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING); /* nothing to show */
    flow.want_camera = true;
    expect_click(FLOW_CAMERA_IS_OFF);
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING); /* a second click would turn it off */
    show(FLOW_CAMERA_IS_OFF, false);
    show(FLOW_CAMERA_IS_ON, true);
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING);
    show(FLOW_CAMERA_IS_ON, false);
    show(FLOW_CAMERA_IS_OFF,
         true); /* somebody turned it off: once more, and then it does not react */
    for (int i = 0; i < 3; i++) {
        expect_click(FLOW_CAMERA_IS_OFF);
        clock_ms += 3000;
    }
    g_assert_true(step(300).camera_gave_up);
    clock_ms += 3000;
    FlowStep got = step(300);
    g_assert_cmpint(got.todo, ==, FLOW_DO_NOTHING);
    g_assert_false(got.camera_gave_up);
}

static void test_sound_is_joined_where_there_is_none(void)
{
    enter_call();
    flow.joins_audio = true;
    show(FLOW_JOIN_AUDIO, true);
    for (int i = 0; i < 20; i++) { /* it would mute */
        g_assert_cmpint(step(1000).todo, ==, FLOW_DO_NOTHING);
    }
    page.soundless = true;
    g_assert_cmpint(step(0).todo, ==, FLOW_DO_NOTHING); /* it may still be coming by itself */
    clock_ms += 3000;
    expect_click(FLOW_JOIN_AUDIO);
    g_assert_cmpint(step(3000).todo, ==, FLOW_DO_NOTHING); /* so may this */
    clock_ms += 1000;
    expect_click(FLOW_JOIN_AUDIO);
    page.soundless = false;
    g_assert_cmpint(step(9000).todo, ==, FLOW_DO_NOTHING);
    page.soundless = true; /* it broke: the same again */
    step(0);
    for (int i = 0; i < 5; i++) {
        clock_ms += i == 0 ? 3000 : 4000;
        expect_click(FLOW_JOIN_AUDIO);
    }
    FlowStep got = step(4000);
    g_assert_true(got.no_sound);
    unsigned n_clicks = 0;
    for (int i = 0; i < 6 * 3600; i++) { /* said once; tried now and then, but not for ever */
        got = step(1000);
        g_assert_false(got.no_sound);
        n_clicks += got.todo == FLOW_DO_CLICK ? 1 : 0;
    }
    g_assert_cmpuint(n_clicks, ==, 25);
    enter_call(); /* there is no button */
    flow.joins_audio = page.soundless = true;
    step(0);
    show(FLOW_JOIN_AUDIO, false);
    g_assert_false(step(22000).no_sound);
    g_assert_true(step(1500).no_sound);
    enter_call(); /* a platform whose sound is there */
    page.soundless = true;
    for (int i = 0; i < 60; i++) {
        g_assert_false(step(1000).no_sound);
    }
}

static void test_recording_refusal_is_told_once_and_closed(void)
{
    enter_call();
    show(FLOW_RECORDING_DENIED, true);
    g_assert_true(step(300).recording_denied);
    expect_click(FLOW_DIALOG_DISMISS);
    fresh();
    page.n_in_call = 6;
    show(FLOW_RECORDING_DENIED, true);
    step(300);
    FlowStep got = step(300);
    g_assert_true(got.admitted && got.recording_denied);
}

static void test_unknown_dialog_is_handled_but_not_at_the_end(void)
{
    enter_call();
    page.unknown_dialog = "something new";
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_DIALOG);
    show(FLOW_ENDED, true);
    g_assert_cmpint(step(300).todo, ==, FLOW_DO_NOTHING);
    expect_left(step(300), PLATFORM_LEFT_ENDED);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/flow/prejoin_order", test_prejoin_order);
    g_test_add_func("/flow/what_does_not_react_is_left_alone",
                    test_what_does_not_react_is_left_alone);
    g_test_add_func("/flow/lobby_comes_before_call", test_lobby_comes_before_call);
    g_test_add_func("/flow/a_hint_means_the_lobby_after_a_while",
                    test_a_hint_means_the_lobby_after_a_while);
    g_test_add_func("/flow/few_marks_are_no_call", test_few_marks_are_no_call);
    g_test_add_func("/flow/passcode_is_given_once", test_passcode_is_given_once);
    g_test_add_func("/flow/fields_that_take_nothing_end_it", test_fields_that_take_nothing_end_it);
    g_test_add_func("/flow/a_join_button_that_leads_nowhere_ends_it",
                    test_a_join_button_that_leads_nowhere_ends_it);
    g_test_add_func("/flow/a_page_that_waits_for_the_host_is_loaded_again",
                    test_a_page_that_waits_for_the_host_is_loaded_again);
    g_test_add_func("/flow/walls", test_walls);
    g_test_add_func("/flow/an_end_is_believed_on_its_second_sight",
                    test_an_end_is_believed_on_its_second_sight);
    g_test_add_func("/flow/vanished_controls_are_waited_for",
                    test_vanished_controls_are_waited_for);
    g_test_add_func("/flow/network_is_lost_only_when_nothing_flows",
                    test_network_is_lost_only_when_nothing_flows);
    g_test_add_func("/flow/back_to_the_lobby_and_in_again", test_back_to_the_lobby_and_in_again);
    g_test_add_func("/flow/fields_that_take_nothing_end", test_fields_that_take_nothing_end);
    g_test_add_func("/flow/microphone_is_kept_as_wanted", test_microphone_is_kept_as_wanted);
    g_test_add_func("/flow/camera_is_turned_on_with_patience",
                    test_camera_is_turned_on_with_patience);
    g_test_add_func("/flow/sound_is_joined_where_there_is_none",
                    test_sound_is_joined_where_there_is_none);
    g_test_add_func("/flow/recording_refusal_is_told_once_and_closed",
                    test_recording_refusal_is_told_once_and_closed);
    g_test_add_func("/flow/unknown_dialog_is_handled_but_not_at_the_end",
                    test_unknown_dialog_is_handled_but_not_at_the_end);
    return g_test_run();
}
