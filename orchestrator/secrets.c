/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/secrets.h"

#include <gio/gio.h>
#include <sodium.h>
#include <string.h>

struct OrchSecrets {
    guint8 seal_key[crypto_secretbox_KEYBYTES];
    guint8 sign_key[crypto_auth_KEYBYTES];
};

/* Numbers of the derived keys: changing one makes everything made with it worthless. */
enum { SUBKEY_SEAL = 1, SUBKEY_SIGN = 2 };

static void ensure_sodium(void)
{
    if (sodium_init() < 0) {
        g_error("libsodium has no source of randomness");
    }
}

OrchSecrets *orch_secrets_new(const char *secret, GError **error)
{
    ensure_sodium();
    if (strlen(secret) < ORCH_SECRET_MIN_CHARS) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "STENO_SECRET has %zu characters, at least %d are needed; "
                    "`openssl rand -hex 32` makes a good one",
                    strlen(secret), ORCH_SECRET_MIN_CHARS);
        return NULL;
    }
    guint8 master[crypto_kdf_KEYBYTES];
    crypto_generichash(master, sizeof master, (const guint8 *)secret, strlen(secret), NULL, 0);
    OrchSecrets *secrets = g_new0(OrchSecrets, 1);
    crypto_kdf_derive_from_key(secrets->seal_key, sizeof secrets->seal_key, SUBKEY_SEAL, "stenorch",
                               master);
    crypto_kdf_derive_from_key(secrets->sign_key, sizeof secrets->sign_key, SUBKEY_SIGN, "stenorch",
                               master);
    sodium_memzero(master, sizeof master);
    return secrets;
}

void orch_secrets_free(OrchSecrets *secrets)
{
    sodium_memzero(secrets, sizeof *secrets);
    g_free(secrets);
}

char *orch_secrets_seal(const OrchSecrets *secrets, const char *text)
{
    gsize length = strlen(text);
    gsize size = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + length;
    g_autofree guint8 *box = g_malloc(size);
    randombytes_buf(box, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(box + crypto_secretbox_NONCEBYTES, (const guint8 *)text, length, box,
                          secrets->seal_key);
    return g_base64_encode(box, size);
}

char *orch_secrets_open(const OrchSecrets *secrets, const char *sealed)
{
    gsize size = 0;
    g_autofree guint8 *box = g_base64_decode(sealed, &size);
    gsize overhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    if (box == NULL || size < overhead) {
        return NULL;
    }
    g_autofree char *text = g_malloc0(size - overhead + 1);
    int result =
        crypto_secretbox_open_easy((guint8 *)text, box + crypto_secretbox_NONCEBYTES,
                                   size - crypto_secretbox_NONCEBYTES, box, secrets->seal_key);
    return result == 0 ? g_steal_pointer(&text) : NULL;
}

static char *to_base64url(const guint8 *bytes, gsize size)
{
    char *text =
        g_malloc(sodium_base64_encoded_len(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING));
    sodium_bin2base64(text,
                      sodium_base64_encoded_len(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                      bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return text;
}

char *orch_secrets_sign(const OrchSecrets *secrets, const char *text)
{
    guint8 tag[crypto_auth_BYTES];
    crypto_auth(tag, (const guint8 *)text, strlen(text), secrets->sign_key);
    return to_base64url(tag, sizeof tag);
}

bool orch_secrets_verify(const OrchSecrets *secrets, const char *text, const char *signature)
{
    g_autofree char *expected = orch_secrets_sign(secrets, text);
    return orch_same_text(expected, signature);
}

char *orch_random_key(void)
{
    ensure_sodium();
    guint8 bytes[32];
    randombytes_buf(bytes, sizeof bytes);
    g_autofree char *text = to_base64url(bytes, sizeof bytes);
    return g_strconcat("steno_", text, NULL);
}

char *orch_random_secret(void)
{
    ensure_sodium();
    guint8 bytes[32];
    randombytes_buf(bytes, sizeof bytes);
    return g_base64_encode(bytes, sizeof bytes);
}

char *orch_hash(const char *text)
{
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

char *orch_hmac_sha256(const void *key, gsize key_length, const void *data, gsize length)
{
    guint8 digest[32];
    gsize size = sizeof digest;
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, key, key_length);
    g_hmac_update(hmac, data, (gssize)length);
    g_hmac_get_digest(hmac, digest, &size);
    return g_base64_encode(digest, size);
}

bool orch_same_text(const char *a, const char *b)
{
    gsize length = strlen(a);
    return strlen(b) == length && sodium_memcmp(a, b, length) == 0;
}
