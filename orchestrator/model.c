/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/model.h"

#include "platforms/meeting_url.h"

const char *orch_api_to_string(OrchApi api)
{
    static const char *const names[ORCH_N_APIS] = {
        [ORCH_API_MBAAS] = "meeting_baas",
        [ORCH_API_ATTENDEE] = "attendee",
        [ORCH_API_CRONOFY] = "cronofy",
    };
    g_assert(api < ORCH_N_APIS);
    return names[api];
}

const char *orch_delivery_state_to_string(OrchDeliveryState state)
{
    static const char *const names[ORCH_N_DELIVERY_STATES] = {
        [ORCH_DELIVERY_WAITING] = "waiting",
        [ORCH_DELIVERY_DELIVERED] = "delivered",
        [ORCH_DELIVERY_PARKED] = "parked",
    };
    g_assert(state < ORCH_N_DELIVERY_STATES);
    return names[state];
}

void orch_set_string(char **place, const char *value)
{
    if (*place != value) {
        g_free(*place);
        *place = g_strdup(value);
    }
}

char *orch_bot_meeting_of(const char *url)
{
    char *meeting = platform_meeting_of_url(url);
    return meeting != NULL ? meeting : g_strdup(url);
}

void orch_bot_set_meeting_url(OrchBot *bot, const char *url)
{
    g_autofree char *copy = g_strdup(url);
    g_free(bot->meeting_url);
    g_free(bot->meeting);
    bot->meeting = orch_bot_meeting_of(copy);
    bot->meeting_url = g_steal_pointer(&copy);
}

OrchBot *orch_bot_new(void)
{
    return g_new0(OrchBot, 1);
}

void orch_bot_free(OrchBot *bot)
{
    char *const strings[] = {
        bot->id,
        bot->key_id,
        bot->meeting_url,
        bot->meeting,
        bot->bot_name,
        bot->document,
        bot->details,
        bot->extra,
        bot->dedup_key,
        bot->scheduling_key,
        bot->recording_state,
        bot->end_reason,
        bot->error,
        bot->error_code,
        bot->message,
        bot->speakers,
        bot->artifacts,
        bot->output_dir,
        bot->control_token_hash,
        bot->login_class,
        bot->login,
        bot->login_stamp,
    };
    for (gsize i = 0; i < G_N_ELEMENTS(strings); i++) {
        g_free(strings[i]);
    }
    g_free(bot);
}

void orch_transition_free(OrchTransition *transition)
{
    g_free(transition->event);
    g_free(transition->sub_type);
    g_free(transition->old_state);
    g_free(transition->new_state);
    g_free(transition);
}

void orch_account_free(OrchAccount *account)
{
    g_free(account->name);
    g_free(account->webhook_url);
    g_free(account->webhooks);
    g_free(account->sealed_secret);
    g_free(account);
}

void orch_key_free(OrchKey *key)
{
    g_free(key->id);
    g_free(key->account_name);
    g_free(key->label);
    g_free(key->hash);
    g_free(key->sealed);
    g_free(key);
}

void orch_login_mark_free(OrchLoginMark *mark)
{
    g_free(mark->name);
    g_free(mark->reason);
    g_free(mark->stamp);
    g_free(mark);
}

OrchDelivery *orch_delivery_new(void)
{
    return g_new0(OrchDelivery, 1);
}

void orch_delivery_free(OrchDelivery *delivery)
{
    g_free(delivery->id);
    g_free(delivery->bot_id);
    g_free(delivery->key_id);
    g_free(delivery->trigger);
    g_free(delivery->url);
    g_clear_pointer(&delivery->body, g_bytes_unref);
    g_free(delivery->last_error);
    g_free(delivery);
}

void orch_attempt_free(OrchAttempt *attempt)
{
    g_free(attempt->delivery_id);
    g_free(attempt->error);
    g_free(attempt->answer);
    g_free(attempt);
}
