/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Everything cryptographic, on libsodium. One secret from the environment (STENO_SECRET) stands
 * behind it; a key of its own is derived from it for each purpose. Any thread; no errors to expect
 * where none are named.
 */

typedef struct OrchSecrets OrchSecrets;

#define ORCH_SECRET_MIN_CHARS 32

/** @secret: at least ORCH_SECRET_MIN_CHARS characters. Errors: G_IO_ERROR_INVALID_ARGUMENT. */
OrchSecrets *orch_secrets_new(const char *secret, GError **error);
void orch_secrets_free(OrchSecrets *secrets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OrchSecrets, orch_secrets_free)

/** Encrypt @text; returns (transfer full): base64 of nonce and box. */
char *orch_secrets_seal(const OrchSecrets *secrets, const char *text);
/** Returns (transfer full): NULL when it was sealed with another secret, or changed. */
char *orch_secrets_open(const OrchSecrets *secrets, const char *sealed);

/** A signature that only this orchestrator can make, for links to files: base64url. */
char *orch_secrets_sign(const OrchSecrets *secrets, const char *text);
bool orch_secrets_verify(const OrchSecrets *secrets, const char *text, const char *signature);

/** "steno_" and 43 random characters: 256 bits. */
char *orch_random_key(void);
/** 32 random bytes in base64: what an account's webhooks are signed with. */
char *orch_random_secret(void);

/** SHA-256 in lower-case hex: enough for what is random and long. */
char *orch_hash(const char *text);

/** Base64 of HMAC-SHA256 over @length bytes. */
char *orch_hmac_sha256(const void *key, gsize key_length, const void *data, gsize length);

bool orch_same_text(const char *a, const char *b); /**< in constant time for equal lengths */
