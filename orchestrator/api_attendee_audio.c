/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/api_attendee_priv.h"

#include "bot/fields.h"
#include "orchestrator/json.h"
#include "orchestrator/mp3.h"

#include <gio/gio.h>
#include <string.h>

/* Attendee: output_audio. The MP3 becomes PCM in a thread of its own, then the worker speaks it. */

#define MAX_BASE64_CHARS (14 * 1024 * 1024)
#define MAX_PCM_BYTES (10 * 1024 * 1024) /* 3.5 minutes at 24 kHz, and as base64 within 16 MiB */

static const char *const types[] = {"audio/mp3", NULL};

static const BotField fields[] = {
    {"type", BOT_FIELD_STRING, BOT_FIELD_REQUIRED, 1, 64, types, NULL, NULL, "audio/mp3"},
    {"data", BOT_FIELD_STRING, BOT_FIELD_REQUIRED, 1, MAX_BASE64_CHARS, NULL, NULL, NULL, "base64"},
    {NULL, BOT_FIELD_ANY, BOT_FIELD_PLAIN, 0, 0, NULL, NULL, NULL, NULL},
};

typedef struct {
    OrchRequest *request; /* waits */
    GBytes *mp3;          /* owned */
    GBytes *pcm;          /* owned: the result */
    guint rate_hz;
} Decoding;

static void decoding_free(gpointer data)
{
    Decoding *decoding = data;
    g_clear_pointer(&decoding->mp3, g_bytes_unref);
    g_clear_pointer(&decoding->pcm, g_bytes_unref);
    g_free(decoding);
}

static void decode_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Decoding *decoding = data;
    GError *error = NULL;
    decoding->pcm = orch_mp3_decode(decoding->mp3, MAX_PCM_BYTES, &decoding->rate_hz, &error);
    if (decoding->pcm == NULL) {
        g_task_return_error(task, error);
    } else {
        g_task_return_boolean(task, TRUE);
    }
}

static void speak(Decoding *decoding)
{
    OrchRequest *request = decoding->request;
    g_autoptr(OrchBot) bot = orch_attendee_joined_bot(request, "play media");
    if (bot == NULL) {
        return;
    }
    gsize size = 0;
    const guint8 *pcm = g_bytes_get_data(decoding->pcm, &size);
    g_autofree char *base64 = g_base64_encode(pcm, size);
    JsonObject *args = json_object_new();
    json_object_set_string_member(args, "data", base64);
    json_object_set_int_member(args, "sample_rate", decoding->rate_hz);
    orch_attendee_ask(request, bot, "speak", args, "Unable to play the audio", false);
}

static void on_decoded(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Decoding *decoding = g_task_get_task_data(G_TASK(result));
    g_autoptr(GError) error = NULL;
    if (g_task_propagate_boolean(G_TASK(result), &error)) {
        speak(decoding);
        return;
    }
    g_autofree char *message = g_strdup_printf("data: %s", error->message);
    orch_reply_error(decoding->request, SOUP_STATUS_BAD_REQUEST, "InvalidParameters", message);
}

void orch_attendee_output_audio(OrchRequest *request)
{
    static const BotFieldTable table = {fields, "docs/api.md"};
    g_autoptr(GError) error = NULL;
    g_autoptr(OrchBot) bot = orch_attendee_joined_bot(request, "play media");
    if (bot == NULL) {
        return;
    }
    if (!bot_fields_check(&table, request->body, &error) ||
        !bot_fields_fill_in(&table, request->body, &error)) {
        orch_reply_gerror(request, error);
        return;
    }
    gsize size = 0;
    guchar *bytes = g_base64_decode(orch_json_string(request->body, "data"), &size);
    Decoding *decoding = g_new0(Decoding, 1);
    decoding->request = request;
    decoding->mp3 = g_bytes_new_take(bytes, size);
    g_autoptr(GTask) task = g_task_new(NULL, NULL, on_decoded, NULL);
    g_task_set_task_data(task, decoding, decoding_free);
    g_task_run_in_thread(task, decode_in_thread);
}
