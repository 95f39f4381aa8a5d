/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/store.h"

/*
 * A real S3-compatible store for unit tests: OpenStack Swift (tests/e2e/object_store.py) on
 * loopback, which checks every signature, with faults on command. Main thread.
 */

typedef struct {
    char *dir; /* owned, like the rest */
    GSubprocess *process;
    int port;
    char *endpoint, *vhost_endpoint;
} ObjectServer;

void object_server_start(ObjectServer *server);
void object_server_stop(ObjectServer *server);

/** Returns (transfer full): a path in its folder. */
char *object_server_file(const ObjectServer *server, const char *name);
/** @faults: lines as in object_store.py */
void object_server_set_faults(const ObjectServer *server, const char *faults);
/** How many requests so far had @text in method, host, path and query; "" counts all, and one. */
guint object_server_count(const ObjectServer *server, const char *text);
/** The same, of @method to the object @name of @config with a query that begins with @query. */
guint object_server_count_of(const ObjectServer *server, const BotStoreConfig *config,
                             const char *method, const char *name, const char *query);
/** What is at @url has this @sha256 and this @type; NULL: any. */
void object_server_assert_fetched(const char *url, const char *sha256, const char *type);
/** Blocks until the state of an upload that runs ahead says that so many parts went. It is on the
 *  disk a moment after the store has the part. Any thread. */
void object_server_await_ahead(const char *state_path, guint n_parts);
/** Its bucket; what it points to is @server's and @prefix. */
BotStoreConfig object_server_config(const ObjectServer *server, const char *prefix);

void object_server_remove_tree(const char *path);
