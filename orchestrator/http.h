/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/bots.h"

#include <libsoup/soup.h>

#define ORCH_STATUS_TOO_MANY_REQUESTS 429 /* libsoup has no name for it */

/*
 * One request on its way through a handler, and the ways to answer it. A handler answers exactly
 * once, at once or later: a request that is not answered when its handler returns waits for one of
 * the orch_reply functions. Routes are data, shared by all APIs. Main thread only.
 */

typedef struct OrchRequest OrchRequest;
typedef void (*OrchHandler)(OrchRequest *request);

/** Who may call, how the key is sent, and what an error looks like. */
typedef enum {
    ORCH_AUTH_NONE,
    ORCH_AUTH_MBAAS,    /* x-meeting-baas-api-key: KEY */
    ORCH_AUTH_ATTENDEE, /* Authorization: Token KEY */
    ORCH_AUTH_CRONOFY,  /* Authorization: Bearer KEY */
} OrchAuth;

typedef struct {
    const char *method;
    const char *path; /* "/bots/{uuid}/screenshots"; a last "{name...}" takes the rest */
    OrchAuth auth;
    bool takes_body; /* a JSON object; otherwise a body is read and left alone */
    OrchHandler handler;
    const char *operation; /* operationId in openapi.json */
} OrchRoute;

/** Tables end with a NULL method. */
extern const OrchRoute orch_mbaas_routes[];
extern const OrchRoute orch_attendee_routes[];
extern const OrchRoute orch_cronofy_routes[];

/** What POST /v1/meeting_agents may hold; for documentation and tests. */
extern const BotFieldTable orch_cronofy_create_table;
extern const OrchRoute orch_file_routes[];
extern const OrchRoute orch_webhook_routes[];
extern const OrchRoute orch_common_routes[];

#define ORCH_MAX_PARAMS 4

struct OrchRequest {
    OrchBots *bots;             /* borrowed */
    SoupServerMessage *message; /* owned */
    const OrchRoute *route;
    char *params[ORCH_MAX_PARAMS]; /* owned: what stood for the route's {…}, in order, decoded */
    GHashTable *query;             /* owned: decoded; empty when there is none */
    JsonObject *body;              /* owned: empty unless the route takes one */
    OrchKey *key;                  /* owned: whose it is; NULL with ORCH_AUTH_NONE */

    /* --- the machinery's --- */
    guint *n_waiting; /* borrowed: counts the unanswered */
    bool paused, answered, gone;
    int status; /* of an answer that waits for the disk */
    char *text; /* owned: its body */
};

/** The value of a query parameter; NULL when it is absent or empty. */
const char *orch_request_query(OrchRequest *request, const char *name);

/** (transfer full): where the next page of a list begins, as text that nobody is to look into. */
char *orch_cursor_new(gint64 position);

/** The "cursor" of the query; untouched when there is none. Returns false when it is none of ours:
 *  ORCH_CURSOR_REFUSAL says so. */
bool orch_request_cursor(OrchRequest *request, gint64 *ret_position);
#define ORCH_CURSOR_REFUSAL "cursor: is not one that an earlier answer gave"

/** @body: (transfer full) (nullable): an object. Answers now. */
void orch_reply(OrchRequest *request, int status, JsonObject *body);
/** @body: (transfer full): an array */
void orch_reply_array(OrchRequest *request, int status, JsonArray *body);
/** Answers when all that was written so far is on the disk; 503 when it can't be. */
void orch_reply_durable(OrchRequest *request, int status, JsonObject *body);

/**
 * orch_reply_error:
 * @code: "BotNotFound"; for programs
 * @message: for people: what is wrong and what would be right
 *
 * In the form of the route's API.
 */
void orch_reply_error(OrchRequest *request, int status, const char *code, const char *message);

/** From an error of the bots or the store: 400, 409, 429 with retry-after, 503. */
void orch_reply_gerror(OrchRequest *request, const GError *error);

/** The handler's own headers, before it answers. */
void orch_reply_header(OrchRequest *request, const char *name, const char *value);
/** Answers with @bytes as they are. */
void orch_reply_bytes(OrchRequest *request, int status, const char *content_type, GBytes *bytes);

/** The bot that @id names, if it is the caller's; otherwise answers 404 and returns NULL. */
OrchBot *orch_request_bot(OrchRequest *request, const char *id);
