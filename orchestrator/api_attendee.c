/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/api_attendee_priv.h"

#include "bot/fields.h"
#include "orchestrator/attendee.h"
#include "orchestrator/attendee_read.h"
#include "orchestrator/json.h"
#include "orchestrator/logins.h"

#include <string.h>

/* Attendee: bots, and what is done with them. What they leave is in api_attendee_data.c. */

#define PAGE 25

#define NOT_TERMINAL                                                                               \
    (ORCH_STATE_BIT(BOT_STATE_ENDED) - 1) /* every state before it, by the order of BotState */

/* "$.bot_name: …" becomes {"bot_name": ["…"]}, as Django REST framework does. */
static void reply_field_error(OrchRequest *request, const GError *error)
{
    const char *text = error->message;
    gsize length = g_str_has_prefix(text, "$.") ? strcspn(text + 2, ".:[") : 0;
    const char *colon = strstr(text, ": ");
    g_autofree char *field =
        length > 0 ? g_strndup(text + 2, length) : g_strdup("non_field_errors");
    JsonObject *body = json_object_new();
    JsonArray *sentences = json_array_new();
    bool nested = length > 0 && text[2 + length] != ':';
    json_array_add_string_element(sentences,
                                  length > 0 && !nested && colon != NULL ? colon + 2 : text);
    json_object_set_array_member(body, field, sentences);
    orch_reply(request, SOUP_STATUS_BAD_REQUEST, body);
}

static void reply_error(OrchRequest *request, const GError *error)
{
    if (error->domain == BOT_CONFIG_ERROR) {
        reply_field_error(request, error);
    } else {
        orch_reply_gerror(request, error);
    }
}

static void refuse(OrchRequest *request, const char *message)
{
    orch_reply_error(request, SOUP_STATUS_BAD_REQUEST, "BotStatus", message);
}

static JsonObject *make_bot(OrchRequest *request, const OrchBot *bot)
{
    return orch_attendee_bot(orch_bots_store(request->bots), bot);
}

/* --- making --- */

static bool is_key_in_use(OrchRequest *request, const OrchBot *bot)
{
    OrchBotFilter filter = {
        .account = bot->account, .dedup_key = bot->dedup_key, .states = NOT_TERMINAL, .limit = 1};
    if (bot->dedup_key == NULL ||
        orch_store_count_bots(orch_bots_store(request->bots), &filter) == 0) {
        return false;
    }
    refuse(request, "Deduplication key already in use. A bot in a non-terminal state with this "
                    "deduplication key already exists. Please use a different deduplication key "
                    "or wait for that bot to terminate.");
    return true;
}

static void create_bot(OrchRequest *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) picture = NULL;
    g_autoptr(OrchBot) bot = orch_bot_new();
    bot->account = request->key->account;
    bot->key_id = g_strdup(request->key->id);
    if (!orch_attendee_read_create(request->body, orch_bots_config(request->bots), orch_now_ms(),
                                   bot, &error) ||
        !orch_attendee_read_picture(request->body, &picture, &error)) {
        reply_error(request, error);
        return;
    }
    if (is_key_in_use(request, bot)) {
        return;
    }
    if ((picture == NULL || orch_bots_keep_picture(request->bots, bot, picture, &error)) &&
        orch_bots_create(request->bots, bot, &error)) {
        orch_reply_durable(request, SOUP_STATUS_CREATED, make_bot(request, bot));
    } else {
        reply_error(request, error);
    }
}

/* --- reading --- */

static bool read_states(OrchRequest *request, guint *ret_states)
{
    const char *text = orch_request_query(request, "states");
    g_auto(GStrv) names = g_strsplit(text != NULL ? text : "", ",", -1);
    for (char **name = names; *name != NULL; name++) {
        guint state = 0;
        while (state < BOT_N_STATES &&
               strcmp(bot_state_to_string((BotState)state), g_strstrip(*name)) != 0) {
            state++;
        }
        if (state == BOT_N_STATES && (*name)[0] != '\0') {
            g_autofree char *message = g_strdup_printf("states: there is no state \"%s\"", *name);
            refuse(request, message);
            return false;
        }
        *ret_states |= state < BOT_N_STATES ? ORCH_STATE_BIT(state) : 0;
    }
    return true;
}

static bool read_time(OrchRequest *request, const char *name, gint64 *ret_ms)
{
    const char *text = orch_request_query(request, name);
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = text != NULL ? g_date_time_new_from_iso8601(text, utc) : NULL;
    if (text != NULL && time == NULL) {
        g_autofree char *message = g_strdup_printf("%s: is not an ISO 8601 time", name);
        refuse(request, message);
        return false;
    }
    *ret_ms = time != NULL ? g_date_time_to_unix(time) * 1000 : 0;
    return true;
}

static void list_bots(OrchRequest *request)
{
    OrchBotFilter filter = {.account = request->key->account,
                            .order = ORCH_ORDER_NEWEST,
                            .dedup_key = orch_request_query(request, "deduplication_key"),
                            .meeting_url = orch_request_query(request, "meeting_url"),
                            .limit = PAGE + 1};
    if (!orch_attendee_read_cursor(request, &filter.after_number) ||
        !read_states(request, &filter.states) ||
        !read_time(request, "join_at_after", &filter.join_at_from_ms) ||
        !read_time(request, "join_at_before", &filter.join_at_until_ms)) {
        return;
    }
    g_autoptr(GPtrArray) bots = orch_store_bots(orch_bots_store(request->bots), &filter);
    JsonArray *results = json_array_new();
    gint64 last = 0;
    for (guint i = 0; i < bots->len && i < PAGE; i++) {
        const OrchBot *bot = g_ptr_array_index(bots, i);
        json_array_add_object_element(results, make_bot(request, bot));
        last = bot->number;
    }
    orch_attendee_reply_page(request, results, bots->len > PAGE ? last : 0);
}

static void get_bot(OrchRequest *request)
{
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot != NULL) {
        orch_reply(request, SOUP_STATUS_OK, make_bot(request, bot));
    }
}

/* --- changing --- */

static void patch_bot(OrchRequest *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot == NULL) {
        return;
    }
    g_autoptr(GBytes) picture = NULL;
    if (orch_attendee_read_patch(request->body, orch_now_ms(), bot, &error) &&
        orch_attendee_read_picture(request->body, &picture, &error) &&
        (picture == NULL || orch_bots_keep_picture(request->bots, bot, picture, &error))) {
        g_autoptr(JsonObject) document = orch_bots_document(request->bots, bot, &error);
        if (document != NULL && orch_logins_settle(orch_bots_config(request->bots), bot, &error) &&
            orch_bots_save(request->bots, bot, &error)) {
            orch_reply_durable(request, SOUP_STATUS_OK, make_bot(request, bot));
            return;
        }
    }
    reply_error(request, error);
}

static void delete_bot(OrchRequest *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot == NULL) {
        return;
    }
    if (bot->state != BOT_STATE_SCHEDULED) {
        g_autofree char *message =
            g_strdup_printf("Bot is in state %s but can only be deleted when in scheduled state",
                            bot_state_to_string(bot->state));
        refuse(request, message);
        return;
    }
    if (orch_bots_remove(request->bots, bot, &error)) {
        orch_reply_durable(request, SOUP_STATUS_NO_CONTENT, NULL);
    } else {
        reply_error(request, error);
    }
}

static void leave(OrchRequest *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot == NULL) {
        return;
    }
    if (!bot_machine_step(bot->state, BOT_EVENT_LEAVE_REQUESTED).accepted) {
        g_autofree char *refusal = bot_machine_refusal(bot->state, BOT_EVENT_LEAVE_REQUESTED);
        refuse(request, refusal);
        return;
    }
    if (orch_bots_leave(request->bots, bot, &error)) {
        orch_reply_durable(request, SOUP_STATUS_OK, make_bot(request, bot));
    } else {
        reply_error(request, error);
    }
}

static void on_deleted(const OrchBot *bot, OrchDeleted deleted, gpointer user_data)
{
    OrchRequest *request = user_data;
    orch_reply_durable(request, SOUP_STATUS_OK, make_bot(request, bot));
}

static void delete_data(OrchRequest *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot == NULL) {
        return;
    }
    bool gone = bot->state == BOT_STATE_DATA_DELETED;
    if (gone) {
        refuse(request, "Bot is not in a state where the data deleted event can be created");
    } else if (!orch_bots_delete_data(request->bots, bot, on_deleted, request, &error)) {
        reply_error(request, error);
    }
}

/* --- through the worker --- */

typedef struct {
    OrchRequest *request; /* waits */
    char *bot_id;         /* owned */
    const char *refusal;  /* what a failure is called */
    bool with_bot;        /* the answer is the bot */
} Asked;

static void on_command_done(const GError *error, gpointer user_data)
{
    Asked *asked = user_data;
    OrchRequest *request = asked->request;
    g_autoptr(OrchBot) bot = orch_store_bot_get(orch_bots_store(request->bots), asked->bot_id);
    if (error != NULL || bot == NULL) {
        g_autofree char *message =
            g_strdup_printf("%s%s%s", asked->refusal, error != NULL ? ": " : "",
                            error != NULL ? error->message : "");
        refuse(request, message);
    } else {
        orch_reply(request, SOUP_STATUS_OK,
                   asked->with_bot ? make_bot(request, bot) : json_object_new());
    }
    g_free(asked->bot_id);
    g_free(asked);
}

void orch_attendee_ask(OrchRequest *request, const OrchBot *bot, const char *name, JsonObject *args,
                       const char *refusal, bool with_bot)
{
    g_autoptr(JsonObject) owned = args;
    Asked *asked = g_new0(Asked, 1);
    asked->request = request;
    asked->bot_id = g_strdup(bot->id);
    asked->refusal = refusal;
    asked->with_bot = with_bot;
    orch_bots_command(request->bots, bot, name, owned, on_command_done, asked);
}

static void pause_recording(OrchRequest *request)
{
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot == NULL) {
        return;
    }
    if (bot->state != BOT_STATE_JOINED_RECORDING) {
        g_autofree char *refusal = bot_machine_refusal(bot->state, BOT_EVENT_RECORDING_PAUSED);
        refuse(request, refusal);
        return;
    }
    orch_attendee_ask(request, bot, "pause_recording", NULL, "Unable to pause recording", true);
}

static void resume_recording(OrchRequest *request)
{
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot == NULL) {
        return;
    }
    if (bot->state != BOT_STATE_JOINED_RECORDING_PAUSED) {
        g_autofree char *refusal = bot_machine_refusal(bot->state, BOT_EVENT_RECORDING_RESUMED);
        refuse(request, refusal);
        return;
    }
    orch_attendee_ask(request, bot, "resume_recording", NULL, "Unable to resume recording", true);
}

OrchBot *orch_attendee_joined_bot(OrchRequest *request, const char *cannot)
{
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot != NULL && !bot_state_is_joined(bot->state)) {
        g_autofree char *message = g_strdup_printf("Bot is in state %s and cannot %s",
                                                   bot_state_to_string(bot->state), cannot);
        refuse(request, message);
        return NULL;
    }
    return g_steal_pointer(&bot);
}

static const char *const everyone[] = {"everyone", NULL};

static const BotField chat_fields[] = {
    {"message", BOT_FIELD_STRING, BOT_FIELD_REQUIRED, 1, 40000, NULL, NULL, NULL, "the text"},
    {"to", BOT_FIELD_STRING, BOT_FIELD_PLAIN, 1, 64, everyone, NULL, "\"everyone\"", "who gets it"},
    {"to_user_uuid", BOT_FIELD_ANY, BOT_FIELD_UNSUPPORTED, 0, 0, NULL, NULL, NULL, "one person"},
    {NULL, BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, NULL},
};

static void send_chat_message(OrchRequest *request)
{
    static const BotFieldTable table = {chat_fields, "docs/api.md"};
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchBot) bot = orch_attendee_joined_bot(request, "send chat messages");
    if (bot == NULL) {
        return;
    }
    if (!bot_fields_check(&table, request->body, &error) ||
        !bot_fields_fill_in(&table, request->body, &error)) {
        reply_error(request, error);
        return;
    }
    JsonObject *args = json_object_new();
    json_object_set_string_member(args, "message", orch_json_string(request->body, "message"));
    orch_attendee_ask(request, bot, "send_chat_message", args, "Unable to send the chat message",
                      false);
}

static void not_supported(OrchRequest *request)
{
    g_autoptr(OrchBot) bot = orch_request_bot(request, request->params[0]);
    if (bot != NULL) {
        orch_reply_error(request, SOUP_STATUS_NOT_IMPLEMENTED, "NotImplemented",
                         "This version of the bot can't do that.");
    }
}

#define ATTENDEE ORCH_AUTH_ATTENDEE
#define BOTS "/api/v1/bots"
#define BOT BOTS "/{object_id}"

const OrchRoute orch_attendee_routes[] = {
    {"GET", BOTS, ATTENDEE, false, list_bots, "attendee_list_bots"},
    {"POST", BOTS, ATTENDEE, true, create_bot, "attendee_create_bot"},
    {"GET", BOT, ATTENDEE, false, get_bot, "attendee_get_bot"},
    {"PATCH", BOT, ATTENDEE, true, patch_bot, "attendee_patch_bot"},
    {"DELETE", BOT, ATTENDEE, false, delete_bot, "attendee_delete_bot"},
    {"POST", BOT "/leave", ATTENDEE, false, leave, "attendee_leave"},
    {"POST", BOT "/delete_data", ATTENDEE, false, delete_data, "attendee_delete_data"},
    {"POST", BOT "/pause_recording", ATTENDEE, false, pause_recording, "attendee_pause_recording"},
    {"POST", BOT "/resume_recording", ATTENDEE, false, resume_recording,
     "attendee_resume_recording"},
    {"POST", BOT "/send_chat_message", ATTENDEE, true, send_chat_message,
     "attendee_send_chat_message"},
    {"POST", BOT "/output_audio", ATTENDEE, true, orch_attendee_output_audio,
     "attendee_output_audio"},
    {"POST", BOT "/output_image", ATTENDEE, false, not_supported, "attendee_output_image"},
    {"POST", BOT "/output_video", ATTENDEE, false, not_supported, "attendee_output_video"},
    {"POST", BOT "/speech", ATTENDEE, false, not_supported, "attendee_speech"},
    {"GET", BOT "/recording", ATTENDEE, false, orch_attendee_recording, "attendee_recording"},
    {"GET", BOT "/transcript", ATTENDEE, false, orch_attendee_transcript, "attendee_transcript"},
    {"GET", BOT "/participants", ATTENDEE, false, orch_attendee_participants,
     "attendee_participants"},
    {"GET", BOT "/participant_events", ATTENDEE, false, orch_attendee_participant_events,
     "attendee_participant_events"},
    {"GET", BOT "/chat_messages", ATTENDEE, false, orch_attendee_chat_messages,
     "attendee_chat_messages"},
    {NULL, NULL, ORCH_AUTH_NONE, false, NULL, NULL},
};
