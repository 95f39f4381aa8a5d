/* SPDX-License-Identifier: Apache-2.0 */
#include "media/outlet.h"

struct MediaOutlet {
    gatomicrefcount ref_count;
    const MediaEngineEvents *events;
    gpointer user_data;
    GMainContext *context; /* owned */
    bool closed;           /* touched by the creating thread only */
};

typedef enum {
    LETTER_SPEECH,
    LETTER_RECORDING,
    LETTER_KEY_FRAME,
    LETTER_WARNING,
    LETTER_ERROR
} LetterKind;

typedef struct {
    MediaOutlet *outlet; /* a reference */
    LetterKind kind;
    MediaSpeech speech;
    MediaRecordingOp op;
    int64_t recording_ns;
    uint32_t track_id;
    char *code, *message; /* owned */
    GError *error;        /* owned */
} Letter;

MediaOutlet *media_outlet_new(const MediaEngineEvents *events, gpointer user_data)
{
    MediaOutlet *outlet = g_new0(MediaOutlet, 1);
    g_atomic_ref_count_init(&outlet->ref_count);
    outlet->events = events;
    outlet->user_data = user_data;
    outlet->context = g_main_context_ref_thread_default();
    return outlet;
}

static void outlet_unref(MediaOutlet *outlet)
{
    if (g_atomic_ref_count_dec(&outlet->ref_count)) {
        g_main_context_unref(outlet->context);
        g_free(outlet);
    }
}

void media_outlet_close(MediaOutlet *outlet)
{
    outlet->closed = true;
    outlet_unref(outlet);
}

static void letter_free(gpointer data)
{
    Letter *letter = data;
    outlet_unref(letter->outlet);
    g_free(letter->code);
    g_free(letter->message);
    g_clear_error(&letter->error);
    g_free(letter);
}

static gboolean deliver(gpointer data)
{
    Letter *letter = data;
    const MediaOutlet *outlet = letter->outlet;
    const MediaEngineEvents *events = outlet->events;
    if (outlet->closed) {
        return G_SOURCE_REMOVE;
    }
    switch (letter->kind) {
    case LETTER_SPEECH:
        if (events->on_speech != NULL) {
            events->on_speech(&letter->speech, outlet->user_data);
        }
        break;
    case LETTER_RECORDING:
        if (events->on_recording != NULL) {
            events->on_recording(letter->op, letter->recording_ns, outlet->user_data);
        }
        break;
    case LETTER_KEY_FRAME:
        if (events->on_key_frame_wanted != NULL) {
            events->on_key_frame_wanted(letter->track_id, outlet->user_data);
        }
        break;
    case LETTER_WARNING:
        if (events->on_warning != NULL) {
            events->on_warning(letter->code, letter->message, outlet->user_data);
        }
        break;
    case LETTER_ERROR:
        if (events->on_error != NULL) {
            events->on_error(letter->error, outlet->user_data);
        }
        break;
    }
    return G_SOURCE_REMOVE;
}

/* Takes the pointers in @content. */
static void post(MediaOutlet *outlet, const Letter *content)
{
    Letter *letter = g_memdup2(content, sizeof *content);
    g_atomic_ref_count_inc(&outlet->ref_count);
    letter->outlet = outlet;
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, deliver, letter, letter_free);
    g_source_attach(source, outlet->context);
}

void media_outlet_speech(MediaOutlet *outlet, const MediaSpeech *speech)
{
    Letter letter = {.kind = LETTER_SPEECH, .speech = *speech};
    post(outlet, &letter);
}

void media_outlet_recording(MediaOutlet *outlet, MediaRecordingOp op, int64_t recording_ns)
{
    Letter letter = {.kind = LETTER_RECORDING, .op = op, .recording_ns = recording_ns};
    post(outlet, &letter);
}

void media_outlet_key_frame_wanted(MediaOutlet *outlet, uint32_t track_id)
{
    Letter letter = {.kind = LETTER_KEY_FRAME, .track_id = track_id};
    post(outlet, &letter);
}

void media_outlet_warning(MediaOutlet *outlet, const char *code, const char *message)
{
    Letter letter = {.kind = LETTER_WARNING, .code = g_strdup(code), .message = g_strdup(message)};
    post(outlet, &letter);
}

void media_outlet_error(MediaOutlet *outlet, const GError *error)
{
    Letter letter = {.kind = LETTER_ERROR, .error = g_error_copy(error)};
    post(outlet, &letter);
}
