/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/outbox.h"

#include "base/backoff.h"
#include "bot/answer.h"
#include "orchestrator/delivery.h"
#include "orchestrator/keys.h"

#define MAX_PARALLEL 128u
#define STORE_RETRY_MS 1000u
#define JITTER 0.2
#define HORIZON_MS 60000

struct OrchOutbox {
    OrchStore *store;           /* borrowed */
    const OrchSecrets *secrets; /* borrowed */
    guint *retry_s;             /* owned */
    guint n_retries;
    bool allow_private;
    guint max_parallel, try_ms;
    SoupSession *session;  /* owned */
    GHashTable *under_way; /* delivery id -> Job (owned): waiting to be durable, or being tried */
    GQueue batches;        /* borrowed Batch: each is owned by its callback */
    guint pump_id, timer_id;
};

typedef struct {
    OrchOutbox *outbox;       /* borrowed */
    OrchDelivery *delivery;   /* owned */
    OrchDeliveryTry *attempt; /* owned by its own call; NULL until it is durable */
    gint64 begun_ms;
} Job;

/* What was read from the store together, and may go once all of it is durable. */
typedef struct {
    OrchOutbox *outbox; /* borrowed; NULL once it is freed */
    GPtrArray *ids;     /* owned */
} Batch;

static void pump_soon(OrchOutbox *outbox);

static gint64 now_ms(void)
{
    return g_get_real_time() / 1000;
}

gint64 orch_outbox_retry_ms(const guint *retry_s, guint n_retries, gint64 n_attempts, double random)
{
    if (n_attempts < 1 || n_attempts > n_retries) {
        return -1;
    }
    return base_backoff_spread_ms(retry_s[n_attempts - 1] * 1000, 1 - JITTER, 1 + JITTER, random);
}

static void job_free(gpointer data)
{
    Job *job = data;
    if (job->attempt != NULL) {
        orch_delivery_cancel(job->attempt);
    }
    orch_delivery_free(job->delivery);
    g_free(job);
}

/* --- what became of a try --- */

static void write_result(OrchOutbox *outbox, const Job *job, const OrchDeliveryResult *result)
{
    OrchDelivery *delivery = job->delivery;
    OrchAttempt attempt = {.delivery_id = delivery->id,
                           .n = delivery->n_attempts,
                           .time_ms = job->begun_ms,
                           .duration_ms = result->duration_ms,
                           .status = result->status,
                           .error = result->error,
                           .answer = result->answer};
    g_autoptr(GError) error = NULL;
    orch_store_begin(outbox->store);
    bool written = orch_store_delivery_update(outbox->store, delivery, &error) &&
                   orch_store_attempt_add(outbox->store, &attempt, &error);
    if (!orch_store_end(outbox->store, written, written ? &error : NULL)) {
        /* It stays as it was, and is tried again: receivers tell repeats by the id. */
        g_message("a webhook's result can't be stored: %s",
                  error != NULL ? error->message : "unknown");
    }
}

static void on_tried(const OrchDeliveryResult *result, gpointer user_data)
{
    Job *job = user_data;
    OrchOutbox *outbox = job->outbox;
    OrchDelivery *delivery = job->delivery;
    job->attempt = NULL;
    bool twice =
        bot_answer_is_final(result->status) && bot_answer_is_final((unsigned)delivery->last_status);
    delivery->n_attempts++;
    delivery->last_status = result->status;
    orch_set_string(&delivery->last_error, result->error);
    gint64 wait_ms = orch_outbox_retry_ms(outbox->retry_s, outbox->n_retries, delivery->n_attempts,
                                          g_random_double());
    if (result->error == NULL) {
        delivery->state = ORCH_DELIVERY_DELIVERED;
        delivery->delivered_ms = now_ms();
    } else if (wait_ms < 0 || twice || result->hopeless) {
        delivery->state = ORCH_DELIVERY_PARKED;
        delivery->delivered_ms = now_ms();
        g_message("webhook %s of bot %s is parked after %" G_GINT64_FORMAT " tries: %s",
                  delivery->id, delivery->bot_id, delivery->n_attempts, result->error);
    } else {
        delivery->next_attempt_ms = now_ms() + wait_ms;
        g_info("webhook %s of bot %s: try %" G_GINT64_FORMAT " failed: %s", delivery->id,
               delivery->bot_id, delivery->n_attempts, result->error);
    }
    write_result(outbox, job, result);
    g_hash_table_remove(outbox->under_way, delivery->id);
    pump_soon(outbox);
}

/* --- sending --- */

static void try_now(OrchOutbox *outbox, Job *job)
{
    OrchDelivery *delivery = job->delivery;
    g_autofree char *api_key =
        delivery->key_id != NULL
            ? orch_keys_reveal(outbox->store, outbox->secrets, delivery->key_id)
            : NULL;
    g_autofree char *secret =
        orch_keys_webhook_secret(outbox->store, outbox->secrets, delivery->account);
    if (secret == NULL) {
        g_message("webhook %s goes out unsigned: its account's secret was sealed with another "
                  "STENO_SECRET",
                  delivery->id);
    }
    OrchDeliverySecrets secrets = {api_key, secret};
    g_autoptr(SoupMessageHeaders) headers = soup_message_headers_new(SOUP_MESSAGE_HEADERS_REQUEST);
    job->begun_ms = now_ms();
    orch_delivery_headers(delivery, &secrets, job->begun_ms, headers);
    job->attempt = orch_delivery_try(outbox->session, delivery, headers, outbox->allow_private,
                                     outbox->try_ms, on_tried, job);
}

static gboolean on_timer(gpointer user_data)
{
    OrchOutbox *outbox = user_data;
    outbox->timer_id = 0;
    pump_soon(outbox);
    return G_SOURCE_REMOVE;
}

static void pump_in(OrchOutbox *outbox, gint64 wait_ms)
{
    g_clear_handle_id(&outbox->timer_id, g_source_remove);
    outbox->timer_id = g_timeout_add((guint)CLAMP(wait_ms, 1, G_MAXINT), on_timer, outbox);
}

static void on_durable(const GError *error, gpointer user_data)
{
    Batch *batch = user_data;
    OrchOutbox *outbox = batch->outbox;
    for (guint i = 0; outbox != NULL && i < batch->ids->len; i++) {
        const char *id = g_ptr_array_index(batch->ids, i);
        Job *job = g_hash_table_lookup(outbox->under_way, id);
        if (job == NULL) {
            continue;
        }
        if (error == NULL) {
            try_now(outbox, job);
        } else {
            g_hash_table_remove(outbox->under_way, id);
        }
    }
    if (outbox != NULL) {
        g_queue_remove(&outbox->batches, batch);
    }
    if (outbox != NULL && error != NULL) {
        pump_in(outbox, STORE_RETRY_MS);
    }
    g_ptr_array_unref(batch->ids);
    g_free(batch);
}

/* Take what is due and wait until it is durable; returns when the next one is due, or -1. */
static gint64 claim_due(OrchOutbox *outbox)
{
    gint64 now = now_ms(), next = -1;
    guint n_under_way = g_hash_table_size(outbox->under_way);
    g_autoptr(GPtrArray) due = orch_store_deliveries_due(outbox->store, now + HORIZON_MS,
                                                         outbox->max_parallel + n_under_way);
    Batch *batch = g_new0(Batch, 1);
    batch->outbox = outbox;
    batch->ids = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < due->len && n_under_way < outbox->max_parallel;) {
        OrchDelivery *delivery = g_ptr_array_index(due, i);
        if (g_hash_table_contains(outbox->under_way, delivery->id)) {
            i++;
            continue;
        }
        if (delivery->next_attempt_ms > now) {
            next = delivery->next_attempt_ms;
            break;
        }
        Job *job = g_new0(Job, 1);
        job->outbox = outbox;
        job->delivery = g_ptr_array_steal_index(due, i);
        g_hash_table_insert(outbox->under_way, g_strdup(job->delivery->id), job);
        g_ptr_array_add(batch->ids, g_strdup(job->delivery->id));
        n_under_way++;
    }
    if (batch->ids->len == 0) {
        g_ptr_array_unref(batch->ids);
        g_free(batch);
        return next;
    }
    g_queue_push_tail(&outbox->batches, batch);
    orch_store_when_durable(outbox->store, on_durable, batch);
    return next;
}

static gboolean on_pump(gpointer user_data)
{
    OrchOutbox *outbox = user_data;
    outbox->pump_id = 0;
    /* A nearly full house reads the store once for many that left, not once for each. */
    if (g_hash_table_size(outbox->under_way) <= outbox->max_parallel * 3 / 4) {
        gint64 next = claim_due(outbox);
        pump_in(outbox, next >= 0 ? next - now_ms() : HORIZON_MS);
    }
    return G_SOURCE_REMOVE;
}

static void pump_soon(OrchOutbox *outbox)
{
    if (outbox->pump_id == 0) {
        outbox->pump_id = g_idle_add(on_pump, outbox);
    }
}

void orch_outbox_wake(OrchOutbox *outbox)
{
    pump_soon(outbox);
}

guint orch_outbox_count_under_way(OrchOutbox *outbox)
{
    return g_hash_table_size(outbox->under_way);
}

OrchOutbox *orch_outbox_new(const OrchOutboxConfig *config)
{
    OrchOutbox *outbox = g_new0(OrchOutbox, 1);
    outbox->store = config->store;
    outbox->secrets = config->secrets;
    outbox->retry_s = g_memdup2(config->retry_s, sizeof *config->retry_s * config->n_retries);
    outbox->n_retries = config->n_retries;
    outbox->allow_private = config->allow_private;
    outbox->max_parallel = config->max_parallel > 0 ? config->max_parallel : MAX_PARALLEL;
    outbox->try_ms = config->try_ms > 0 ? config->try_ms : ORCH_OUTBOX_TRY_MS;
    outbox->session = orch_delivery_session(outbox->max_parallel);
    outbox->under_way = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, job_free);
    g_queue_init(&outbox->batches);
    pump_soon(outbox);
    return outbox;
}

void orch_outbox_free(OrchOutbox *outbox)
{
    g_clear_handle_id(&outbox->pump_id, g_source_remove);
    g_clear_handle_id(&outbox->timer_id, g_source_remove);
    for (GList *item = outbox->batches.head; item != NULL; item = item->next) {
        ((Batch *)item->data)->outbox = NULL;
    }
    g_queue_clear(&outbox->batches);
    g_hash_table_unref(outbox->under_way);
    soup_session_abort(outbox->session);
    g_object_unref(outbox->session);
    g_free(outbox->retry_s);
    g_free(outbox);
}
