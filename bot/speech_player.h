/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Speaks into the meeting: takes PCM as programs supply it, opens the microphone when there is
 * something to say, paces it to real time with a small lead, and closes the microphone after it.
 * Main thread only.
 */

typedef struct BotSpeechPlayer BotSpeechPlayer;

typedef struct {
    /* Take up to @max_samples of waiting speech of one rate, 8000 to 48000; returns how many. */
    gsize (*pull)(int16_t *ret_samples, gsize max_samples, uint32_t *ret_rate_hz,
                  gpointer user_data);
    /* Ask the meeting for the microphone; bot_speech_player_microphone tells when it is so. */
    void (*set_microphone)(bool open, gpointer user_data);
    /* Hand 48 kHz speech to the meeting, due about now. */
    void (*play)(const int16_t *samples, gsize n_samples, gpointer user_data);
    /* Drop what the meeting has not played yet. */
    void (*stop)(gpointer user_data);
    /* The first of a run of speech goes to the meeting. */
    void (*on_started)(gpointer user_data);
    /* It has been said, @said_s of it; @interrupted: the rest was dropped. */
    void (*on_finished)(double said_s, bool interrupted, gpointer user_data);
    /* Something could not be said; codes are stable words. */
    void (*on_warning)(const char *code, const char *message, gpointer user_data);
} BotSpeechPlayerEvents;

BotSpeechPlayer *bot_speech_player_new(const BotSpeechPlayerEvents *events, gpointer user_data);
void bot_speech_player_free(BotSpeechPlayer *player);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotSpeechPlayer, bot_speech_player_free)

/** Nothing is said before the bot is in the call, or after it left. */
void bot_speech_player_set_joined(BotSpeechPlayer *player, bool joined);

/** The source has something. */
void bot_speech_player_wake(BotSpeechPlayer *player);

/**
 * bot_speech_player_queue:
 * @samples: s16 mono at @rate_hz (8000 to 48000), said after what is being said
 *
 * Returns false when more than three minutes would wait.
 */
bool bot_speech_player_queue(BotSpeechPlayer *player, const int16_t *samples, gsize n_samples,
                             uint32_t rate_hz);

/** Be quiet now: what waits here and in the page is dropped. The source is the caller's. */
void bot_speech_player_stop(BotSpeechPlayer *player);

/** The meeting shows the microphone as open or closed. */
void bot_speech_player_microphone(BotSpeechPlayer *player, bool open);
