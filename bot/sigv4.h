/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * AWS Signature Version 4, as S3 and its compatible stores check it ("Authenticating Requests:
 * Using the Authorization Header" and "... Query Parameters" in the Amazon S3 API Reference).
 * Pure: no clock, no I/O; any thread.
 */

typedef struct {
    const char *access_key;
    const char *secret_key;
    const char *session_token; /* of temporary credentials; NULL: none */
    const char *region;
} BotSigV4Key;

typedef struct {
    const char *method;
    const char *path;  /* as sent: percent-encoded, begins with a slash */
    const char *query; /* as sent: encoded, sorted by name; "" for none */
    /* Pairs of lower-case name and value, sorted by name, NULL at the end; host is among them. */
    const char *const *headers;
    const char *payload_sha256; /* hex, or "UNSIGNED-PAYLOAD" */
    const char *amz_date;       /* "20130524T000000Z" */
} BotSigV4Request;

/** Returns (transfer full): the value of the Authorization header. */
char *bot_sigv4_sign(const BotSigV4Key *key, const BotSigV4Request *request);

/**
 * bot_sigv4_presign:
 * @host: as in the Host header, with a port that is not the scheme's own
 *
 * Returns (transfer full): the query string that makes @method of @path valid for @expires_s from
 * @amz_date on.
 */
char *bot_sigv4_presign(const BotSigV4Key *key, const char *method, const char *host,
                        const char *path, const char *amz_date, unsigned expires_s);
