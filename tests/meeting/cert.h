// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gio/gio.h>

/**
 * meeting_cert_new:
 * @ret_spki: (out) (transfer full): base64 of the SHA-256 of the public key, as Chromium's
 *            --ignore-certificate-errors-spki-list wants it
 *
 * Makes a throw-away key and a self-signed certificate for the platforms' hosts.
 *
 * Errors: MEETING_ERROR_NETWORK.
 */
GTlsCertificate *meeting_cert_new(char **ret_spki, GError **error);
