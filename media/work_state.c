/* SPDX-License-Identifier: Apache-2.0 */
#include "media/work_state.h"

#include <json-glib/json-glib.h>

#define STATE_FILE "state.json"
#define VERSION 1

bool media_work_state_save(const char *work_dir, const MediaWorkState *state, GError **error)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "version");
    json_builder_add_int_value(builder, VERSION);
    json_builder_set_member_name(builder, "mode");
    json_builder_add_int_value(builder, state->mode);
    json_builder_set_member_name(builder, "audio_priming");
    json_builder_add_int_value(builder, state->audio_priming);
    json_builder_set_member_name(builder, "ended");
    json_builder_add_boolean_value(builder, state->ended);
    json_builder_set_member_name(builder, "duration_ns");
    json_builder_add_int_value(builder, state->duration_ns);
    json_builder_set_member_name(builder, "n_video_packets");
    json_builder_add_int_value(builder, state->n_video_packets);
    json_builder_set_member_name(builder, "n_audio_packets");
    json_builder_add_int_value(builder, state->n_audio_packets);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, TRUE);
    g_autofree char *path = g_build_filename(work_dir, STATE_FILE, NULL);
    g_autoptr(GError) problem = NULL;
    if (!g_file_set_contents_full(path, text, -1,
                                  G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                  0644, &problem)) {
        bool full = g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
        g_set_error_literal(error, MEDIA_ERROR, full ? MEDIA_ERROR_DISK_FULL : MEDIA_ERROR_IO,
                            problem->message);
        return false;
    }
    return true;
}

bool media_work_state_load(const char *work_dir, MediaWorkState *ret_state, GError **error)
{
    g_autofree char *path = g_build_filename(work_dir, STATE_FILE, NULL);
    g_autofree char *text = NULL;
    gsize length;
    if (!g_file_get_contents(path, &text, &length, NULL)) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_NOTHING_RECORDED, "no recording in %s",
                    work_dir);
        return false;
    }
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) problem = NULL;
    bool parsed = json_parser_load_from_data(parser, text, (gssize)length, &problem);
    JsonNode *root = parsed ? json_parser_get_root(parser) : NULL;
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_FORMAT, "%s: %s", path,
                    problem != NULL ? problem->message : "not an object");
        return false;
    }
    JsonObject *object = json_node_get_object(root);
    int64_t mode = json_object_get_int_member_with_default(object, "mode", -1);
    if (json_object_get_int_member_with_default(object, "version", 0) != VERSION || mode < 0 ||
        mode > MEDIA_MODE_AUDIO_ONLY) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_FORMAT, "%s: of another version", path);
        return false;
    }
    *ret_state = (MediaWorkState){
        .mode = (MediaMode)mode,
        .audio_priming = json_object_get_int_member_with_default(object, "audio_priming", 0),
        .ended = json_object_get_boolean_member_with_default(object, "ended", FALSE),
        .duration_ns = json_object_get_int_member_with_default(object, "duration_ns", 0),
        .n_video_packets = json_object_get_int_member_with_default(object, "n_video_packets", 0),
        .n_audio_packets = json_object_get_int_member_with_default(object, "n_audio_packets", 0),
    };
    return true;
}
