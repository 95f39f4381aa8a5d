/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/roster.h"
#include "media/engine.h"

/*
 * Whose voice each audio source is, and who speaks now. A source that the platform names nobody for
 * becomes a numbered participant once it was heard for long enough; that participant counts as
 * present while the source is heard and BOT_VOICES_LINGER_US longer. No clock of its own. Main
 * thread; events come from inside the calls.
 */

typedef struct BotVoices BotVoices;

/** How long a numbered participant stays after the last word. */
#define BOT_VOICES_LINGER_US (60 * G_USEC_PER_SEC)

/** A moment on both clocks. */
typedef struct {
    int64_t us;           /* g_get_monotonic_time */
    int64_t recording_ns; /* on the recording's time; -1 while nothing is recorded */
} BotMoment;

typedef struct {
    /* @source is @person_id's from now on; 0: it may be anybody's. */
    void (*on_bound)(uint32_t source, uint32_t person_id, gpointer user_data);
    /* @source is the bot's own voice. */
    void (*on_own)(uint32_t source, gpointer user_data);
    /* @recording_ns: when on the recording's time, or -1. */
    void (*on_speaking)(uint32_t person_id, bool speaking, int64_t recording_ns,
                        gpointer user_data);
    /* A numbered participant came or went. */
    void (*on_numbered)(const BotPerson *person, gpointer user_data);
} BotVoicesEvents;

/** @roster: borrowed. @events: a static table. */
BotVoices *bot_voices_new(BotRoster *roster, const BotVoicesEvents *events, gpointer user_data);
void bot_voices_free(BotVoices *voices);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotVoices, bot_voices_free)

/** The platform names @person_id for @source. A word that began before anybody was named began when
 *  it did. */
void bot_voices_bind(BotVoices *voices, uint32_t source, uint32_t person_id, BotMoment now);

/** @source is the bot's own voice: not streamed, nobody's. */
void bot_voices_ignore(BotVoices *voices, uint32_t source, BotMoment now);

/** The media engine heard a source begin or end to speak. */
void bot_voices_take_speech(BotVoices *voices, const MediaSpeech *speech, int64_t now_us);

/** To be called often: numbers voices that nobody is named for, and lets those go that are silent.
 */
void bot_voices_check(BotVoices *voices, BotMoment now);

/** Whether anybody but the bot speaks now. */
bool bot_voices_any_speaks(const BotVoices *voices);

/** The connection to the meeting is lost: nobody speaks, and every source may be anybody's. */
void bot_voices_reset(BotVoices *voices, BotMoment now);
