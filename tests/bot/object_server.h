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
/** Its bucket; what it points to is @server's and @prefix. */
BotStoreConfig object_server_config(const ObjectServer *server, const char *prefix);

void object_server_remove_tree(const char *path);
