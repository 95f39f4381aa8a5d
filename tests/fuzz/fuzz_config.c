/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(BotConfig) config = bot_config_new_from_data((const char *)data, (gssize)size, NULL);
    if (config != NULL) {
        g_autofree char *text = bot_config_print(config);
        g_assert_nonnull(text);
    }
    return 0;
}
