/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/control_message.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    OrchControlMessage message = {0};
    if (!orch_control_message_parse((const char *)data, size, &message, &error)) {
        g_assert_nonnull(error);
        g_assert_true(message.bot_id == NULL && message.event == NULL && message.id == NULL);
        return 0;
    }
    g_assert_null(error);
    switch (message.type) {
    case ORCH_CONTROL_HELLO:
        g_assert_true(message.last_seq >= 0 &&
                      (message.bot_id == NULL || message.bot_id[0] != '\0'));
        break;
    case ORCH_CONTROL_EVENT:
        g_assert_cmpint(json_object_get_int_member(message.event, "seq"), >=, 1);
        break;
    case ORCH_CONTROL_RESULT:
        g_assert_nonnull(message.id);
        g_assert_true(message.ok == (message.message == NULL));
        break;
    }
    orch_control_message_clear(&message);
    return 0;
}
