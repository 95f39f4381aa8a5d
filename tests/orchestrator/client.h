/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/server.h"
#include "tests/orchestrator/fixture.h"

/* A server over a fixture's bots and a client beside it, in one thread and main context. */

typedef struct {
    Fixture fixture;
    OrchServer *server;
    SoupSession *session;
    char *url; /* owned */
    /* what the last call gave */
    guint status;
    JsonObject *json;  /* owned: an empty object when the body was none */
    JsonArray *array;  /* owned: NULL unless the body was one */
    GBytes *bytes;     /* owned: the body */
    SoupMessage *last; /* owned */
} Client;

void client_set_up(Client *client, const char *config);
void client_tear_down(Client *client);

/**
 * @auth: "meeting_baas", "attendee" or "cronofy": the header that carries the fixture's key; NULL:
 * none; anything with a colon: that header
 * @body: (nullable)
 */
void client_call(Client *client, const char *method, const char *path, const char *auth,
                 const char *body);
/** The same with a Range header. */
void client_get_range(Client *client, const char *url, const char *range);

/** Write raw bytes to the server, read until it ends or is silent for a while; (transfer full). */
GString *client_raw(Client *client, const void *data, gsize length);

/** The string member at "a.b.c" of the last answer; NULL: none. */
const char *client_string(Client *client, const char *path);
