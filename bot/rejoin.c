/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/rejoin.h"

#include "base/backoff.h"

void bot_rejoin_init(BotRejoin *rejoin, unsigned n_allowed)
{
    *rejoin = (BotRejoin){.n_allowed = n_allowed, .back_us = -1};
}

void bot_rejoin_admitted(BotRejoin *rejoin, int64_t now_us)
{
    rejoin->back_us = now_us;
}

int64_t bot_rejoin_next_ms(BotRejoin *rejoin, int64_t now_us, double random)
{
    static const guint waits_ms[] = {1000, 5000, 20000};
    if (rejoin->back_us >= 0 && now_us - rejoin->back_us >= BOT_REJOIN_STEADY_US) {
        rejoin->n_attempts = 0;
    }
    rejoin->back_us = -1;
    if (rejoin->n_attempts >= rejoin->n_allowed) {
        return -1;
    }
    unsigned nth = MIN(rejoin->n_attempts, G_N_ELEMENTS(waits_ms) - 1);
    rejoin->n_attempts++;
    return base_backoff_spread_ms(waits_ms[nth], 1, 1.5, random);
}
