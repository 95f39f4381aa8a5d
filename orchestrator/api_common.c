/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/http.h"

#include "bot/report_data.h"
#include "orchestrator/json.h"
#include "orchestrator/logins.h"

#include <gio/gio.h>
#include <orchestrator_resources.h>

/* What belongs to none of the APIs. */

static JsonArray *list_accounts(OrchStore *store, const OrchConfig *config)
{
    JsonArray *accounts = json_array_new();
    g_autoptr(GPtrArray) states = orch_logins_states(store, config);
    for (guint i = 0; i < states->len; i++) {
        const OrchLoginState *state = g_ptr_array_index(states, i);
        JsonObject *account = json_object_new();
        g_autofree char *since =
            state->mark != NULL ? bot_report_iso_time(state->mark->since_ms) : NULL;
        json_object_set_string_member(account, "name", state->login->name);
        json_object_set_string_member(account, "platform", state->login->platform);
        json_object_set_int_member(account, "bots", state->n_bots);
        json_object_set_int_member(account, "max_bots", state->login->max_bots);
        orch_json_set(account, "signed_out", since);
        orch_json_set(account, "reason", state->mark != NULL ? state->mark->reason : NULL);
        json_array_add_object_element(accounts, account);
    }
    return accounts;
}

static void get_health(OrchRequest *request)
{
    const OrchConfig *config = orch_bots_config(request->bots);
    OrchStore *store = orch_bots_store(request->bots);
    OrchBotFilter placed = {.with_place = true, .limit = config->max_workers + 1};
    OrchBotFilter waiting = {.states = ORCH_STATE_BIT(BOT_STATE_READY),
                             .without_place = true,
                             .limit = config->max_queue + 1};
    JsonObject *body = json_object_new();
    const char *trouble = NULL;
    guint n_failed = orch_bots_get_trouble(request->bots, &trouble);
    json_object_set_string_member(body, "status", n_failed > 0 ? "workers_fail" : "ok");
    json_object_set_string_member(body, "version", STENO_VERSION);
    json_object_set_int_member(body, "bots", orch_store_count_bots(store, &placed));
    json_object_set_int_member(body, "max_bots", config->max_workers);
    json_object_set_int_member(body, "queued", orch_store_count_bots(store, &waiting));
    json_object_set_int_member(body, "max_queued", config->max_queue);
    json_object_set_int_member(body, "failed_starts", n_failed);
    orch_json_set(body, "worker_error", trouble);
    json_object_set_array_member(body, "accounts", list_accounts(store, config));
    orch_reply(request, SOUP_STATUS_OK, body);
}

static void get_openapi(OrchRequest *request)
{
    g_autoptr(GBytes) bytes = g_resource_lookup_data(orchestrator_get_resource(),
                                                     "/steno/orchestrator/openapi.json", 0, NULL);
    g_assert(bytes != NULL);
    orch_reply_bytes(request, SOUP_STATUS_OK, "application/json", bytes);
}

const OrchRoute orch_common_routes[] = {
    {"GET", "/openapi.json", ORCH_AUTH_NONE, false, get_openapi, "openapi"},
    {"GET", "/health", ORCH_AUTH_NONE, false, get_health, "health"},
    {NULL, NULL, ORCH_AUTH_NONE, false, NULL, NULL},
};
