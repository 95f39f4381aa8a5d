/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/bots.h"

/*
 * Attendee's bodies into the bot model. Pure. Errors: BOT_CONFIG_ERROR_FIELD or _UNSUPPORTED, the
 * path first, "$.bot_name: …".
 */

/** Fields of POST /api/v1/bots, for documentation and tests. */
extern const BotFieldTable orch_attendee_create_table;

/**
 * orch_attendee_read_create:
 * @body: of POST /api/v1/bots; nulls are taken out of it
 * @bot: gets what the body says
 */
bool orch_attendee_read_create(JsonObject *body, const OrchConfig *config, gint64 now_ms,
                               OrchBot *bot, GError **error);

/** What the body's bot_image holds, for orch_bots_keep_picture. @ret_picture: (transfer full),
 *  untouched when the body has none. */
bool orch_attendee_read_picture(JsonObject *body, GBytes **ret_picture, GError **error);

/** How the bot signs in, as the body says, goes into @details; see logins.h. */
bool orch_attendee_read_login(JsonObject *body, JsonObject *details, GError **error);
/** Whether that function has read it. */
bool orch_attendee_is_login_field(const char *settings, const char *name);

/** PATCH /api/v1/bots/{id}: everything but metadata only while the bot is scheduled. */
bool orch_attendee_read_patch(JsonObject *body, gint64 now_ms, OrchBot *bot, GError **error);

/** [{url, triggers}] as they are kept; @kind: (nullable): set as "kind" of each. NULL: an error. */
JsonArray *orch_attendee_read_webhooks(JsonObject *body, const OrchConfig *config, const char *kind,
                                       GError **error);
