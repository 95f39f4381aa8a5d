/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/voices.h"

#define S G_USEC_PER_SEC
#define MS_NS INT64_C(1000000)

typedef struct {
    BotRoster *roster;
    BotVoices *voices;
    GString *said; /* "start 1 2000; " with milliseconds of the recording */
    guint n_numbered;
} Fixture;

static void on_bound(uint32_t source, uint32_t person_id, gpointer user_data)
{
}

static void on_own(uint32_t source, gpointer user_data)
{
}

static void on_speaking(uint32_t person_id, bool speaking, int64_t recording_ns, gpointer user_data)
{
    Fixture *fixture = user_data;
    g_string_append_printf(fixture->said, "%s %u %" G_GINT64_FORMAT "; ",
                           speaking ? "start" : "stop", person_id, recording_ns / MS_NS);
}

static void on_numbered(const BotPerson *person, gpointer user_data)
{
    ((Fixture *)user_data)->n_numbered++;
}

static const BotVoicesEvents events = {on_bound, on_own, on_speaking, on_numbered};

static void set_up(Fixture *fixture, gconstpointer data)
{
    fixture->roster = bot_roster_new();
    fixture->voices = bot_voices_new(fixture->roster, &events, fixture);
    fixture->said = g_string_new(NULL);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    bot_voices_free(fixture->voices);
    bot_roster_free(fixture->roster);
    g_string_free(fixture->said, TRUE);
}

/* The recording began at second 1. */
static BotMoment at(int64_t s)
{
    return (BotMoment){s * S, (s - 1) * 1000 * MS_NS};
}

static void hear(Fixture *fixture, uint32_t source, bool speaking, int64_t s)
{
    MediaSpeech speech = {
        .source = source, .speaking = speaking, .recording_ns = at(s).recording_ns};
    bot_voices_take_speech(fixture->voices, &speech, s * S);
}

static void check_said(Fixture *fixture, const char *expected)
{
    g_assert_cmpstr(fixture->said->str, ==, expected);
    g_string_truncate(fixture->said, 0);
}

static BotPerson *join(Fixture *fixture, const char *id)
{
    bool is_new;
    return bot_roster_update(fixture->roster, id, id, 0, &is_new);
}

static void late_name_keeps_the_time(Fixture *fixture, gconstpointer data)
{
    BotPerson *alice = join(fixture, "alice");
    hear(fixture, 100, true, 3);
    check_said(fixture, "");
    bot_voices_bind(fixture->voices, 100, alice->id, at(4));
    check_said(fixture, "start 1 2000; ");
    hear(fixture, 100, false, 5);
    check_said(fixture, "stop 1 4000; ");
}

static void number_keeps_the_time(Fixture *fixture, gconstpointer data)
{
    hear(fixture, 100, true, 3);
    bot_voices_check(fixture->voices, at(4));
    check_said(fixture, "");
    bot_voices_check(fixture->voices, at(6));
    check_said(fixture, "start 1 2000; ");
    g_assert_cmpuint(fixture->n_numbered, ==, 1);
    /* A name takes over in mid-word: the number ends where the name begins. */
    bot_voices_bind(fixture->voices, 100, join(fixture, "alice")->id, at(7));
    check_said(fixture, "stop 1 6000; start 2 6000; ");
    g_assert_cmpuint(bot_roster_count_company(fixture->roster), ==, 1);
}

static void number_is_company_while_heard_and_a_while(Fixture *fixture, gconstpointer data)
{
    const int64_t linger_s = BOT_VOICES_LINGER_US / S;
    hear(fixture, 100, true, 3);
    bot_voices_check(fixture->voices, at(6));
    bot_voices_check(fixture->voices, at(6 + 3 * linger_s)); /* speaks on */
    g_assert_cmpuint(bot_roster_count_company(fixture->roster), ==, 1);
    int64_t end_s = 7 + 3 * linger_s;
    hear(fixture, 100, false, end_s);
    bot_voices_check(fixture->voices, at(end_s + linger_s - 1));
    g_assert_cmpuint(bot_roster_count_company(fixture->roster), ==, 1);
    bot_voices_check(fixture->voices, at(end_s + linger_s));
    g_assert_cmpuint(bot_roster_count_company(fixture->roster), ==, 0);
    g_assert_cmpuint(fixture->n_numbered, ==, 2);
    const BotPerson *person = bot_roster_get(fixture->roster, 1);
    g_assert_cmpint(person->left_us, ==, end_s * S);
    hear(fixture, 100, true, end_s + 2 * linger_s); /* and comes back as the same */
    g_assert_cmpuint(bot_roster_count_company(fixture->roster), ==, 1);
    g_assert_cmpuint(bot_roster_length(fixture->roster), ==, 1);
}

static void named_people_stay_silent(Fixture *fixture, gconstpointer data)
{
    bot_voices_bind(fixture->voices, 100, join(fixture, "alice")->id, at(1));
    hear(fixture, 100, true, 3);
    hear(fixture, 100, false, 4);
    bot_voices_check(fixture->voices, at(4 + 10 * BOT_VOICES_LINGER_US / S));
    g_assert_cmpuint(bot_roster_count_company(fixture->roster), ==, 1);
}

static void own_voice_is_nobody(Fixture *fixture, gconstpointer data)
{
    bot_voices_ignore(fixture->voices, 100, at(1));
    hear(fixture, 100, true, 3);
    bot_voices_check(fixture->voices, at(9));
    check_said(fixture, "");
    g_assert_false(bot_voices_any_speaks(fixture->voices));
    g_assert_cmpuint(bot_roster_length(fixture->roster), ==, 0);
}

static void reset_silences_everybody(Fixture *fixture, gconstpointer data)
{
    BotPerson *alice = join(fixture, "alice"), *bob = join(fixture, "bob");
    bot_voices_bind(fixture->voices, 100, alice->id, at(1));
    hear(fixture, 100, true, 3);
    bot_voices_reset(fixture->voices, at(5));
    check_said(fixture, "start 1 2000; stop 1 4000; ");
    g_assert_false(bot_voices_any_speaks(fixture->voices));
    /* On the next connection the number is somebody else's. */
    bot_voices_bind(fixture->voices, 100, bob->id, at(8));
    hear(fixture, 100, true, 9);
    check_said(fixture, "start 2 8000; ");
}

static void hostile_numbers_are_bounded(Fixture *fixture, gconstpointer data)
{
    for (uint32_t source = 1; source < 20000; source++) {
        hear(fixture, source, true, 2);
        hear(fixture, source, false, 2);
    }
    bot_voices_check(fixture->voices, at(100));
    g_assert_cmpuint(bot_roster_length(fixture->roster), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add("/voices/" #name, Fixture, NULL, set_up, name, tear_down)
    TEST(late_name_keeps_the_time);
    TEST(number_keeps_the_time);
    TEST(number_is_company_while_heard_and_a_while);
    TEST(named_people_stay_silent);
    TEST(own_voice_is_nobody);
    TEST(reset_silences_everybody);
    TEST(hostile_numbers_are_bounded);
#undef TEST
    return g_test_run();
}
