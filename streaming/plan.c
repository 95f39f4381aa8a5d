/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/plan.h"

guint streaming_plan(const char *input, const char *output, bool service_directions,
                     StreamingSocket ret_sockets[STREAMING_MAX_SOCKETS])
{
    if (input == NULL && output == NULL) {
        return 0;
    }
    if (input == NULL || output == NULL || g_str_equal(input, output)) {
        ret_sockets[0] = (StreamingSocket){input != NULL ? input : output, true, true};
        return 1;
    }
    ret_sockets[0] = (StreamingSocket){input, !service_directions, service_directions};
    ret_sockets[1] = (StreamingSocket){output, service_directions, !service_directions};
    return 2;
}
