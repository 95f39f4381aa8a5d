/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/model.h"
#include "orchestrator/secrets.h"
#include "orchestrator/store.h"

/*
 * Delivers the store's webhooks: those of one bot to one URL in order, one at a time; different
 * bots side by side. Only what is durable goes out, so that a webhook that a receiver saw is never
 * made anew under another id. A try has 10 s; a failed one is repeated on the schedule with 20 % of
 * jitter, one that stays (bot/answer.h) once; then the webhook is parked and the bot's next one
 * goes. Each try is in the delivery log. Main thread only.
 */

typedef struct OrchOutbox OrchOutbox;

#define ORCH_OUTBOX_TRY_MS 10000u

typedef struct {
    OrchStore *store;           /* borrowed */
    const OrchSecrets *secrets; /* borrowed */
    const guint *retry_s;       /* between the tries; copied */
    guint n_retries;
    bool allow_private;
    guint max_parallel; /* 0: the default, 128 */
    guint try_ms;       /* 0: ORCH_OUTBOX_TRY_MS */
} OrchOutboxConfig;

/** Begins with what waits in the store. */
OrchOutbox *orch_outbox_new(const OrchOutboxConfig *config);
/** Tries under way are given up, and made again by the next outbox on the store. */
void orch_outbox_free(OrchOutbox *outbox);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchOutbox, orch_outbox_free)

/** There may be something new in the store. Cheap; call it often. */
void orch_outbox_wake(OrchOutbox *outbox);

/** Tries under way. */
guint orch_outbox_count_under_way(OrchOutbox *outbox);

/**
 * orch_outbox_retry_ms:
 * @n_attempts: how many were made, from 1
 * @random: 0 to 1
 *
 * How long to wait before the next try, or -1: no more. Pure.
 */
gint64 orch_outbox_retry_ms(const guint *retry_s, guint n_retries, gint64 n_attempts,
                            double random);
