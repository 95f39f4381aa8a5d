/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * The network between the bot and a consumer: a TCP relay on loopback with a thread of its own,
 * that can stand still (nothing arrives, nobody is told), cut what is open, and refuse what comes.
 */

typedef struct StreamingProxy StreamingProxy;

/** Relays to @port on loopback. */
StreamingProxy *streaming_proxy_new(guint port);
void streaming_proxy_free(StreamingProxy *proxy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StreamingProxy, streaming_proxy_free)

guint streaming_proxy_port(StreamingProxy *proxy);

/** While @lost nothing is read from either side, and connections are taken but go nowhere. */
void streaming_proxy_lose(StreamingProxy *proxy, bool lost);

/** Reset every connection. */
void streaming_proxy_cut(StreamingProxy *proxy);
