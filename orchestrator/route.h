/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/http.h"

/* Which route a request means. Pure; any thread. */

typedef enum {
    ORCH_ROUTE_FOUND,
    ORCH_ROUTE_NONE,   /* no such path: 404 */
    ORCH_ROUTE_METHOD, /* the path is known, the method is not its: 405 */
} OrchRouteResult;

/**
 * orch_route_find:
 * @path: still percent-encoded, as it came
 * @ret_params: ORCH_MAX_PARAMS strings (transfer full), set when a route is found
 *
 * A slash at the end makes no difference; HEAD means GET; a fixed part beats one that stands for
 * anything.
 */
OrchRouteResult orch_route_find(const char *method, const char *path, const OrchRoute **ret_route,
                                char **ret_params);

/** All tables, ended by NULL. */
extern const OrchRoute *const orch_routes[];
