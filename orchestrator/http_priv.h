/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/http.h"

/* What the server does with a request, and nobody else. */

/** @n_waiting: (not nullable): borrowed; counts requests that wait for their answer */
OrchRequest *orch_request_new(OrchBots *bots, SoupServerMessage *message, guint *n_waiting);

/** Run its route's handler; the request frees itself once it is answered. */
void orch_request_run(OrchRequest *request);
/** Let it wait for its turn, which comes with orch_request_run_waiting. */
void orch_request_wait(OrchRequest *request);
void orch_request_run_waiting(OrchRequest *request);
/** One whose turn does not come any more. */
void orch_request_drop(OrchRequest *request);
/** After an answer without a handler, or a handler: free it, or let it wait. */
void orch_request_settle(OrchRequest *request);
