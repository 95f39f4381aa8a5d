/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/model.h"

#include <libsoup/soup.h>

/*
 * One try at delivering one webhook: its headers and its POST. The target's address is checked
 * where the connection is made, so a name that changes its mind between a check and a call gains
 * nothing; redirects are not followed; proxies by the
 * process's rule (base/proxy.h). Main thread only.
 */

/** What the headers are made from; strings may be NULL: that header is left out. */
typedef struct {
    const char *api_key; /* of whoever made the bot */
    const char *secret;  /* the account's, base64 of 32 bytes */
} OrchDeliverySecrets;

/**
 * orch_delivery_headers:
 *
 * For every kind the headers of Standard Webhooks (webhook-id, webhook-timestamp in Unix seconds,
 * webhook-signature "v1," and base64 of the HMAC-SHA256 of "id.timestamp.body"; key: the secret's
 * 32 bytes), so that receivers can use that scheme's libraries. Beside them what the API's own
 * clients look for: Meeting BaaS x-meeting-baas-api-key; Attendee X-Webhook-Signature (HMAC of the
 * canonical JSON); Cronofy Cronofy-HMAC-SHA256 (HMAC of the body, keyed with the secret's text).
 * Pure.
 */
void orch_delivery_headers(const OrchDelivery *delivery, const OrchDeliverySecrets *secrets,
                           gint64 now_ms, SoupMessageHeaders *headers);

typedef struct {
    guint status; /* HTTP; 0: no answer came */
    char *error;  /* owned: for people; NULL: a 2xx answer */
    char *answer; /* owned: the answer's first bytes as valid UTF-8; NULL: none */
    gint64 duration_ms;
    bool hopeless; /* the target can't be called at all: no other try would be different */
} OrchDeliveryResult;

void orch_delivery_result_clear(OrchDeliveryResult *result);

typedef struct OrchDeliveryTry OrchDeliveryTry;

/** @result: (transfer none). The try is over, and freed after this. */
typedef void (*OrchDeliveryDone)(const OrchDeliveryResult *result, gpointer user_data);

/** (transfer full) */
SoupSession *orch_delivery_session(guint max_connections);

/**
 * orch_delivery_try:
 * @headers: what orch_delivery_headers made; copied into the request
 * @allow_private: targets that base_address_is_public refuses are allowed
 * @timeout_ms: for all of it, from the look-up of the name to the answer's end
 *
 * @done comes once, never from inside this call, unless the try is cancelled.
 */
OrchDeliveryTry *orch_delivery_try(SoupSession *session, const OrchDelivery *delivery,
                                   SoupMessageHeaders *headers, bool allow_private,
                                   guint timeout_ms, OrchDeliveryDone done, gpointer user_data);

/** Gives up; @done does not come. */
void orch_delivery_cancel(OrchDeliveryTry *attempt);
