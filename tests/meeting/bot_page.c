// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/bot_page.h"

#include "tests/meeting/teams.h"

void meeting_bot_send_text(MeetingBot *bot, const char *json)
{
    if (bot->socket != NULL &&
        soup_websocket_connection_get_state(bot->socket) == SOUP_WEBSOCKET_STATE_OPEN)
        soup_websocket_connection_send_text(bot->socket, json);
}

void meeting_bot_send(MeetingBot *bot, const char *type, ...)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "t");
    json_builder_add_string_value(b, type);
    va_list pairs;
    va_start(pairs, type);
    const char *key;
    while ((key = va_arg(pairs, const char *)) != NULL) {
        json_builder_set_member_name(b, key);
        json_builder_add_string_value(b, va_arg(pairs, const char *));
    }
    va_end(pairs);
    json_builder_end_object(b);
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    g_autofree char *json = json_to_string(root, FALSE);
    meeting_bot_send_text(bot, json);
}

/* What Teams' page subscribes with: the stream's number, and whose picture it brings. */
static void add_subscription(JsonBuilder *b, MeetingBot *bot, const MeetingUser *user)
{
    json_builder_set_member_name(b, "video_source");
    json_builder_add_int_value(b, -1);
    for (guint i = 0; i < bot->slots->len; i++) {
        const Slot *slot = g_ptr_array_index(bot->slots, i);
        if (slot->source == NULL || g_strcmp0(slot->stream_id, user->video_stream) != 0)
            continue;
        guint32 csrc = slot->source->csrc;
        json_builder_set_member_name(b, "video_source");
        json_builder_add_int_value(b, slot->screen < 0 ? meeting_teams_video_source(csrc)
                                                       : meeting_teams_screen_source(csrc));
        json_builder_set_member_name(b, "stream_number");
        json_builder_add_int_value(b, slot->source_stream);
    }
}

static void add_person(JsonBuilder *b, MeetingBot *bot, const MeetingUser *user)
{
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "device");
    json_builder_add_string_value(b, user->device);
    json_builder_set_member_name(b, "name");
    json_builder_add_string_value(b, user->name);
    json_builder_set_member_name(b, "self");
    json_builder_add_boolean_value(b, user->self);
    json_builder_set_member_name(b, "muted");
    json_builder_add_boolean_value(b, user->muted);
    json_builder_set_member_name(b, "host");
    json_builder_add_boolean_value(b, user->host);
    json_builder_set_member_name(b, "camera");
    json_builder_add_boolean_value(b, user->csrc != 0 && !user->video_off);
    json_builder_set_member_name(b, "csrc");
    json_builder_add_int_value(b, user->csrc);
    json_builder_set_member_name(b, "room");
    json_builder_add_string_value(b, user->room != NULL ? user->room : "");
    json_builder_set_member_name(b, "companion");
    json_builder_add_boolean_value(b, user->companion);
    add_subscription(b, bot, user);
    json_builder_set_member_name(b, "screen");
    json_builder_add_boolean_value(b, user->parent != NULL);
    json_builder_set_member_name(b, "stream");
    if (user->video_stream != NULL && !user->video_off)
        json_builder_add_string_value(b, user->video_stream);
    else
        json_builder_add_null_value(b);
    json_builder_end_object(b);
}

void meeting_bot_send_people(MeetingBot *bot, GPtrArray *users)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "t");
    json_builder_add_string_value(b, "people");
    json_builder_set_member_name(b, "people");
    json_builder_begin_array(b);
    for (guint i = 0; i < users->len; i++)
        add_person(b, bot, g_ptr_array_index(users, i));
    json_builder_end_array(b);
    json_builder_end_object(b);
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    g_autofree char *json = json_to_string(root, FALSE);
    meeting_bot_send_text(bot, json);
}

void meeting_bot_show_speaking(MeetingBot *bot, const guint32 *csrcs, guint n)
{
    g_autoptr(GString) json = g_string_new("{\"t\":\"speaking\",\"csrcs\":[");
    for (guint i = 0; i < n; i++)
        g_string_append_printf(json, "%s%u", i > 0 ? "," : "", csrcs[i]);
    g_string_append(json, "]}");
    if (g_strcmp0(json->str, bot->shown_speaking) == 0)
        return;
    g_free(bot->shown_speaking);
    bot->shown_speaking = g_strdup(json->str);
    meeting_bot_send_text(bot, json->str);
}
