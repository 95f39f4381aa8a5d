/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * Which connections go through a proxy: one rule for all that a process makes, whatever library
 * makes them. It comes from the configuration's "proxy" or, without that, from the environment
 * (http_proxy, https_proxy, no_proxy), which is read once: libraries have rules of their own for
 * it. http: and ws: go by the first, https: and wss: by the second; what no_proxy names, and this
 * machine (localhost, 127.0.0.0/8, ::1), never goes by any.
 *
 * Set before the first connection is made, on the main thread; asked on any.
 */

/**
 * base_proxy_from_environment:
 * @take: take the variables out, so that no library of this process reads them
 *
 * Errors: G_IO_ERROR_INVALID_ARGUMENT, a proxy that is no http:// URL with a host.
 */
bool base_proxy_from_environment(bool take, GError **error);

/**
 * base_proxy_set:
 * @http: (nullable), @https: (nullable): http://[USER:PASSWORD@]HOST:PORT
 * @except: (nullable): NULL-ended; a host and all below it, an address, a net (10.0.0.0/8), "*"
 *
 * Errors: as above; the rule is then what it was.
 */
bool base_proxy_set(const char *http, const char *https, const char *const *except, GError **error);

/** Whether base_proxy_set would take @proxy. Errors: as there. */
bool base_proxy_check(const char *proxy, GError **error);

/** Follows the rule; (transfer none), never NULL. For GLib's and libsoup's connections. */
GProxyResolver *base_proxy_resolver(void);

/** (transfer full): the proxy for @url, "http://HOST:PORT", or NULL for none. */
char *base_proxy_for(const char *url);

/** (transfer full): Chromium's arguments for the rule, NULL-ended, never empty. */
char **base_proxy_chromium_args(void);
