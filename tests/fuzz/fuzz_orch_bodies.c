/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/attendee_read.h"
#include "orchestrator/json.h"
#include "orchestrator/mbaas.h"

/* A body from anybody, through every translator; the first byte says which. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static OrchBot *new_scheduled_bot(void)
{
    OrchBot *bot = orch_bot_new();
    bot->state = BOT_STATE_SCHEDULED;
    bot->document = g_strdup("{}");
    return bot;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static OrchConfig *config;
    static OrchSecrets *secrets;
    if (config == NULL) {
        g_autoptr(JsonObject) empty = json_object_new();
        config = orch_config_new(empty, NULL);
        secrets = orch_secrets_new("a secret of at least 32 characters", NULL);
    }
    g_autoptr(JsonObject) body =
        size > 0 ? orch_json_parse_object((const char *)data + 1, size - 1, NULL) : NULL;
    if (body == NULL) {
        return 0;
    }
    g_autoptr(OrchBot) bot = new_scheduled_bot();
    g_autofree char *canonical = orch_json_canonical(body);
    g_assert_nonnull(canonical);
    switch (data[0] % 4) {
    case 0:
        (void)orch_mbaas_read_join(body, config, secrets, 1000, bot, NULL);
        break;
    case 1: {
        g_autoptr(GBytes) picture = NULL;
        (void)orch_attendee_read_create(body, config, 1000, bot, NULL);
        (void)orch_attendee_read_picture(body, &picture, NULL);
        break;
    }
    case 2:
        (void)orch_attendee_read_patch(body, 1000, bot, NULL);
        break;
    default: {
        g_autoptr(OrchConfig) other = orch_config_new(body, NULL);
        break;
    }
    }
    if (bot->extra != NULL) {
        (void)orch_mbaas_extra_matches(bot, "a:b,c:d");
    }
    return 0;
}
