/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/http.h"
const OrchRoute orch_attendee_routes[] = {{NULL, NULL, ORCH_AUTH_NONE, false, NULL, NULL}};
const OrchRoute orch_cronofy_routes[] = {{NULL, NULL, ORCH_AUTH_NONE, false, NULL, NULL}};
