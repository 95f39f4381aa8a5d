/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/sigv4.h"

#include <string.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SHA256_BYTES 32

typedef struct {
    guint8 bytes[SHA256_BYTES];
} Digest;

static Digest hmac(const void *key, gsize key_length, const char *text)
{
    g_autoptr(GHmac) state = g_hmac_new(G_CHECKSUM_SHA256, key, key_length);
    g_hmac_update(state, (const guchar *)text, -1);
    Digest digest;
    gsize length = sizeof digest.bytes;
    g_hmac_get_digest(state, digest.bytes, &length);
    return digest;
}

static char *sha256_hex(const char *text)
{
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

/* "20130524/us-east-1/s3/aws4_request" */
static char *scope_of(const BotSigV4Key *key, const char *amz_date)
{
    return g_strdup_printf("%.8s/%s/s3/aws4_request", amz_date, key->region);
}

static char *signature_of(const BotSigV4Key *key, const char *amz_date, const char *scope,
                          const char *canonical)
{
    g_autofree char *hash = sha256_hex(canonical);
    g_autofree char *to_sign = g_strdup_printf(ALGORITHM "\n%s\n%s\n%s", amz_date, scope, hash);
    g_autofree char *secret = g_strconcat("AWS4", key->secret_key, NULL);
    g_autofree char *day = g_strndup(amz_date, 8);
    Digest digest = hmac(secret, strlen(secret), day);
    digest = hmac(digest.bytes, sizeof digest.bytes, key->region);
    digest = hmac(digest.bytes, sizeof digest.bytes, "s3");
    digest = hmac(digest.bytes, sizeof digest.bytes, "aws4_request");
    return g_compute_hmac_for_string(G_CHECKSUM_SHA256, digest.bytes, sizeof digest.bytes, to_sign,
                                     -1);
}

static char *header_names(const char *const *headers)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (gsize i = 0; headers[i] != NULL; i += 2) {
        g_string_append_printf(names, "%s%s", i > 0 ? ";" : "", headers[i]);
    }
    return g_string_free(g_steal_pointer(&names), FALSE);
}

static char *canonical_request(const BotSigV4Request *request, const char *names)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s\n%s\n%s\n", request->method, request->path, request->query);
    for (gsize i = 0; request->headers[i] != NULL; i += 2) {
        g_string_append_printf(text, "%s:%s\n", request->headers[i], request->headers[i + 1]);
    }
    g_string_append_printf(text, "\n%s\n%s", names, request->payload_sha256);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *bot_sigv4_sign(const BotSigV4Key *key, const BotSigV4Request *request)
{
    g_autofree char *names = header_names(request->headers);
    g_autofree char *canonical = canonical_request(request, names);
    g_autofree char *scope = scope_of(key, request->amz_date);
    g_autofree char *signature = signature_of(key, request->amz_date, scope, canonical);
    return g_strdup_printf(ALGORITHM " Credential=%s/%s,SignedHeaders=%s,Signature=%s",
                           key->access_key, scope, names, signature);
}

char *bot_sigv4_presign(const BotSigV4Key *key, const char *method, const char *host,
                        const char *path, const char *amz_date, unsigned expires_s)
{
    g_autofree char *scope = scope_of(key, amz_date);
    g_autofree char *credential = g_strdup_printf("%s/%s", key->access_key, scope);
    g_autofree char *encoded = g_uri_escape_string(credential, NULL, FALSE);
    g_autofree char *token =
        key->session_token != NULL ? g_uri_escape_string(key->session_token, NULL, FALSE) : NULL;
    g_autofree char *query = g_strdup_printf(
        "X-Amz-Algorithm=" ALGORITHM "&X-Amz-Credential=%s&X-Amz-Date=%s&X-Amz-Expires=%u%s%s"
        "&X-Amz-SignedHeaders=host",
        encoded, amz_date, expires_s, token != NULL ? "&X-Amz-Security-Token=" : "",
        token != NULL ? token : "");
    const char *const headers[] = {"host", host, NULL};
    BotSigV4Request request = {method, path, query, headers, "UNSIGNED-PAYLOAD", amz_date};
    g_autofree char *canonical = canonical_request(&request, "host");
    g_autofree char *signature = signature_of(key, amz_date, scope, canonical);
    return g_strdup_printf("%s&X-Amz-Signature=%s", query, signature);
}
