/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/control_message.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    BotControlMessage message = {0};
    if (!bot_control_message_parse((const char *)data, size, &message, &error)) {
        g_assert_nonnull(error);
        g_assert_true(message.id == NULL && message.name == NULL && message.args == NULL);
        return 0;
    }
    g_assert_null(error);
    if (message.type == BOT_CONTROL_ACK) {
        g_assert_cmpint(message.seq, >=, 0);
    } else {
        g_assert_true(message.id[0] != '\0' && strlen(message.id) <= BOT_CONTROL_MAX_ID);
        g_assert_true(message.name[0] != '\0');
    }
    bot_control_message_clear(&message);
    return 0;
}
