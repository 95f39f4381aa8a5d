/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/speech_player.h"

#include <string.h>

/* A meeting that writes down what is asked of it; its microphone opens when the test says so. */
typedef struct {
    GArray *source;
    GArray *played;
    guint n_open, n_close, n_stop, n_warnings;
    gsize played_while_closed;
    bool open;
    uint32_t rate_hz; /* of what the source gives */
    guint n_started, n_finished, n_interrupted;
    double said_s;
} Meeting;

static gsize pull(int16_t *ret_samples, gsize max_samples, uint32_t *ret_rate_hz,
                  gpointer user_data)
{
    Meeting *meeting = user_data;
    *ret_rate_hz = meeting->rate_hz;
    gsize n = MIN(max_samples, meeting->source->len);
    if (n > 0) {
        memcpy(ret_samples, meeting->source->data, n * sizeof(int16_t));
        g_array_remove_range(meeting->source, 0, (guint)n);
    }
    return n;
}

static void set_microphone(bool open, gpointer user_data)
{
    Meeting *meeting = user_data;
    meeting->n_open += open;
    meeting->n_close += !open;
}

static void play(const int16_t *samples, gsize n_samples, gpointer user_data)
{
    Meeting *meeting = user_data;
    g_array_append_vals(meeting->played, samples, (guint)n_samples);
    meeting->played_while_closed += meeting->open ? 0 : n_samples;
}

static void stop(gpointer user_data)
{
    ((Meeting *)user_data)->n_stop++;
}

static void on_warning(const char *code, const char *message, gpointer user_data)
{
    ((Meeting *)user_data)->n_warnings++;
}

static void on_started(gpointer user_data)
{
    ((Meeting *)user_data)->n_started++;
}

static void on_finished(double said_s, bool interrupted, gpointer user_data)
{
    Meeting *meeting = user_data;
    meeting->n_finished++;
    meeting->n_interrupted += interrupted;
    meeting->said_s += said_s;
}

static const BotSpeechPlayerEvents events = {pull,       set_microphone, play,      stop,
                                             on_started, on_finished,    on_warning};

static void meeting_init(Meeting *meeting, uint32_t rate_hz)
{
    *meeting = (Meeting){.rate_hz = rate_hz};
    meeting->source = g_array_new(FALSE, FALSE, sizeof(int16_t));
    meeting->played = g_array_new(FALSE, FALSE, sizeof(int16_t));
}

static void meeting_clear(Meeting *meeting)
{
    g_array_unref(meeting->source);
    g_array_unref(meeting->played);
}

static void add_speech(Meeting *meeting, guint n_samples)
{
    for (guint i = 0; i < n_samples; i++) {
        int16_t sample = 1000;
        g_array_append_val(meeting->source, sample);
    }
}

static void open_microphone(Meeting *meeting, BotSpeechPlayer *player)
{
    while (meeting->n_open == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    meeting->open = true;
    bot_speech_player_microphone(player, true);
}

static void test_everything_is_said_once_the_microphone_is_open(void)
{
    Meeting meeting;
    meeting_init(&meeting, 24000);
    g_autoptr(BotSpeechPlayer) player = bot_speech_player_new(&events, &meeting);
    add_speech(&meeting, 7200); /* 300 ms */
    bot_speech_player_wake(player);
    g_assert_cmpuint(meeting.n_open, ==, 0); /* not before the bot is in */
    bot_speech_player_set_joined(player, true);
    open_microphone(&meeting, player);
    while (meeting.n_close == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpuint(meeting.played_while_closed, ==, 0);
    /* All of it, and the filter's own few milliseconds. */
    g_assert_cmpuint(meeting.played->len, >=, 14400 - 2);
    g_assert_cmpuint(meeting.played->len, <=, 14400 + 480);
    g_assert_cmpuint(meeting.n_open, ==, 1);
    g_assert_cmpuint(meeting.n_started, ==, 1);
    g_assert_cmpuint(meeting.n_finished, ==, 1);
    g_assert_cmpuint(meeting.n_interrupted, ==, 0);
    g_assert_cmpfloat_with_epsilon(meeting.said_s, 0.3, 0.011);
    meeting_clear(&meeting);
}

static void test_stop_drops_what_waits(void)
{
    Meeting meeting;
    meeting_init(&meeting, 16000);
    g_autoptr(BotSpeechPlayer) player = bot_speech_player_new(&events, &meeting);
    bot_speech_player_set_joined(player, true);
    add_speech(&meeting, 16000 * 60);
    bot_speech_player_wake(player);
    open_microphone(&meeting, player);
    while (meeting.played->len == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    bot_speech_player_stop(player);
    guint said = meeting.played->len;
    g_assert_cmpuint(meeting.n_stop, ==, 1);
    g_assert_cmpuint(meeting.n_interrupted, ==, 1);
    g_assert_cmpfloat(meeting.said_s, <=, (double)said / 48000);
    /* What the program sends on is its own to drop; here it is the source's. */
    g_assert_cmpuint(meeting.source->len, >, 16000 * 50);
    g_array_set_size(meeting.source, 0);
    while (meeting.n_close == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpuint(meeting.played->len, ==, said);
    meeting_clear(&meeting);
}

/* A program that answers in one rate and goes on in another. */
static void test_the_rate_may_change(void)
{
    Meeting meeting;
    meeting_init(&meeting, 8000);
    g_autoptr(BotSpeechPlayer) player = bot_speech_player_new(&events, &meeting);
    bot_speech_player_set_joined(player, true);
    add_speech(&meeting, 8000 / 5);
    bot_speech_player_wake(player);
    g_assert_cmpuint(meeting.source->len, ==, 0);
    meeting.rate_hz = 48000;
    add_speech(&meeting, 48000 / 5);
    open_microphone(&meeting, player);
    while (meeting.n_close == 0) {
        g_main_context_iteration(NULL, TRUE);
    }
    /* The end of the first is drained to whole samples of its own, six of 48 kHz. */
    g_assert_cmpuint(meeting.played->len, >=, 19200 - 6);
    g_assert_cmpuint(meeting.played->len, <=, 19200 + 960);
    meeting_clear(&meeting);
}

static void test_the_queue_is_bounded(void)
{
    Meeting meeting;
    meeting_init(&meeting, 24000);
    g_autoptr(BotSpeechPlayer) player = bot_speech_player_new(&events, &meeting);
    g_autofree int16_t *minute = g_new0(int16_t, 8000 * 60);
    for (int i = 0; i < 2; i++) {
        g_assert_true(bot_speech_player_queue(player, minute, 8000 * 60, 8000));
    }
    g_assert_true(bot_speech_player_queue(player, minute, 8000 * 59, 8000));
    g_assert_false(bot_speech_player_queue(player, minute, 8000 * 60, 8000));
    meeting_clear(&meeting);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/speech_player/everything_is_said_once_the_microphone_is_open",
                    test_everything_is_said_once_the_microphone_is_open);
    g_test_add_func("/speech_player/stop_drops_what_waits", test_stop_drops_what_waits);
    g_test_add_func("/speech_player/the_rate_may_change", test_the_rate_may_change);
    g_test_add_func("/speech_player/the_queue_is_bounded", test_the_queue_is_bounded);
    return g_test_run();
}
