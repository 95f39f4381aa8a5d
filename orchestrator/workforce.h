/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/bots.h"
#include "orchestrator/secrets.h"

#include <libsoup/soup.h>

/*
 * Everything that runs for the bots: who starts when (schedule), in which process (pool), what it
 * reports and is told (control), and the webhooks (outbox). It keeps the promise that each bot that
 * was to join has one living worker or a recovery, and each worker its bot; whatever dies, workers
 * or the orchestrator, is made good from the store. Main thread only.
 */

typedef struct OrchWorkforce OrchWorkforce;

/**
 * orch_workforce_new:
 * @server: listens already; workers dial its path ORCH_CONTROL_PATH at @port
 *
 * Takes up what an earlier orchestrator left: living workers are expected to connect, the bots of
 * dead ones are recovered, webhooks that wait are delivered. Becomes the OrchWorkers of @bots. All
 * is borrowed for its life. Errors: G_IO_ERROR.
 */
OrchWorkforce *orch_workforce_new(OrchBots *bots, const OrchSecrets *secrets, SoupServer *server,
                                  guint16 port, GError **error);

/**
 * orch_workforce_leave:
 *
 * The end of this process is the end of its workers, as in a container: no bot starts any more,
 * standbys end, bots leave, deliver and report within workers.stop_grace_s. See _has_left.
 */
void orch_workforce_leave(OrchWorkforce *workforce);
/** After orch_workforce_leave: no worker runs, and no webhook is due. */
bool orch_workforce_has_left(OrchWorkforce *workforce);

/** Standbys end, bots stay in their meetings. */
void orch_workforce_free(OrchWorkforce *workforce);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchWorkforce, orch_workforce_free)

typedef struct {
    guint n_idle, n_starting, n_busy, n_recovering; /* workers */
    guint n_webhooks_under_way;
} OrchWorkforceStats;

void orch_workforce_get_stats(OrchWorkforce *workforce, OrchWorkforceStats *ret_stats);
