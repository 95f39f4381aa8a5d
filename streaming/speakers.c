/* SPDX-License-Identifier: Apache-2.0 */
#include "streaming/speakers.h"

#include <json-glib/json-glib.h>

static void add_rows(JsonBuilder *builder, const StreamingSpeaker *speakers, gsize n_speakers,
                     bool speaking, int64_t time_unix_ms)
{
    for (gsize i = 0; i < n_speakers; i++) {
        if (speakers[i].speaking != speaking) {
            continue;
        }
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "name");
        json_builder_add_string_value(builder, speakers[i].name);
        json_builder_set_member_name(builder, "id");
        json_builder_add_int_value(builder, speakers[i].id);
        json_builder_set_member_name(builder, "timestamp");
        json_builder_add_int_value(builder, time_unix_ms);
        json_builder_set_member_name(builder, "isSpeaking");
        json_builder_add_boolean_value(builder, speaking);
        json_builder_end_object(builder);
    }
}

char *streaming_speakers_to_json(const StreamingSpeaker *speakers, gsize n_speakers,
                                 int64_t time_unix_ms)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_array(builder);
    add_rows(builder, speakers, n_speakers, true, time_unix_ms);
    add_rows(builder, speakers, n_speakers, false, time_unix_ms);
    json_builder_end_array(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}
