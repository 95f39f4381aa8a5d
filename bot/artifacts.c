/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/artifacts.h"

#include <math.h>
#include <string.h>

/* metadata.json lists these; it and the growing events.ndjson are not in the list. */
static const char *const artifact_names[] = {
    "recording.mp4",     "recording.mp3",     "audio.wav",
    "diarization.jsonl", "participants.json", "chat.json",
};

void bot_chat_row_clear(gpointer row)
{
    BotChatRow *chat = row;
    g_clear_pointer(&chat->name, g_free);
    g_clear_pointer(&chat->text, g_free);
}

static bool write_text(const char *output_dir, const char *name, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(output_dir, name, NULL);
    return g_file_set_contents_full(
        path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644, error);
}

/* Milliseconds are as exact as the times are; more digits only look so. */
static double to_ms(double seconds)
{
    return round(seconds * 1000.0) / 1000.0;
}

static char *object_to_string(JsonObject *object)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, object);
    return json_to_string(node, FALSE);
}

static bool write_array(const char *output_dir, const char *name, JsonArray *array, GError **error)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_ARRAY);
    json_node_set_array(node, array);
    g_autofree char *text = json_to_string(node, TRUE);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    return write_text(output_dir, name, line, error);
}

bool bot_artifacts_write_diarization(const char *output_dir, GArray *rows, BotRoster *roster,
                                     GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < rows->len; i++) {
        const BotSpeechRow *row = &g_array_index(rows, BotSpeechRow, i);
        BotPerson *person = bot_roster_get(roster, row->id);
        g_autoptr(JsonObject) object = json_object_new();
        json_object_set_string_member(object, "speaker", person != NULL ? person->name : "");
        json_object_set_double_member(object, "start_time", to_ms(row->start_s));
        json_object_set_double_member(object, "end_time", to_ms(row->end_s));
        json_object_set_int_member(object, "user_id", row->id);
        g_autofree char *line = object_to_string(object);
        g_string_append_printf(text, "%s\n", line);
    }
    return write_text(output_dir, "diarization.jsonl", text->str, error);
}

JsonArray *bot_artifacts_speaker_names(GArray *rows, BotRoster *roster)
{
    JsonArray *names = json_array_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < rows->len; i++) {
        uint32_t id = g_array_index(rows, BotSpeechRow, i).id;
        BotPerson *person = bot_roster_get(roster, id);
        if (person != NULL && g_hash_table_add(seen, GUINT_TO_POINTER(id))) {
            json_array_add_string_element(names, person->name);
        }
    }
    return names;
}

static double since_s(int64_t at_us, int64_t zero_us)
{
    return zero_us < 0 || at_us < zero_us ? 0.0 : (double)(at_us - zero_us) / G_USEC_PER_SEC;
}

GArray *bot_artifacts_chapters(GArray *segments, BotRoster *roster)
{
    GArray *chapters = media_chapters_from_segments(segments);
    for (guint i = 0; i < chapters->len; i++) {
        MediaChapter *chapter = &g_array_index(chapters, MediaChapter, i);
        const BotPerson *person = bot_roster_get(roster, chapter->participant_id);
        chapter->title = g_strdup(person != NULL ? person->name : "");
    }
    return chapters;
}

bool bot_artifacts_write_participants(const char *output_dir, BotRoster *roster,
                                      int64_t recording_started_us, GError **error)
{
    g_autoptr(JsonArray) array = json_array_new();
    for (guint i = 0; i < bot_roster_length(roster); i++) {
        const BotPerson *person = bot_roster_nth(roster, i);
        JsonObject *object = json_object_new();
        json_object_set_int_member(object, "id", person->id);
        bot_json_set_optional(object, "platform_id", person->platform_id);
        json_object_set_string_member(object, "name", person->name);
        json_object_set_boolean_member(object, "is_host", person->is_host);
        json_object_set_double_member(object, "joined_s",
                                      to_ms(since_s(person->joined_us, recording_started_us)));
        if (person->left_us >= 0) {
            json_object_set_double_member(object, "left_s",
                                          to_ms(since_s(person->left_us, recording_started_us)));
        } else {
            json_object_set_null_member(object, "left_s");
        }
        bot_person_tell_members(person, object);
        json_array_add_object_element(array, object);
    }
    return write_array(output_dir, "participants.json", array, error);
}

bool bot_artifacts_write_chat(const char *output_dir, GArray *rows, GError **error)
{
    g_autoptr(JsonArray) array = json_array_new();
    for (guint i = 0; i < rows->len; i++) {
        const BotChatRow *row = &g_array_index(rows, BotChatRow, i);
        JsonObject *object = json_object_new();
        json_object_set_double_member(object, "at_s", to_ms(row->at_s));
        json_object_set_int_member(object, "id", row->id);
        json_object_set_string_member(object, "name", row->name);
        json_object_set_string_member(object, "text", row->text);
        json_array_add_object_element(array, object);
    }
    return write_array(output_dir, "chat.json", array, error);
}

bool bot_artifacts_write_metadata(const char *output_dir, const BotMetadata *metadata,
                                  GError **error)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_node_take_object(node, object);
    json_object_set_string_member(object, "bot_id", metadata->bot_id);
    bot_json_set_optional(object, "platform", metadata->platform);
    if (metadata->recording_started_unix_ms > 0) {
        json_object_set_int_member(object, "recording_started_unix_ms",
                                   metadata->recording_started_unix_ms);
    } else {
        json_object_set_null_member(object, "recording_started_unix_ms");
    }
    json_object_set_double_member(object, "duration_s", to_ms(metadata->duration_s));
    bot_json_set_optional(object, "end_reason", metadata->end_reason);
    bot_json_set_optional(object, "error", metadata->error);
    json_object_set_array_member(object, "gaps", json_array_ref(metadata->gaps));
    json_object_set_array_member(object, "artifacts", json_array_ref(metadata->artifacts));
    g_autofree char *text = json_to_string(node, TRUE);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    return write_text(output_dir, "metadata.json", line, error);
}

JsonObject *bot_artifacts_describe(const char *output_dir, const char *name)
{
    g_autofree char *path = g_build_filename(output_dir, name, NULL);
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInputStream) stream = g_file_read(file, NULL, NULL);
    if (stream == NULL) {
        return NULL;
    }
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree guint8 *block = g_malloc(1 << 20);
    gint64 bytes = 0;
    gssize n;
    while ((n = g_input_stream_read(G_INPUT_STREAM(stream), block, 1 << 20, NULL, NULL)) > 0) {
        g_checksum_update(checksum, block, n);
        bytes += n;
    }
    if (n < 0) {
        return NULL;
    }
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "name", name);
    json_object_set_int_member(object, "bytes", bytes);
    json_object_set_string_member(object, "sha256", g_checksum_get_string(checksum));
    return object;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every file of a folder in @output_dir, in order of its name; not what is still being written. */
static void describe_folder(const char *output_dir, const char *folder, JsonArray *array)
{
    g_autofree char *path = g_build_filename(output_dir, folder, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (*name != '.' && !g_str_has_suffix(name, ".partial")) {
            g_ptr_array_add(names, g_strdup_printf("%s/%s", folder, name));
        }
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        JsonObject *object = bot_artifacts_describe(output_dir, g_ptr_array_index(names, i));
        if (object != NULL) {
            json_array_add_object_element(array, object);
        }
    }
}

JsonArray *bot_artifacts_describe_all(const char *output_dir)
{
    JsonArray *array = json_array_new();
    for (gsize i = 0; i < G_N_ELEMENTS(artifact_names); i++) {
        JsonObject *object = bot_artifacts_describe(output_dir, artifact_names[i]);
        if (object != NULL) {
            json_array_add_object_element(array, object);
        }
    }
    describe_folder(output_dir, "tracks", array);
    describe_folder(output_dir, "screenshots", array);
    return array;
}

static JsonObject *copy_artifact(JsonObject *artifact)
{
    JsonObject *copy = json_object_new();
    g_autoptr(GList) names = json_object_get_members(artifact);
    for (GList *item = names; item != NULL; item = item->next) {
        json_object_set_member(copy, item->data,
                               json_node_copy(json_object_get_member(artifact, item->data)));
    }
    return copy;
}

void bot_artifacts_report(JsonArray *artifacts, BotEventLog *log)
{
    for (guint i = 0; i < json_array_get_length(artifacts); i++) {
        JsonObject *artifact = json_array_get_object_element(artifacts, i);
        bot_event_log_emit(log, "artifact", copy_artifact(artifact));
    }
}

void bot_artifacts_report_uploaded(JsonArray *artifacts, const char *name, const char *url,
                                   BotEventLog *log)
{
    for (guint i = 0; i < json_array_get_length(artifacts); i++) {
        JsonObject *artifact = json_array_get_object_element(artifacts, i);
        if (strcmp(json_object_get_string_member(artifact, "name"), name) == 0) {
            JsonObject *event = copy_artifact(artifact);
            json_object_set_boolean_member(event, "uploaded", TRUE);
            json_object_set_string_member(event, "url", url);
            bot_event_log_emit(log, "artifact", event);
        }
    }
}
