/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/http.h"

#include "bot/report_data.h"
#include "orchestrator/json.h"
#include "orchestrator/limiter.h"
#include "orchestrator/mbaas.h"

#include <gio/gio.h>
#include <orchestrator_resources.h>
#include <string.h>

/* Meeting BaaS v1: the bots part. */

#define DELETES_A_MINUTE 5
#define MAX_LISTED 50
#define DEFAULT_LISTED 10
#define LISTED_AT_ONCE 200
#define MAX_SORTED 10000

static void invalid(OrchRequest *request, const char *message)
{
    orch_reply_error(request, SOUP_STATUS_BAD_REQUEST, "InvalidParameters", message);
}

static JsonObject *ok_body(void)
{
    JsonObject *body = json_object_new();
    json_object_set_boolean_member(body, "ok", TRUE);
    return body;
}

/* --- joining and leaving --- */

static bool is_duplicate(OrchRequest *request, const OrchBot *bot, gint64 now_ms)
{
    g_autoptr(OrchBot) other = orch_bots_find_duplicate(request->bots, bot, now_ms);
    if (other == NULL) {
        return false;
    }
    g_autofree char *message =
        g_strdup_printf("Bot %s joins the same meeting within five minutes. Give a "
                        "deduplication_key of its own to send another one.",
                        other->id);
    orch_reply_error(request, SOUP_STATUS_CONFLICT, "BotAlreadyExists", message);
    return true;
}

static void join(OrchRequest *request)
{
    gint64 now_ms = orch_now_ms();
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchBot) bot = orch_bot_new();
    bot->account = request->key->account;
    bot->key_id = g_strdup(request->key->id);
    if (!orch_mbaas_read_join(request->body, orch_bots_config(request->bots),
                              orch_bots_links(request->bots)->secrets, now_ms, bot, &error)) {
        orch_reply_gerror(request, error);
        return;
    }
    if (is_duplicate(request, bot, now_ms)) {
        return;
    }
    if (!orch_bots_create(request->bots, bot, &error)) {
        orch_reply_gerror(request, error);
        return;
    }
    JsonObject *body = json_object_new();
    json_object_set_string_member(body, "bot_id", bot->id);
    orch_reply_durable(request, SOUP_STATUS_OK, body);
}

static void leave(OrchRequest *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot == NULL) {
        return;
    }
    if (orch_bots_leave(request->bots, bot, &error)) {
        orch_reply_durable(request, SOUP_STATUS_OK, ok_body());
    } else {
        orch_reply_gerror(request, error);
    }
}

/* --- data --- */

static void get_meeting_data(OrchRequest *request)
{
    const char *id = orch_request_query(request, "bot_id");
    const char *transcripts = orch_request_query(request, "include_transcripts");
    if (id == NULL) {
        invalid(request, "bot_id: missing; expected the id of a bot");
        return;
    }
    g_autoptr(OrchBot) bot = orch_request_bot(request, id);
    if (bot != NULL) {
        orch_reply(
            request, SOUP_STATUS_OK,
            orch_mbaas_meeting_data(request->bots, bot, g_strcmp0(transcripts, "false") != 0));
    }
}

static bool may_delete(OrchRequest *request)
{
    static OrchLimiter *limiter;
    if (limiter == NULL) {
        limiter = orch_limiter_new(DELETES_A_MINUTE, 60 * 1000);
    }
    gint64 wait_ms = 0;
    if (orch_limiter_take(limiter, request->key->id, orch_now_ms(), &wait_ms)) {
        return true;
    }
    g_autofree char *seconds = g_strdup_printf("%" G_GINT64_FORMAT, wait_ms / 1000 + 1);
    orch_reply_header(request, "Retry-After", seconds);
    orch_reply_error(request, ORCH_STATUS_TOO_MANY_REQUESTS, "TooManyRequests",
                     "Five deletions a minute and key: see retry-after.");
    return false;
}

static void on_deleted(const OrchBot *bot, OrchDeleted deleted, gpointer user_data)
{
    static const char *const words[] = {
        [ORCH_DELETED] = "deleted",
        [ORCH_DELETED_PARTIALLY] = "partiallyDeleted",
        [ORCH_DELETED_ALREADY] = "alreadyDeleted",
        [ORCH_DELETED_NOTHING] = "noDataFound",
    };
    JsonObject *body = ok_body();
    json_object_set_string_member(body, "status", words[deleted]);
    orch_reply_durable(user_data, SOUP_STATUS_OK, body);
}

static void delete_data(OrchRequest *request)
{
    g_autoptr(GError) error = NULL;
    if (!may_delete(request)) {
        return;
    }
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot == NULL) {
        return;
    }
    if (orch_bots_delete_data(request->bots, bot, on_deleted, request, &error)) {
        return;
    }
    if (g_error_matches(error, ORCH_BOTS_ERROR, ORCH_BOTS_ERROR_STATE)) {
        orch_reply_error(request, SOUP_STATUS_FORBIDDEN, "BotNotEnded",
                         "The bot has not ended yet: remove it first, its data can go then.");
    } else {
        orch_reply_gerror(request, error);
    }
}

static bool add_screenshot(JsonArray *list, OrchRequest *request, const OrchBot *bot,
                           const char *name, gint64 time_ms)
{
    g_autofree char *url = orch_bots_link(request->bots, bot, name);
    if (url == NULL) { /* of a bot that still lives */
        const OrchLinks *links = orch_bots_links(request->bots);
        url = orch_links_make(links, bot->id, name, orch_now_ms(), links->valid_s);
    }
    g_autofree char *date = bot_report_iso_time(time_ms);
    JsonObject *entry = json_object_new();
    json_object_set_string_member(entry, "date", date);
    json_object_set_string_member(entry, "url", url);
    json_array_add_object_element(list, entry);
    return true;
}

static bool is_picture(const char *name)
{
    return name != NULL && name[0] != '.' && g_str_has_suffix(name, ".png");
}

static void add_uploaded(JsonArray *list, GHashTable *seen, OrchRequest *request,
                         const OrchBot *bot)
{
    g_autoptr(JsonArray) artifacts = orch_json_load_array(bot->artifacts);
    for (guint i = 0; i < json_array_get_length(artifacts); i++) {
        JsonObject *artifact = orch_json_object_at(artifacts, i);
        const char *name = artifact != NULL ? orch_json_string(artifact, "name") : NULL;
        if (is_picture(name) && g_str_has_prefix(name, "screenshots/")) {
            g_hash_table_add(seen, g_strdup(name));
            add_screenshot(list, request, bot, name, orch_json_int(artifact, "time", 0));
        }
    }
}

static void add_local(JsonArray *list, GHashTable *seen, OrchRequest *request, const OrchBot *bot)
{
    g_autofree char *folder = g_build_filename(bot->output_dir, "screenshots", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *base;
    while (dir != NULL && (base = g_dir_read_name(dir)) != NULL) {
        g_autofree char *name = g_strconcat("screenshots/", base, NULL);
        if (is_picture(base) && !g_hash_table_contains(seen, name)) {
            g_autofree char *path = g_build_filename(folder, base, NULL);
            g_autoptr(GFile) file = g_file_new_for_path(path);
            g_autoptr(GFileInfo) info = g_file_query_info(file, G_FILE_ATTRIBUTE_TIME_MODIFIED,
                                                          G_FILE_QUERY_INFO_NONE, NULL, NULL);
            g_autoptr(GDateTime) time =
                info != NULL ? g_file_info_get_modification_date_time(info) : NULL;
            add_screenshot(list, request, bot, name,
                           time != NULL ? g_date_time_to_unix(time) * 1000 : 0);
        }
    }
}

static void get_screenshots(OrchRequest *request)
{
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot == NULL) {
        return;
    }
    JsonArray *list = json_array_new();
    if (bot->deleted_ms == 0) {
        g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        add_uploaded(list, seen, request, bot);
        add_local(list, seen, request, bot);
    }
    orch_reply_array(request, SOUP_STATUS_OK, list);
}

/* --- listing --- */

typedef struct {
    OrchBotFilter filter;
    const char *extra; /* filter_by_extra; NULL: none */
    char *sort_field;  /* owned: sort_by_extra; NULL: none */
    bool descending;
    guint limit;
    gint64 cursor; /* number of the last one seen; with sort_field, how many were */
} Listing;

static bool read_time(OrchRequest *request, const char *name, gint64 *ret_ms)
{
    const char *text = orch_request_query(request, name);
    if (text == NULL) {
        return true;
    }
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autofree char *whole =
        strchr(text, 'T') == NULL ? g_strconcat(text, "T00:00:00", NULL) : g_strdup(text);
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(whole, utc);
    if (time == NULL) {
        g_autofree char *message = g_strdup_printf(
            "%s: \"%s\" is not an ISO 8601 time, such as 2026-05-01T00:00:00", name, text);
        invalid(request, message);
        return false;
    }
    *ret_ms = g_date_time_to_unix(time) * 1000 + g_date_time_get_microsecond(time) / 1000;
    return true;
}

static bool read_limit(OrchRequest *request, guint *ret_limit)
{
    const char *text = orch_request_query(request, "limit");
    guint64 limit = DEFAULT_LISTED;
    if (text != NULL && !g_ascii_string_to_unsigned(text, 10, 1, MAX_LISTED, &limit, NULL)) {
        invalid(request, "limit: is not a whole number from 1 to 50");
        return false;
    }
    *ret_limit = (guint)limit;
    return true;
}

static bool read_cursor(OrchRequest *request, gint64 *ret_position)
{
    if (!orch_request_cursor(request, ret_position)) {
        invalid(request, ORCH_CURSOR_REFUSAL);
        return false;
    }
    return true;
}

static bool read_sorting(OrchRequest *request, Listing *listing)
{
    const char *sort = orch_request_query(request, "sort_by_extra");
    if (sort == NULL) {
        return true;
    }
    const char *colon = strrchr(sort, ':');
    bool known = colon == NULL || strcmp(colon, ":asc") == 0 || strcmp(colon, ":desc") == 0;
    if (!known || colon == sort) {
        invalid(request, "sort_by_extra: is not a field, or a field with :asc or :desc");
        return false;
    }
    listing->descending = colon != NULL && strcmp(colon, ":desc") == 0;
    listing->sort_field = colon != NULL ? g_strndup(sort, (gsize)(colon - sort)) : g_strdup(sort);
    return true;
}

static bool read_listing(OrchRequest *request, Listing *listing)
{
    OrchBotFilter *filter = &listing->filter;
    filter->account = request->key->account;
    filter->order = ORCH_ORDER_NEWEST;
    filter->bot_name_contains = orch_request_query(request, "bot_name");
    filter->meeting_url_contains = orch_request_query(request, "meeting_url");
    filter->speaker_contains = orch_request_query(request, "speaker_name");
    listing->extra = orch_request_query(request, "filter_by_extra");
    if (listing->extra != NULL && strchr(listing->extra, ':') == NULL) {
        invalid(request, "filter_by_extra: is not field:value, or several with commas between");
        return false;
    }
    return read_time(request, "created_after", &filter->created_from_ms) &&
           read_time(request, "created_before", &filter->created_until_ms) &&
           read_time(request, "ended_after", &filter->ended_from_ms) &&
           read_limit(request, &listing->limit) && read_cursor(request, &listing->cursor) &&
           read_sorting(request, listing);
}

/* Newest first, until @max match or there are no more. */
static GPtrArray *collect(OrchStore *store, Listing *listing, guint max)
{
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)orch_bot_free);
    OrchBotFilter filter = listing->filter;
    filter.limit = LISTED_AT_ONCE;
    guint n_read = LISTED_AT_ONCE;
    while (found->len < max && n_read == LISTED_AT_ONCE) {
        g_autoptr(GPtrArray) bots = orch_store_bots(store, &filter);
        n_read = bots->len;
        for (guint i = 0; i < bots->len && found->len < max; i++) {
            OrchBot *bot = g_ptr_array_index(bots, i);
            filter.after_number = bot->number;
            if (listing->extra == NULL || orch_mbaas_extra_matches(bot, listing->extra)) {
                g_ptr_array_index(bots, i) = NULL;
                g_ptr_array_add(found, bot);
            }
        }
        g_ptr_array_set_free_func(bots, NULL);
        for (guint i = 0; i < bots->len; i++) {
            g_clear_pointer(&bots->pdata[i], orch_bot_free);
        }
    }
    return found;
}

static int compare_extra(gconstpointer a, gconstpointer b, gpointer user_data)
{
    const Listing *listing = user_data;
    g_autofree char *left = orch_mbaas_extra_text(*(OrchBot *const *)a, listing->sort_field);
    g_autofree char *right = orch_mbaas_extra_text(*(OrchBot *const *)b, listing->sort_field);
    if (left == NULL || right == NULL) {
        return (left == NULL) - (right == NULL); /* those with the field come first */
    }
    int order = strcmp(left, right);
    return listing->descending ? -order : order;
}

static void add_page(JsonObject *body, GPtrArray *bots, guint from, guint limit)
{
    JsonArray *list = json_array_new();
    for (guint i = from; i < bots->len && i - from < limit; i++) {
        json_array_add_object_element(list, orch_mbaas_recent(g_ptr_array_index(bots, i)));
    }
    json_object_set_array_member(body, "bots", list);
    json_object_set_array_member(body, "recent_bots", json_array_ref(list));
}

/* One more than the page shows whether there is a next one. */
static JsonObject *make_list(OrchStore *store, Listing *listing)
{
    JsonObject *body = json_object_new();
    g_autofree char *cursor = NULL;
    g_autofree char *now = bot_report_iso_time(orch_now_ms());
    guint from = 0;
    if (listing->sort_field == NULL) {
        listing->filter.after_number = listing->cursor;
    } else {
        from = (guint)MIN(listing->cursor, MAX_SORTED);
    }
    g_autoptr(GPtrArray) bots =
        collect(store, listing, listing->sort_field == NULL ? listing->limit + 1 : MAX_SORTED);
    if (listing->sort_field != NULL) {
        g_ptr_array_sort_with_data(bots, compare_extra, listing);
    }
    add_page(body, bots, from, listing->limit);
    if (bots->len > from + listing->limit) {
        const OrchBot *last = g_ptr_array_index(bots, from + listing->limit - 1);
        cursor = orch_cursor_new(listing->sort_field == NULL ? last->number
                                                             : (gint64)from + listing->limit);
    }
    orch_json_set(body, "next_cursor", cursor);
    json_object_set_string_member(body, "last_updated", now);
    return body;
}

static void bots_with_metadata(OrchRequest *request)
{
    Listing listing = {0};
    if (read_listing(request, &listing)) {
        orch_reply(request, SOUP_STATUS_OK, make_list(orch_bots_store(request->bots), &listing));
    }
    g_free(listing.sort_field);
}

/* --- the account --- */

static void reply_webhook_url(OrchRequest *request, const OrchAccount *account)
{
    JsonObject *body = json_object_new();
    orch_json_set(body, "webhook_url", account->webhook_url);
    orch_reply_durable(request, SOUP_STATUS_OK, body);
}

static void get_webhook_url(OrchRequest *request)
{
    g_autoptr(OrchAccount) account =
        orch_store_account_get(orch_bots_store(request->bots), request->key->account);
    reply_webhook_url(request, account);
}

static void set_webhook_url(OrchRequest *request)
{
    static const BotField fields[] = {
        {"webhook_url", BOT_FIELD_STRING, BOT_FIELD_URL, 1, 8192, NULL, "http https", NULL, NULL},
        {NULL, BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, NULL},
    };
    static const BotFieldTable table = {fields, "docs/api.md"};
    g_autoptr(GError) error = NULL;
    OrchStore *store = orch_bots_store(request->bots);
    if (!json_object_has_member(request->body, "webhook_url")) {
        invalid(request, "$.webhook_url: missing; expected a URL, or null for none");
        return;
    }
    if (!bot_fields_check(&table, request->body, &error)) {
        orch_reply_gerror(request, error);
        return;
    }
    g_autoptr(OrchAccount) account = orch_store_account_get(store, request->key->account);
    orch_set_string(&account->webhook_url, orch_json_string(request->body, "webhook_url"));
    if (orch_store_account_update(store, account, &error)) {
        reply_webhook_url(request, account);
    } else {
        orch_reply_gerror(request, error);
    }
}

/* --- documentation, and what this version can't do --- */

static void reply_page(OrchRequest *request, const char *path)
{
    g_autoptr(GBytes) bytes = g_resource_lookup_data(orchestrator_get_resource(), path, 0, NULL);
    g_assert(bytes != NULL);
    orch_reply_bytes(request, SOUP_STATUS_OK, "application/json", bytes);
}

static void webhook_documentation(OrchRequest *request)
{
    reply_page(request, "/steno/orchestrator/webhooks.json");
}

static void calendar_webhook_documentation(OrchRequest *request)
{
    reply_page(request, "/steno/orchestrator/webhooks-calendar.json");
}

static void retranscribe_bot(OrchRequest *request)
{
    const char *id = orch_json_string(request->body, "bot_uuid");
    if (id == NULL) {
        invalid(request, "$.bot_uuid: missing; expected the id of a bot");
        return;
    }
    g_autoptr(OrchBot) bot = orch_request_bot(request, id);
    if (bot != NULL) {
        orch_reply_error(request, SOUP_STATUS_NOT_IMPLEMENTED, "NotImplemented",
                         "This version does not transcribe: nothing was started.");
    }
}

#define MBAAS ORCH_AUTH_MBAAS

const OrchRoute orch_mbaas_routes[] = {
    {"POST", "/bots", MBAAS, true, join, "join"},
    {"DELETE", "/bots/{uuid}", MBAAS, false, leave, "leave"},
    {"GET", "/bots/meeting_data", MBAAS, false, get_meeting_data, "get_meeting_data"},
    {"POST", "/bots/{uuid}/delete_data", MBAAS, false, delete_data, "delete_data"},
    {"GET", "/bots/{uuid}/screenshots", MBAAS, false, get_screenshots, "get_screenshots"},
    {"GET", "/bots/bots_with_metadata", MBAAS, false, bots_with_metadata, "bots_with_metadata"},
    {"POST", "/bots/retranscribe", MBAAS, true, retranscribe_bot, "retranscribe_bot"},
    {"GET", "/bots/webhooks", ORCH_AUTH_NONE, false, webhook_documentation,
     "webhook_documentation"},
    {"GET", "/bots/webhooks/bot", ORCH_AUTH_NONE, false, webhook_documentation,
     "bot_webhook_documentation"},
    {"GET", "/bots/webhooks/calendar", ORCH_AUTH_NONE, false, calendar_webhook_documentation,
     "calendar_webhook_documentation"},
    {"GET", "/accounts/webhook_url", MBAAS, false, get_webhook_url, "get_webhook_url"},
    {"POST", "/accounts/webhook_url", MBAAS, true, set_webhook_url, "set_webhook_url"},
    {NULL, NULL, ORCH_AUTH_NONE, false, NULL, NULL},
};
