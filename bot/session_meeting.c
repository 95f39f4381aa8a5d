/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/session_priv.h"

#include <string.h>

static void on_lobby(gpointer user_data)
{
    BotSession *session = user_data;
    session->presence.knocked_us = g_get_monotonic_time();
    session->presence.joining_us = BOT_NEVER_US;
    if (bot_state_is_joined(session->state)) {
        session->presence.admitted_us = BOT_NEVER_US;
        bot_session_begin_gap(session, "waiting_room",
                              "The host put the bot back into the waiting room.");
    }
    bot_session_raise(session, BOT_EVENT_PUT_IN_WAITING_ROOM, NULL);
}

static void on_host_absent(bool absent, gpointer user_data)
{
    BotSession *session = user_data;
    session->presence.host_absent_us = absent ? g_get_monotonic_time() : BOT_NEVER_US;
}

static void on_entry_message(GObject *source, GAsyncResult *result, gpointer user_data)
{
    BotSession *session = user_data;
    g_autoptr(GError) error = NULL;
    if (session->platform != NULL &&
        !platform_send_chat_finish(session->platform, result, &error)) {
        bot_session_warn(session, "entry_message_not_sent", error->message);
    }
}

void bot_session_count_company(BotSession *session)
{
    int64_t now_us = g_get_monotonic_time();
    guint company = bot_roster_count_company(session->roster);
    BotPresence *presence = &session->presence;
    if (company > 0 && presence->other_seen_us == BOT_NEVER_US) {
        presence->other_seen_us = now_us;
    }
    if (company > 0) {
        presence->alone_since_us = BOT_NEVER_US;
    } else if (presence->alone_since_us == BOT_NEVER_US) {
        presence->alone_since_us = now_us;
    }
}

static void on_admitted(gpointer user_data)
{
    BotSession *session = user_data;
    bot_session_back_in_call(session);
    bot_session_count_company(session);
    bot_session_raise(session, BOT_EVENT_JOINED_MEETING, NULL);
    if (session->config->entry_message != NULL && session->platform != NULL && !session->greeted) {
        session->greeted = true;
        platform_send_chat_async(session->platform, session->config->entry_message,
                                 on_entry_message, session);
    }
}

static void on_recording_permission(bool granted, const char *reason, gpointer user_data)
{
    BotSession *session = user_data;
    if (granted) {
        bot_session_raise(session,
                          session->keep_paused ? BOT_EVENT_RECORDING_PAUSE_KEPT
                                               : BOT_EVENT_RECORDING_PERMISSION_GRANTED,
                          NULL);
        session->keep_paused = false;
        return;
    }
    bot_session_warn(session, "recording_permission_denied",
                     reason != NULL ? reason : "The host refused recording.");
    bot_session_raise(session, BOT_EVENT_RECORDING_PERMISSION_DENIED, "host_denied_permission");
}

static void emit_participant(BotSession *session, const char *op, const BotPerson *person)
{
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "op", op);
    json_object_set_int_member(members, "id", person->id);
    json_object_set_string_member(members, "platform_id", person->platform_id);
    json_object_set_string_member(members, "name", person->name);
    json_object_set_boolean_member(members, "is_host", person->is_host);
    bot_person_tell_members(person, members);
    bot_event_log_emit(session->log, "participant", members);
}

/* Whom the pictures show as speaking when a room does, or did until now. */
static void show_room(BotSession *session, const BotPerson *room)
{
    for (guint i = 0; room->members != NULL && i < room->members->len; i++) {
        uint32_t id = g_array_index(room->members, uint32_t, i);
        const BotPerson *member = bot_roster_get(session->roster, id);
        media_engine_set_room(session->engine, id, member->room_id);
    }
}

void bot_session_participant_left(BotSession *session, const char *platform_id)
{
    BotPerson *person = bot_roster_leave(session->roster, platform_id, g_get_monotonic_time());
    if (person != NULL) {
        emit_participant(session, "left", person);
        show_room(session, person);
        media_engine_set_participant(session->engine, person->id, person->name, false, true);
    }
}

static void participant_seen(BotSession *session, const PlatformParticipant *participant)
{
    bool is_new = false;
    BotPerson *known = bot_roster_find(session->roster, participant->platform_id);
    g_autofree char *old_name = g_strdup(known != NULL ? known->name : NULL);
    bool was_host = known != NULL && known->is_host;
    BotPerson *person = bot_roster_update(session->roster, participant->platform_id,
                                          participant->name, g_get_monotonic_time(), &is_new);
    person->is_host = participant->is_host;
    person->muted = participant->muted;
    if (participant->members != NULL) {
        bot_roster_set_members(session->roster, person, participant->members,
                               g_get_monotonic_time());
    }
    if (is_new) {
        emit_participant(session, "joined", person);
    } else if (g_strcmp0(old_name, person->name) != 0 || was_host != person->is_host) {
        emit_participant(session, "updated", person);
    }
    media_engine_set_participant(session->engine, person->id, person->name, true, person->muted);
    media_engine_set_room(session->engine, person->id, person->room_id);
    show_room(session, person);
    if (is_new) {
        bot_live_name_participant(session->live, person->id, person->platform_id);
    }
}

static void on_participant(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data)
{
    BotSession *session = user_data;
    if (bot_session_is_own_entry(session, participant)) {
        return;
    }
    if (op == PLATFORM_PARTICIPANT_LEFT) {
        bot_session_participant_left(session, participant->platform_id);
    } else {
        participant_seen(session, participant);
    }
    bot_session_count_company(session);
    bot_session_roster_changed(session);
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    BotSession *session = user_data;
    if (g_hash_table_contains(session->own_ids, source->platform_id)) {
        if (source->kind == PLATFORM_SOURCE_AUDIO && source->source != 0) {
            bot_session_ignore_voice(session, source->source);
        }
        return;
    }
    BotPerson *person =
        bot_roster_ensure(session->roster, source->platform_id, g_get_monotonic_time());
    if (source->kind != PLATFORM_SOURCE_AUDIO) {
        media_engine_bind_video(session->engine, source->source, person->id,
                                source->kind == PLATFORM_SOURCE_SCREEN, source->active);
        return;
    }
    person->muted = !source->active;
    media_engine_set_participant(session->engine, person->id, person->name, person->present,
                                 person->muted);
    if (source->source != 0) {
        bot_session_bind_voice(session, source->source, person->id);
    }
}

static void on_speaker(const char *platform_id, gpointer user_data)
{
    BotSession *session = user_data;
    const BotPerson *person = bot_roster_find(session->roster, platform_id);
    if (person != NULL && session->engine != NULL) {
        media_engine_hint_speaker(session->engine, person->id);
    }
}

static void on_track_ended(uint32_t track_id, gpointer user_data)
{
    BotSession *session = user_data;
    media_engine_end_track(session->engine, track_id);
}

static void on_frame(MediaEncodedFrame *frame, gpointer user_data)
{
    BotSession *session = user_data;
    media_engine_push(session->engine, frame);
}

static void on_chat(const char *platform_id, const char *name, const char *text, gpointer user_data)
{
    BotSession *session = user_data;
    if (g_strcmp0(platform_id, session->self_id) == 0) {
        return;
    }
    BotPerson *person = bot_roster_find(session->roster, platform_id);
    BotChatRow row = {
        .at_s = bot_session_recording_s(session),
        .id = person != NULL ? person->id : 0,
        .name = g_strdup(name != NULL && name[0] != '\0' ? name
                         : person != NULL                ? person->name
                                                         : ""),
        .text = g_strdup(text),
    };
    JsonObject *members = json_object_new();
    json_object_set_int_member(members, "id", row.id);
    json_object_set_string_member(members, "name", row.name);
    json_object_set_string_member(members, "text", row.text);
    json_object_set_double_member(members, "at_s", row.at_s);
    bot_event_log_emit(session->log, "chat", members);
    g_array_append_val(session->chat, row);
}

static void on_microphone(bool open, gpointer user_data)
{
    BotSession *session = user_data;
    bot_live_microphone(session->live, open);
}

static void on_rule(const char *purpose, const char *rule, bool found, gpointer user_data)
{
    BotSession *session = user_data;
    JsonObject *members = json_object_new();
    json_object_set_string_member(members, "purpose", purpose);
    bot_json_set_optional(members, "rule", rule);
    json_object_set_boolean_member(members, "found", found);
    bot_event_log_emit(session->log, "rule", members);
}

static void on_warning(const char *code, const char *message, gpointer user_data)
{
    bot_session_warn(user_data, code, message);
}

static BotOutcome outcome_of(PlatformLeft left)
{
    static const BotOutcome outcomes[] = {
        [PLATFORM_LEFT_REQUESTED] = BOT_OUTCOME_USER_REQUESTED,
        [PLATFORM_LEFT_DENIED] = BOT_OUTCOME_DENIED,
        [PLATFORM_LEFT_LOBBY_TIMEOUT] = BOT_OUTCOME_WAITING_ROOM_TIMEOUT,
        [PLATFORM_LEFT_NOT_FOUND] = BOT_OUTCOME_NOT_FOUND,
        [PLATFORM_LEFT_LOGIN_REQUIRED] = BOT_OUTCOME_LOGIN_REQUIRED,
        [PLATFORM_LEFT_CAPTCHA] = BOT_OUTCOME_CAPTCHA,
        [PLATFORM_LEFT_BOTS_NOT_ALLOWED] = BOT_OUTCOME_BOTS_NOT_ALLOWED,
        [PLATFORM_LEFT_REMOVED] = BOT_OUTCOME_REMOVED,
        [PLATFORM_LEFT_ENDED] = BOT_OUTCOME_MEETING_ENDED,
        [PLATFORM_LEFT_PAGE_LOST] = BOT_OUTCOME_LOST,
        [PLATFORM_LEFT_NETWORK_LOST] = BOT_OUTCOME_LOST,
        [PLATFORM_LEFT_UI_NOT_FOUND] = BOT_OUTCOME_UI_NOT_FOUND,
        [PLATFORM_LEFT_INTERNAL] = BOT_OUTCOME_INTERNAL,
    };
    return outcomes[left];
}

static void on_left(const PlatformLeftInfo *info, gpointer user_data)
{
    BotSession *session = user_data;
    g_info("left the meeting: %s (%s)", platform_left_to_string(info->left), info->message);
    bool asked = session->state == BOT_STATE_LEAVING || session->finishing;
    if (!asked && bot_session_rejoins(session, info)) {
        return;
    }
    if (!asked) {
        bot_session_end(session, outcome_of(info->left), info->message);
    }
    g_clear_pointer(&session->platform, platform_free);
    if (session->state == BOT_STATE_LEAVING) {
        bot_session_raise(session, BOT_EVENT_LEFT_MEETING, NULL);
    }
    bot_session_finish_step(session);
}

const PlatformEvents bot_session_platform_events = {
    .on_lobby = on_lobby,
    .on_host_absent = on_host_absent,
    .on_admitted = on_admitted,
    .on_recording_permission = on_recording_permission,
    .on_participant = on_participant,
    .on_source = on_source,
    .on_speaker = on_speaker,
    .on_track_ended = on_track_ended,
    .on_frame = on_frame,
    .on_chat = on_chat,
    .on_microphone = on_microphone,
    .on_rule = on_rule,
    .on_warning = on_warning,
    .on_left = on_left,
};
