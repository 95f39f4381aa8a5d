// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/speech.h"

#include <gst/gst.h>
#include <math.h>
#include <opus.h>

static MeetingPerson *new_person(void)
{
    MeetingPerson *person = g_new0(MeetingPerson, 1);
    person->id = (char *)"tone";
    person->leave_s = G_MAXDOUBLE;
    person->speech = g_ptr_array_new_with_free_func(g_free);
    person->screens = g_ptr_array_new();
    return person;
}

static void free_person(MeetingPerson *person)
{
    g_ptr_array_unref(person->speech);
    g_ptr_array_unref(person->screens);
    g_free(person);
}

static void add_tone(MeetingPerson *person, double at_s, double hz, double for_s)
{
    MeetingSpeech *speech = g_new0(MeetingSpeech, 1);
    *speech = (MeetingSpeech){.at_s = at_s, .tone_hz = hz, .for_s = for_s};
    g_ptr_array_add(person->speech, speech);
}

static GArray *decode(const MeetingRun *run)
{
    GArray *samples = g_array_new(FALSE, FALSE, sizeof(gint16));
    OpusDecoder *decoder = opus_decoder_create(48000, 1, NULL);
    for (guint i = 0; i < run->packets->len; i++) {
        gint16 pcm[MEETING_PACKET_SAMPLES];
        gsize length;
        const guint8 *data = g_bytes_get_data(g_ptr_array_index(run->packets, i), &length);
        g_assert_cmpint(
            opus_decode(decoder, data, (opus_int32)length, pcm, MEETING_PACKET_SAMPLES, 0), ==,
            MEETING_PACKET_SAMPLES);
        g_array_append_vals(samples, pcm, MEETING_PACKET_SAMPLES);
    }
    opus_decoder_destroy(decoder);
    return samples;
}

/* Every sample of the tone is where the meeting's clock says, over its whole length. */
static void test_tone(void)
{
    MeetingPerson *person = new_person();
    add_tone(person, 1.5, 440, 5);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) runs = meeting_speech_encode(person, 10, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(runs->len, ==, 1);
    const MeetingRun *run = g_ptr_array_index(runs, 0);
    g_assert_cmpint(run->sound_us, ==, 1500000);
    g_assert_cmpint(run->sound_end_us, ==, 6500000);
    g_assert_cmpint(run->start_us, ==, 1480000);
    g_autoptr(GArray) samples = decode(run);
    double error_power = 0, power = 0;
    for (guint i = 480; i < 5 * 48000 - 480; i++) {
        double expected = 0.25 * 32767 * sin(2 * G_PI * 440 * i / 48000);
        double got = g_array_index(samples, gint16, MEETING_PACKET_SAMPLES + i);
        error_power += (got - expected) * (got - expected);
        power += expected * expected;
    }
    /* One sample of delay alone would leave 25 dB. */
    g_assert_cmpfloat(10 * log10(power / error_power), >, 27);
    g_assert_cmpuint(run->segments->len, ==, 2);
    free_person(person);
}

static void test_beeps(void)
{
    MeetingPerson *person = new_person();
    MeetingCamera camera = {.source = (char *)"flash_beep"};
    person->camera = &camera;
    g_autoptr(GPtrArray) runs = meeting_speech_encode(person, 4, NULL);
    g_assert_cmpuint(runs->len, ==, 3);
    g_assert_cmpint(((MeetingRun *)g_ptr_array_index(runs, 0))->sound_us, ==, 1000000);
    g_assert_cmpint(((MeetingRun *)g_ptr_array_index(runs, 2))->sound_end_us, ==, 3100000);
    free_person(person);
}

static void test_overlap(void)
{
    MeetingPerson *person = new_person();
    add_tone(person, 1, 440, 2);
    add_tone(person, 2.5, 660, 1);
    g_autoptr(GError) error = NULL;
    g_assert_null(meeting_speech_encode(person, 10, &error));
    g_assert_error(error, MEETING_ERROR, MEETING_ERROR_MEDIA);
    free_person(person);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/speech/a_tone_is_exact_to_the_sample", test_tone);
    g_test_add_func("/speech/a_clapper_beeps_on_whole_seconds", test_beeps);
    g_test_add_func("/speech/a_person_has_one_mouth", test_overlap);
    return g_test_run();
}
