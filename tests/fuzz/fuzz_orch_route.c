/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/route.h"

#include <string.h>

/* A path from anybody: what stands for its parameters is valid text without a NUL in it. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = {"GET", "POST", "DELETE", "PATCH", "HEAD", "x"};
    if (size == 0) {
        return 0;
    }
    g_autofree char *path = g_strndup((const char *)data + 1, size - 1);
    const OrchRoute *route = NULL;
    char *params[ORCH_MAX_PARAMS] = {NULL};
    if (orch_route_find(methods[data[0] % G_N_ELEMENTS(methods)], path, &route, params) ==
        ORCH_ROUTE_FOUND) {
        g_assert_nonnull(route->handler);
    }
    for (guint i = 0; i < ORCH_MAX_PARAMS; i++) {
        g_assert_true(params[i] == NULL || g_utf8_validate(params[i], -1, NULL));
        g_free(params[i]);
    }
    return 0;
}
