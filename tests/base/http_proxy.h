/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A small HTTP proxy on loopback, with a thread for each connection: CONNECT and whole URLs, all to
 * one port of this machine, whatever host they name.
 */

typedef struct HttpProxy HttpProxy;

HttpProxy *http_proxy_new(guint to_port);
void http_proxy_free(HttpProxy *proxy);
guint http_proxy_port(HttpProxy *proxy);

/** How many requests came whose first line contains @text. */
guint http_proxy_count(HttpProxy *proxy, const char *text);
