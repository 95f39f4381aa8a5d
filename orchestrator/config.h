/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/fields.h"
#include "orchestrator/login.h"

/*
 * The orchestrator's configuration: one JSON document (--config FILE), checked field by field
 * against one table; docs/api.md lists the fields. Secrets come from the environment. Immutable.
 */

typedef struct {
    JsonObject *document; /* owned: the effective one; the strings below live in it */

    const char *address; /* to listen on */
    guint16 port;        /* 0: any free one */
    char *public_url;    /* owned: how clients reach us; NULL: from address and port */
    char *data_dir;      /* owned, absolute */
    guint join_lead_s;   /* start_time: joins that much earlier */
    guint link_valid_s;

    guint max_workers;           /* concurrent bots; 0: bots are taken and wait */
    guint pool_size;             /* workers that wait with their browser started */
    guint max_queue;             /* bots that wait for a place */
    bool leave_on_stop;          /* bots leave when the orchestrator is told to stop */
    guint stop_grace_s;          /* for that, and for what they report */
    bool own_bots_are_company;   /* bots of one account keep each other in a meeting */
    char *worker;                /* owned: path of steno-worker */
    JsonObject *worker_defaults; /* borrowed: under every worker's own document */

    GPtrArray *logins;         /* owned: of OrchLogin, what bots can sign in with */
    OrchLoginUse accounts_use; /* of bots whose callers did not say */

    bool allow_private_webhooks; /* targets on loopback and private networks */
    JsonArray *retry_s;          /* borrowed: seconds between a webhook's tries */

    guint max_body_bytes;
    guint max_connections;
    guint request_timeout_s; /* a request must have come by then, and a silent connection ends */
} OrchConfig;

/** @document: (transfer none): copied. Errors: BOT_CONFIG_ERROR. */
OrchConfig *orch_config_new(JsonObject *document, GError **error);
/** @path: NULL: all defaults. Errors: also G_FILE_ERROR. */
OrchConfig *orch_config_new_from_file(const char *path, GError **error);
void orch_config_free(OrchConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchConfig, orch_config_free)

/** Returns (transfer full): <data_dir>/<name>. */
char *orch_config_path(const OrchConfig *config, const char *name);

/** The table, for documentation and tests. */
extern const BotFieldTable orch_config_table;
