// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/mix.h"

#include <gst/gst.h>
#include <math.h>
#include <opus.h>
#include <string.h>

/* Alice 1 to 3 s, Bob 2 to 4 s and 6 to 7 s, Carol muted, Dan gone before he speaks. */
static const char people[] =
    "{\"platform\":\"teams\",\"duration_s\":9,\"participants\":["
    "{\"id\":\"alice\",\"speech\":[{\"at_s\":1,\"tone_hz\":400,\"for_s\":2}]},"
    "{\"id\":\"bob\",\"speech\":[{\"at_s\":2,\"tone_hz\":700,\"for_s\":2},"
    "{\"at_s\":6,\"tone_hz\":700,\"for_s\":1}]},"
    "{\"id\":\"carol\",\"muted\":true,\"speech\":[{\"at_s\":1,\"tone_hz\":1000,\"for_s\":2}]},"
    "{\"id\":\"dan\",\"leave_s\":1,\"speech\":[{\"at_s\":2,\"tone_hz\":1300,\"for_s\":1}]}]%s}";

typedef struct {
    MeetingScenario *scenario;
    GPtrArray *sources;
    GPtrArray *runs;
} Fixture;

static void source_free(gpointer data)
{
    MeetingSource *source = data;
    g_ptr_array_unref(source->runs);
    g_free(source);
}

static void mix(Fixture *f, const char *rest)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) json = g_string_new(people);
    g_string_replace(json, "%s", rest, 0);
    f->scenario = meeting_scenario_parse(json->str, -1, ".", NULL, &error);
    g_assert_no_error(error);
    f->sources = g_ptr_array_new_with_free_func(source_free);
    for (guint i = 0; i < f->scenario->people->len; i++) {
        MeetingSource *source = g_new0(MeetingSource, 1);
        source->person = g_ptr_array_index(f->scenario->people, i);
        source->csrc = 11 * (i + 1);
        source->runs = meeting_speech_encode(source->person, 9, &error);
        g_assert_no_error(error);
        g_ptr_array_add(f->sources, source);
    }
    f->runs = meeting_mix_encode(f->scenario, f->sources, &error);
    g_assert_no_error(error);
}

static void clear(Fixture *f)
{
    g_ptr_array_unref(f->runs);
    g_ptr_array_unref(f->sources);
    meeting_scenario_free(f->scenario);
}

/* Who contributes at @at_s, as "11 22". */
static char *speakers_at(const Fixture *f, double at_s)
{
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < f->runs->len; i++) {
        const MeetingRun *run = g_ptr_array_index(f->runs, i);
        gint64 packet = ((gint64)(at_s * 1e6) - run->start_us) / MEETING_PACKET_US;
        if (packet < 0 || packet >= run->packets->len)
            continue;
        const MeetingSpeakers *speakers =
            &g_array_index(run->speakers, MeetingSpeakers, (guint)packet);
        for (guint k = 0; k < speakers->n; k++)
            g_string_append_printf(names, "%s%u", names->len > 0 ? " " : "", speakers->ids[k]);
    }
    return g_string_free(names, FALSE);
}

static void expect_speakers(const Fixture *f, double at_s, const char *expected)
{
    g_autofree char *names = speakers_at(f, at_s);
    g_assert_cmpstr(names, ==, expected);
}

static void test_packets_name_who_contributes(void)
{
    Fixture f;
    mix(&f, "");
    g_assert_cmpuint(f.runs->len, ==, 2); /* what overlaps is one stretch */
    expect_speakers(&f, 1.5, "11");
    expect_speakers(&f, 2.5, "11 22");
    expect_speakers(&f, 3.5, "22");
    expect_speakers(&f, 6.5, "22");
    expect_speakers(&f, 5.0, ""); /* nothing is sent */
    clear(&f);
    mix(&f, ",\"wire\":{\"tells\":\"dominant\"}");
    expect_speakers(&f, 2.5, "");
    clear(&f);
}

/* Power of a tone in 0.4 s of the mix from @from_s on. */
static double tone_power(const Fixture *f, double from_s, double hz)
{
    const MeetingRun *run = g_ptr_array_index(f->runs, 0);
    OpusDecoder *decoder = opus_decoder_create(48000, 1, NULL);
    double re = 0, im = 0;
    for (guint i = 0; i < run->packets->len; i++) {
        gint16 pcm[MEETING_PACKET_SAMPLES];
        gsize length;
        const guint8 *data = g_bytes_get_data(g_ptr_array_index(run->packets, i), &length);
        int n = opus_decode(decoder, data, (opus_int32)length, pcm, MEETING_PACKET_SAMPLES, 0);
        for (int k = 0; k < n; k++) {
            double at_s = (double)run->start_us / 1e6 + (double)(i * 960 + (guint)k) / 48000;
            if (at_s < from_s || at_s >= from_s + 0.4)
                continue;
            re += pcm[k] * cos(2 * G_PI * hz * at_s) / 19200;
            im += pcm[k] * sin(2 * G_PI * hz * at_s) / 19200;
        }
    }
    opus_decoder_destroy(decoder);
    return hypot(re, im) * 2 / 32767;
}

static void test_the_sound_is_everybodys_but_the_muted(void)
{
    Fixture f;
    mix(&f, "");
    g_assert_cmpfloat_with_epsilon(tone_power(&f, 2.4, 400), 0.25, 0.02);
    g_assert_cmpfloat_with_epsilon(tone_power(&f, 2.4, 700), 0.25, 0.02);
    g_assert_cmpfloat(tone_power(&f, 2.4, 1000), <, 0.01); /* muted */
    g_assert_cmpfloat(tone_power(&f, 2.4, 1300), <, 0.01); /* gone */
    g_assert_cmpfloat(tone_power(&f, 3.4, 400), <, 0.01);
    g_assert_cmpfloat_with_epsilon(tone_power(&f, 3.4, 700), 0.25, 0.02);
    clear(&f);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mix/packets_name_who_contributes", test_packets_name_who_contributes);
    g_test_add_func("/mix/the_sound_is_everybodys_but_the_muted",
                    test_the_sound_is_everybodys_but_the_muted);
    return g_test_run();
}
