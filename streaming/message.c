/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/message.h"

#include "media/json.h"

#include <string.h>

#define MIN_RATE_HZ 8000
#define MAX_RATE_HZ 48000
#define MAX_DEPTH 16

StreamingMessage *streaming_message_ref(StreamingMessage *message)
{
    g_atomic_ref_count_inc(&message->ref_count);
    return message;
}

void streaming_message_unref(StreamingMessage *message)
{
    if (g_atomic_ref_count_dec(&message->ref_count)) {
        g_free(message);
    }
}

static StreamingMessage *message_new(const StreamingBlock *block, gsize length)
{
    StreamingMessage *message = g_malloc(sizeof *message + length);
    g_atomic_ref_count_init(&message->ref_count);
    message->text = false;
    message->first_sample = block->first_sample;
    message->n_samples = block->is_mix ? block->n_samples : 0;
    message->length = length;
    return message;
}

static void write_pcm(guint8 *to, const StreamingBlock *block)
{
    for (gsize i = 0; i < block->n_samples; i++) {
        guint16 sample = (guint16)block->samples[i];
        to[2 * i] = (guint8)(sample & 0xff);
        to[2 * i + 1] = (guint8)(sample >> 8);
    }
}

static void write_le(guint8 *to, guint64 value, guint n_bytes)
{
    for (guint i = 0; i < n_bytes; i++) {
        to[i] = (guint8)(value >> (8 * i));
    }
}

StreamingMessage *streaming_message_pcm(const StreamingBlock *block)
{
    StreamingMessage *message = message_new(block, block->n_samples * sizeof(int16_t));
    write_pcm(message->data, block);
    return message;
}

StreamingMessage *streaming_message_framed(const StreamingBlock *block)
{
    gsize length = STREAMING_FRAME_HEADER_BYTES + block->n_samples * sizeof(int16_t);
    StreamingMessage *message = message_new(block, length);
    guint8 *head = message->data;
    memset(head, 0, STREAMING_FRAME_HEADER_BYTES);
    memcpy(head, "STA1", 4);
    head[4] = block->is_mix ? STREAMING_FRAME_MIX : STREAMING_FRAME_PARTICIPANT;
    write_le(head + 8, block->is_mix ? 0 : block->participant_id, 4);
    write_le(head + 12, block->is_mix ? 0 : block->source, 4);
    write_le(head + 16, block->first_sample, 8);
    write_le(head + 24, (guint64)block->capture_unix_us, 8);
    write_pcm(head + STREAMING_FRAME_HEADER_BYTES, block);
    return message;
}

StreamingMessage *streaming_message_attendee(const StreamingBlock *block, const char *bot_id,
                                             const char *participant_uuid, uint32_t rate_hz,
                                             int64_t now_unix_ms)
{
    gsize n_bytes = block->n_samples * sizeof(int16_t);
    g_autofree guint8 *pcm = g_malloc(n_bytes);
    write_pcm(pcm, block);
    g_autofree char *chunk = g_base64_encode(pcm, n_bytes);
    g_autoptr(JsonObject) data = json_object_new();
    json_object_set_string_member(data, "chunk", chunk);
    json_object_set_int_member(data, "timestamp_ms", now_unix_ms);
    json_object_set_int_member(data, "sample_rate", rate_hz);
    if (!block->is_mix) {
        json_object_set_string_member(data, "participant_uuid", participant_uuid);
    }
    g_autoptr(JsonObject) object = json_object_new();
    json_object_set_string_member(object, "trigger",
                                  block->is_mix ? "realtime_audio.mixed"
                                                : "realtime_audio.per_participant");
    json_object_set_string_member(object, "bot_id", bot_id);
    json_object_set_object_member(object, "data", g_steal_pointer(&data));
    g_autoptr(JsonNode) node = json_node_alloc();
    json_node_init_object(node, object);
    g_autofree char *text = json_to_string(node, FALSE);
    StreamingMessage *message = message_new(block, strlen(text));
    message->text = true;
    memcpy(message->data, text, message->length);
    return message;
}

/* --- what a peer sends --- */

static const char *get_string(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                   json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static bool get_rate(JsonObject *object, uint32_t *ret_rate_hz)
{
    JsonNode *node = json_object_get_member(object, "sample_rate");
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_INT64) {
        return false;
    }
    gint64 rate_hz = json_node_get_int(node);
    if (rate_hz < MIN_RATE_HZ || rate_hz > MAX_RATE_HZ) {
        return false;
    }
    *ret_rate_hz = (uint32_t)rate_hz;
    return true;
}

static bool read_bot_output(JsonObject *object, GBytes **ret_pcm, uint32_t *ret_rate_hz)
{
    JsonNode *node = json_object_get_member(object, "data");
    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node)) {
        return false;
    }
    JsonObject *data = json_node_get_object(node);
    const char *chunk = get_string(data, "chunk");
    if (chunk == NULL || !get_rate(data, ret_rate_hz)) {
        return false;
    }
    gsize n_bytes;
    guint8 *pcm = g_base64_decode(chunk, &n_bytes);
    *ret_pcm = g_bytes_new_take(pcm, n_bytes);
    return true;
}

StreamingTextKind streaming_text_read(const char *text, gsize length, GBytes **ret_pcm,
                                      uint32_t *ret_rate_hz)
{
    g_autoptr(JsonObject) object =
        media_json_parse(text, length, MAX_DEPTH, MEDIA_JSON_MEND_NO_TEXT, NULL);
    if (object == NULL) {
        return STREAMING_TEXT_OTHER;
    }
    if (g_strcmp0(get_string(object, "type"), "flush") == 0) {
        return STREAMING_TEXT_FLUSH;
    }
    if (g_strcmp0(get_string(object, "trigger"), "realtime_audio.bot_output") == 0 &&
        read_bot_output(object, ret_pcm, ret_rate_hz)) {
        return STREAMING_TEXT_BOT_OUTPUT;
    }
    return STREAMING_TEXT_OTHER;
}
