/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/config.h"
#include "bot/roster.h"

/*
 * What of a meeting goes out live, and what comes in: the sockets with the meeting's audio and who
 * speaks, and the bot's own speech, from those sockets or from a command. Owned by the session,
 * from joining to its end; main thread, but for the two functions that take audio.
 */

typedef struct BotLive BotLive;

typedef struct {
    /* What the meeting is asked for; see BotSpeechPlayerEvents. */
    void (*set_microphone)(bool open, gpointer user_data);
    void (*play)(const int16_t *samples, gsize n_samples, gpointer user_data);
    void (*stop)(gpointer user_data);
    /* The bot begins to speak; or has ended, after @said_s, @interrupted or not. */
    void (*on_speech_started)(gpointer user_data);
    void (*on_speech_finished)(double said_s, bool interrupted, gpointer user_data);
    void (*on_warning)(const char *code, const char *message, gpointer user_data);
} BotLiveEvents;

/**
 * bot_live_new:
 * @config, @roster: borrowed
 *
 * Dials the sockets that @config names, if any. Errors: STREAMING_ERROR.
 */
BotLive *bot_live_new(const BotConfig *config, BotRoster *roster, const BotLiveEvents *events,
                      gpointer user_data, GError **error);
/** No audio may be pushed any more. */
void bot_live_free(BotLive *live);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotLive, bot_live_free)

/** @samples of the whole meeting, from the stream's sample @first_sample on. Thread: any one. */
void bot_live_push_mix(BotLive *live, const int16_t *samples, size_t n_samples,
                       uint64_t first_sample);

/** The same of one voice alone; @at_ns: CLOCK_MONOTONIC of the first. @participant_id: 0: unknown.
 *  Thread: as bot_live_push_mix. */
void bot_live_push_voice(BotLive *live, uint32_t source, uint32_t participant_id,
                         const int16_t *samples, size_t n_samples, uint64_t first_sample,
                         int64_t at_ns);

/** Whether the bot is in the call: nothing is said outside it. */
void bot_live_set_joined(BotLive *live, bool joined);

/** Who is there or who speaks may have changed: the consumers get a list soon, if it did. */
void bot_live_report_speakers(BotLive *live);

/** The platform's own name of a participant, for a socket that asks for people alone. */
void bot_live_name_participant(BotLive *live, uint32_t id, const char *platform_id);

/** The meeting shows the bot's microphone as open or closed. */
void bot_live_microphone(BotLive *live, bool open);

/** @samples: s16 mono at @rate_hz (8000 to 48000). False: more than three minutes would wait. */
bool bot_live_speak(BotLive *live, const int16_t *samples, gsize n_samples, uint32_t rate_hz);

/** Be quiet now: what waits anywhere is dropped. */
void bot_live_stop_speaking(BotLive *live);
