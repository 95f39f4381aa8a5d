/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/bots.h"

#include <libsoup/soup.h>

/*
 * The HTTP server: limits, authentication, and the way from a request to the handler of its route.
 * Main thread only.
 */

typedef struct OrchServer OrchServer;

/** @bots: borrowed for its life. Listens at once. Errors: G_IO_ERROR (address in use, …). */
OrchServer *orch_server_new(OrchBots *bots, GError **error);
/** Takes no more connections; orch_server_free closes those that are left. */
void orch_server_stop(OrchServer *server);
void orch_server_free(OrchServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchServer, orch_server_free)

guint16 orch_server_port(OrchServer *server);
/** For handlers that are no routes, such as the control link's WebSocket. Borrowed. */
SoupServer *orch_server_soup(OrchServer *server);
/** Requests that are not answered yet. */
guint orch_server_busy(OrchServer *server);
