/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/store_priv.h"

#include <string.h>

#define LISTED_AT_ONCE 500
/* Lists until one is empty: a bot has some ten objects, and hundreds with pictures. */
#define MAX_ROUNDS 100

typedef struct {
    BotStore *store; /* borrowed */
    GCancellable *cancellable;
    guint n;
} Clearing;

/* True also when there is none any more. */
static bool delete_one(Clearing *clearing, const BotS3Object *object, GError **error)
{
    const char *prefix = clearing->store->config->prefix;
    if (!g_str_has_prefix(object->key, prefix)) {
        g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_ANSWER,
                    "the store lists what was not asked for");
        return false;
    }
    g_autofree char *id =
        object->upload_id != NULL ? g_uri_escape_string(object->upload_id, NULL, FALSE) : NULL;
    g_autofree char *query = id != NULL ? g_strconcat("uploadId=", id, NULL) : g_strdup("");
    BotStoreRequest request = {
        .method = "DELETE", .name = object->key + strlen(prefix), .query = query};
    g_auto(BotStoreAnswer) answer = {0};
    g_autoptr(GError) failure = NULL;
    if (bot_store_exchange(clearing->store, &request, clearing->cancellable, &answer, &failure) ||
        (answer.status == 404 && !g_cancellable_is_cancelled(clearing->cancellable))) {
        clearing->n++;
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* Returns (transfer full): a list, of objects or of uploads. NULL without @error: a store that has
 * no uploads in parts. */
static BotS3Answer *list(Clearing *clearing, const char *query, const char *root, GError **error)
{
    BotStoreRequest request = {.method = "GET", .query = query};
    g_auto(BotStoreAnswer) answer = {0};
    g_autoptr(GError) failure = NULL;
    if (!bot_store_exchange(clearing->store, &request, clearing->cancellable, &answer, &failure)) {
        if (answer.status != 501 || strcmp(root, "ListMultipartUploadsResult") != 0) {
            g_propagate_error(error, g_steal_pointer(&failure));
        }
        return NULL;
    }
    g_autoptr(BotS3Answer) parsed = bot_s3_answer_parse(answer.text, answer.length, error);
    if (parsed != NULL && strcmp(parsed->root, root) != 0) {
        g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_ANSWER, "%s (expected %s)",
                    parsed->root, root);
        return NULL;
    }
    return g_steal_pointer(&parsed);
}

static bool clear_listed(Clearing *clearing, const char *query, const char *root, GError **error)
{
    for (guint round = 0; round < MAX_ROUNDS; round++) {
        g_autoptr(GError) failure = NULL;
        g_autoptr(BotS3Answer) listed = list(clearing, query, root, &failure);
        if (failure != NULL) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (listed == NULL || listed->objects->len == 0) {
            return true;
        }
        for (guint i = 0; i < listed->objects->len; i++) {
            if (!delete_one(clearing, &g_array_index(listed->objects, BotS3Object, i), error)) {
                return false;
            }
        }
    }
    g_set_error(error, BOT_STORE_ERROR, BOT_STORE_ERROR_ANSWER,
                "the store lists objects again and again that it deleted");
    return false;
}

bool bot_store_clear(BotStore *store, guint *ret_n, GCancellable *cancellable, GError **error)
{
    g_assert(store->config->put_url == NULL && store->config->prefix[0] != '\0');
    Clearing clearing = {store, cancellable, 0};
    g_autofree char *prefix = g_uri_escape_string(store->config->prefix, NULL, FALSE);
    g_autofree char *uploads =
        g_strdup_printf("max-uploads=%d&prefix=%s&uploads=", LISTED_AT_ONCE, prefix);
    g_autofree char *objects =
        g_strdup_printf("list-type=2&max-keys=%d&prefix=%s", LISTED_AT_ONCE, prefix);
    /* Uploads first: one that is completed meanwhile is an object then. */
    bool cleared = clear_listed(&clearing, uploads, "ListMultipartUploadsResult", error) &&
                   clear_listed(&clearing, objects, "ListBucketResult", error);
    *ret_n = clearing.n;
    if (!cleared) {
        g_prefix_error(error, "%s: ", store->base);
    }
    return cleared;
}
