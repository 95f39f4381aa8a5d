/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/session_priv.h"
#include "platforms/json.h"

#include <string.h>

#define MAX_CHAT_CHARS 10000
#define MIN_RATE_HZ 8000
#define MAX_RATE_HZ 48000

typedef struct {
    BotSession *session; /* borrowed */
    BotCommandDone done;
    gpointer user_data;
} Pending;

typedef bool (*CommandFunc)(BotSession *session, JsonObject *args, Pending *pending,
                            GError **error);

static void fail(GError **error, BotSessionError code, const char *text)
{
    g_set_error_literal(error, BOT_SESSION_ERROR, code, text);
}

/* Raise @event if the machine takes it, else say why not. */
static bool step(BotSession *session, BotEvent event, GError **error)
{
    if (!bot_machine_step(session->state, event).accepted) {
        g_autofree char *refusal = bot_machine_refusal(session->state, event);
        fail(error, BOT_SESSION_ERROR_STATE, refusal);
        return false;
    }
    bot_session_raise(session, event, NULL);
    return true;
}

static bool command_leave(BotSession *session, JsonObject *args, Pending *pending, GError **error)
{
    if (!bot_machine_step(session->state, BOT_EVENT_LEAVE_REQUESTED).accepted) {
        return step(session, BOT_EVENT_LEAVE_REQUESTED, error);
    }
    bot_session_end(session, BOT_OUTCOME_USER_REQUESTED, NULL);
    return true;
}

static bool command_pause(BotSession *session, JsonObject *args, Pending *pending, GError **error)
{
    return step(session, BOT_EVENT_RECORDING_PAUSED, error);
}

static bool command_resume(BotSession *session, JsonObject *args, Pending *pending, GError **error)
{
    return step(session, BOT_EVENT_RECORDING_RESUMED, error);
}

static gint64 get_int(JsonObject *args, const char *name, gint64 fallback)
{
    JsonNode *node = args != NULL ? json_object_get_member(args, name) : NULL;
    if (node == NULL) {
        return fallback;
    }
    bool is_int = JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64;
    return is_int ? json_node_get_int(node) : -1;
}

static bool require_call(BotSession *session, GError **error)
{
    if (!bot_state_is_joined(session->state) || session->platform == NULL) {
        g_autofree char *text = g_strdup_printf("the bot is in state %s, not in the call",
                                                bot_state_to_string(session->state));
        fail(error, BOT_SESSION_ERROR_STATE, text);
        return false;
    }
    return true;
}

static void tell(Pending *pending, const GError *error)
{
    pending->done(error, pending->user_data);
    g_free(pending);
}

static void on_chat_sent(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Pending *pending = user_data;
    g_autoptr(GError) error = NULL;
    if (pending->session->platform == NULL) {
        g_set_error_literal(&error, BOT_SESSION_ERROR, BOT_SESSION_ERROR_STATE,
                            "the bot left before the message was sent");
    } else {
        platform_send_chat_finish(pending->session->platform, result, &error);
    }
    tell(pending, error);
}

static bool command_chat(BotSession *session, JsonObject *args, Pending *pending, GError **error)
{
    const char *text = args != NULL ? platform_json_string(args, "message", NULL) : NULL;
    if (text == NULL || text[0] == '\0' || g_utf8_strlen(text, -1) > MAX_CHAT_CHARS) {
        fail(error, BOT_SESSION_ERROR_COMMAND,
             "$.args.message: expected a string of 1 to 10000 characters");
        return false;
    }
    if (!require_call(session, error)) {
        return false;
    }
    platform_send_chat_async(session->platform, text, on_chat_sent,
                             g_memdup2(pending, sizeof *pending));
    pending->done = NULL;
    return true;
}

static bool command_speak(BotSession *session, JsonObject *args, Pending *pending, GError **error)
{
    const char *data = args != NULL ? platform_json_string(args, "data", NULL) : NULL;
    gint64 rate_hz = get_int(args, "sample_rate", 24000);
    if (data == NULL || rate_hz < MIN_RATE_HZ || rate_hz > MAX_RATE_HZ) {
        fail(error, BOT_SESSION_ERROR_COMMAND,
             "$.args: expected data (base64 of s16le mono PCM) and sample_rate (8000 to 48000)");
        return false;
    }
    if (!require_call(session, error)) {
        return false;
    }
    gsize n_bytes;
    g_autofree guchar *bytes = g_base64_decode(data, &n_bytes);
    gsize n_samples = n_bytes / sizeof(int16_t);
    g_autofree int16_t *samples = g_new(int16_t, n_samples + 1);
    for (gsize i = 0; i < n_samples; i++) {
        samples[i] = (int16_t)((guint16)bytes[2 * i] | (guint16)bytes[2 * i + 1] << 8);
    }
    if (!bot_live_speak(session->live, samples, n_samples, (uint32_t)rate_hz)) {
        fail(error, BOT_SESSION_ERROR_COMMAND, "$.args.data: more than 180 s of speech wait");
        return false;
    }
    return true;
}

static bool command_stop_speaking(BotSession *session, JsonObject *args, Pending *pending,
                                  GError **error)
{
    if (!require_call(session, error)) {
        return false;
    }
    bot_live_stop_speaking(session->live);
    return true;
}

static void on_screenshot(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Pending *pending = user_data;
    g_autoptr(GError) error = NULL;
    if (pending->session->platform == NULL) {
        g_set_error_literal(&error, BOT_SESSION_ERROR, BOT_SESSION_ERROR_STATE,
                            "the bot left before the picture was taken");
    } else {
        platform_screenshot_finish(pending->session->platform, result, &error);
    }
    tell(pending, error);
}

static bool command_screenshot(BotSession *session, JsonObject *args, Pending *pending,
                               GError **error)
{
    if (session->platform == NULL) {
        fail(error, BOT_SESSION_ERROR_STATE, "the bot has no page");
        return false;
    }
    g_autofree char *dir = g_build_filename(session->config->output_dir, "screenshots", NULL);
    (void)g_mkdir_with_parents(dir, 0755);
    g_autofree char *name =
        g_strdup_printf("asked-%" G_GINT64_FORMAT ".png", g_get_real_time() / 1000);
    g_autofree char *path = g_build_filename(dir, name, NULL);
    platform_screenshot_async(session->platform, path, on_screenshot,
                              g_memdup2(pending, sizeof *pending));
    pending->done = NULL;
    return true;
}

static bool command_other_bots(BotSession *session, JsonObject *args, Pending *pending,
                               GError **error)
{
    JsonArray *names = args != NULL ? platform_json_array(args, "names") : NULL;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (guint i = 0; names != NULL && i < json_array_get_length(names); i++) {
        JsonNode *node = json_array_get_element(names, i);
        if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING) {
            names = NULL;
            break;
        }
        g_strv_builder_add(builder, json_node_get_string(node));
    }
    if (names == NULL) {
        fail(error, BOT_SESSION_ERROR_COMMAND, "$.args.names: expected an array of strings");
        return false;
    }
    g_auto(GStrv) list = g_strv_builder_end(builder);
    bot_roster_set_bots(session->roster, (const char *const *)list);
    bot_session_count_company(session);
    return true;
}

static const struct {
    const char *name;
    CommandFunc run;
} commands[] = {
    {"leave", command_leave},
    {"other_bots", command_other_bots},
    {"pause_recording", command_pause},
    {"resume_recording", command_resume},
    {"send_chat_message", command_chat},
    {"speak", command_speak},
    {"stop_speaking", command_stop_speaking},
    {"screenshot", command_screenshot},
};

void bot_session_command(BotSession *session, const char *name, JsonObject *args,
                         BotCommandDone done, gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    Pending pending = {session, done, user_data};
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            if (!commands[i].run(session, args, &pending, &error)) {
                done(error, user_data);
            } else if (pending.done != NULL) {
                done(NULL, user_data);
            }
            return;
        }
    }
    g_autoptr(GString) known = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_string_append_printf(known, "%s%s", i > 0 ? ", " : "", commands[i].name);
    }
    g_autofree char *text =
        g_strdup_printf("unknown command \"%s\"; there are: %s", name, known->str);
    fail(&error, BOT_SESSION_ERROR_COMMAND, text);
    done(error, user_data);
}
