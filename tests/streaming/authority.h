/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/** A throw-away certificate authority, for consumers with TLS of their own. */
typedef struct Authority Authority;

Authority *authority_new(void);
void authority_free(Authority *authority);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Authority, authority_free)

/** (transfer full): its certificate as PEM, for whoever is to trust it. */
char *authority_pem(Authority *authority);

/** (transfer full): a certificate with its key for @hosts, such as "DNS:localhost". */
GTlsCertificate *authority_issue(Authority *authority, const char *hosts);
