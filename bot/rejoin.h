/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * When to join again after the page or the network was lost in the call: so many attempts for each
 * loss, with back-off. A bot that was back for BOT_REJOIN_STEADY_US has all of them again. Plain
 * data, no clock and no timer of its own.
 */

/** A loss that comes later than this after coming back is a new one. */
#define BOT_REJOIN_STEADY_US (60 * G_USEC_PER_SEC)

typedef struct {
    unsigned n_allowed;  /* attempts for each loss; 0: never join again */
    unsigned n_attempts; /* of this loss */
    int64_t back_us;     /* since when the bot is in the call; -1: it is not */
} BotRejoin;

/** @n_allowed: of the configuration. */
void bot_rejoin_init(BotRejoin *rejoin, unsigned n_allowed);

/** The bot is in the call (again). */
void bot_rejoin_admitted(BotRejoin *rejoin, int64_t now_us);

/**
 * bot_rejoin_next_ms:
 * @random: 0 to 1, of the caller's choice
 *
 * The connection was lost, or an attempt failed. Returns how long to wait for the next attempt,
 * which is counted: 1, 5, then 20 s, half as much again by @random, since many bots may have lost
 * the same network; or -1: it is over.
 */
int64_t bot_rejoin_next_ms(BotRejoin *rejoin, int64_t now_us, double random);
