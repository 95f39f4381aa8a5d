// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/bot.h"

#include "tests/meeting/bot_page.h"
#include "tests/meeting/bot_teams.h"
#include "tests/meeting/bot_zoom.h"
#include "tests/meeting/teams.h"

#include <string.h>

enum { N_AUDIO_STREAMS = 3, N_INACTIVE_POOL = 8, MAX_CHAT_BYTES = 16384 };

static void note_free(gpointer data)
{
    Note *note = data;
    g_free(note->text);
    g_free(note);
}

static void slot_free(gpointer data)
{
    Slot *slot = data;
    g_free(slot->stream_id);
    g_free(slot);
}

static void note(MeetingBot *bot, GPtrArray *notes, const char *text)
{
    Note *entry = g_new0(Note, 1);
    entry->at_s = meeting_now_s(bot->meeting);
    entry->text = g_strdup(text);
    g_ptr_array_add(notes, entry);
}

static bool is_teams(MeetingBot *bot)
{
    return meeting_scenario(bot->meeting)->platform == MEETING_PLATFORM_TEAMS;
}

static bool is_zoom(MeetingBot *bot)
{
    return meeting_scenario(bot->meeting)->platform == MEETING_PLATFORM_ZOOM;
}

static const MeetingUser *find_user(GPtrArray *users, const char *device)
{
    for (guint i = 0; i < users->len; i++) {
        const MeetingUser *user = g_ptr_array_index(users, i);
        if (g_str_equal(user->device, device))
            return user;
    }
    return NULL;
}

/* Sends what differs from what the page has been told. People who left are told as such, unless
 * the scenario wants them to be missed in the sync answer only. */
static void send_collections(MeetingBot *bot, GPtrArray *users)
{
    g_autoptr(GPtrArray) changed = g_ptr_array_new();
    for (guint i = 0; i < users->len; i++) {
        const MeetingUser *user = g_ptr_array_index(users, i);
        const MeetingUser *before = find_user(bot->known, user->device);
        if (before == NULL || !meeting_user_equal(before, user))
            g_ptr_array_add(changed, (gpointer)user);
    }
    for (guint i = 0; i < bot->known->len; i++) {
        MeetingUser *user = g_ptr_array_index(bot->known, i);
        if (find_user(users, user->device) != NULL)
            continue;
        user->status = MEETING_USER_LEFT;
        if (!meeting_scenario(bot->meeting)->sync_leaves_only)
            g_ptr_array_add(changed, user);
    }
    if (changed->len > 0) {
        g_autoptr(GBytes) event = meeting_collections_event(changed, NULL, ++bot->sequence);
        meeting_peer_send_collections(bot->peer, event);
    }
}

/* --- streams --- */

static Slot *add_slot(MeetingBot *bot, MeetingSectionKind kind, bool active)
{
    Slot *slot = g_new0(Slot, 1);
    slot->kind = kind;
    slot->ssrc = 0x10000000u + bot->number * 0x10000u + bot->slots->len * 0x100u + 1;
    bool audio = kind == MEETING_SECTION_AUDIO;
    if (is_teams(bot)) {
        slot->source_stream = bot->slots->len + 1;
        slot->stream_id = g_strdup_printf("%s-%u", audio ? "mainAudio" : "mainVideo", slot->ssrc);
    } else if (is_zoom(bot)) {
        slot->stream_id = g_strdup_printf("%u+0+CS+", slot->ssrc);
    } else {
        slot->stream_id =
            g_strdup_printf("%s-%u-%u", audio ? "sa" : "sv", bot->number, bot->slots->len);
    }
    slot->sender_index = meeting_sender_add_stream(bot->sender, kind, slot->ssrc);
    slot->section = -1;
    slot->screen = -1;
    slot->active = active;
    g_ptr_array_add(bot->slots, slot);
    return slot;
}

static void add_section(MeetingBot *bot, Slot *slot)
{
    MeetingSection section = {slot->kind, slot->ssrc, slot->stream_id, slot->active,
                              slot->source_stream};
    slot->section = (int)meeting_peer_add_section(bot->peer, &section);
}

const char *meeting_bot_stream_of(MeetingBot *bot, const MeetingSource *source, int screen)
{
    for (guint i = 0; i < bot->slots->len; i++) {
        Slot *slot = g_ptr_array_index(bot->slots, i);
        if (slot->source == source && slot->screen == screen)
            return slot->stream_id;
    }
    return NULL;
}

/* Finds a stream for a new picture: a free one, an inactive one, or a new one. */
static bool give_slot(MeetingBot *bot, const MeetingSource *source, int screen)
{
    Slot *best = NULL;
    bool negotiate = false;
    for (guint i = 0; i < bot->slots->len; i++) {
        Slot *slot = g_ptr_array_index(bot->slots, i);
        if (slot->kind == MEETING_SECTION_VIDEO && slot->source == NULL &&
            (best == NULL || slot->active > best->active))
            best = slot;
    }
    if (best == NULL) {
        best = add_slot(bot, MEETING_SECTION_VIDEO, true);
        add_section(bot, best);
        negotiate = true;
    } else if (!best->active) {
        best->active = true;
        meeting_peer_activate_section(bot->peer, (guint)best->section);
        negotiate = true;
    }
    best->source = source;
    best->screen = screen;
    meeting_sender_show(bot->sender, best->sender_index, source, screen);
    return negotiate;
}

static bool is_wanted(MeetingBot *bot, const MeetingSource *source, int screen)
{
    double now_s = meeting_now_s(bot->meeting);
    if (bot->audio_only || is_zoom(bot)) /* Zoom's page draws its pictures itself */
        return false;
    if (screen < 0)
        return meeting_person_camera_on(meeting_scenario(bot->meeting), source->person, now_s);
    return meeting_person_screen(source->person, now_s) ==
           g_ptr_array_index(source->person->screens, (guint)screen);
}

/* Takes streams from pictures that are over and gives them to new ones. */
static bool assign_slots(MeetingBot *bot)
{
    bool negotiate = false;
    for (guint i = 0; i < bot->slots->len; i++) {
        Slot *slot = g_ptr_array_index(bot->slots, i);
        if (slot->source != NULL && !is_wanted(bot, slot->source, slot->screen)) {
            slot->source = NULL;
            meeting_sender_show(bot->sender, slot->sender_index, NULL, -1);
        }
    }
    GPtrArray *sources = meeting_sources(bot->meeting);
    for (guint i = 0; i < sources->len; i++) {
        const MeetingSource *source = g_ptr_array_index(sources, i);
        for (int screen = -1; screen < (int)source->person->screens->len; screen++) {
            if (is_wanted(bot, source, screen) &&
                meeting_bot_stream_of(bot, source, screen) == NULL)
                negotiate |= give_slot(bot, source, screen);
        }
    }
    return negotiate;
}

/* Teams' roster has a socket of its own: no negotiation holds it up. */
static void tell_roster(MeetingBot *bot)
{
    GPtrArray *users = meeting_users(bot->meeting, bot);
    if (meeting_bot_send_roster(bot, users)) {
        g_ptr_array_unref(bot->known);
        bot->known = users;
    } else {
        g_ptr_array_unref(users);
    }
}

void meeting_bot_update(MeetingBot *bot)
{
    if (bot->state != BOT_IN_CALL)
        return;
    bool ready = bot->peer != NULL && !meeting_peer_busy(bot->peer);
    bool negotiate = ready && assign_slots(bot);
    if (is_teams(bot))
        tell_roster(bot);
    if (!ready)
        return; /* comes again when the negotiation is over */
    GPtrArray *users = meeting_users(bot->meeting, bot);
    meeting_bot_send_people(bot, users);
    if (bot->collections_open && !is_teams(bot) && !is_zoom(bot)) {
        send_collections(bot, users);
        g_ptr_array_unref(bot->known);
        bot->known = users;
    } else {
        g_ptr_array_unref(users);
    }
    if (negotiate)
        meeting_peer_negotiate(bot->peer);
}

/* --- the connection --- */

static void on_signal(const char *json, gpointer data)
{
    meeting_bot_send_text(data, json);
}

static void on_ready(gpointer data)
{
    MeetingBot *bot = data;
    if (bot->connected_us == 0)
        bot->connected_us = g_get_monotonic_time();
    for (guint i = 0; i < bot->slots->len; i++) {
        Slot *slot = g_ptr_array_index(bot->slots, i);
        if (slot->section < 0 || !meeting_peer_section_ready(bot->peer, (guint)slot->section))
            continue;
        meeting_sender_open(bot->sender, slot->sender_index,
                            meeting_peer_section_pad(bot->peer, (guint)slot->section),
                            meeting_peer_types(bot->peer), meeting_peer_base_time_ns(bot->peer));
    }
    meeting_bot_update(bot);
}

static void on_collections_open(gpointer data)
{
    MeetingBot *bot = data;
    bot->collections_open = true;
    bool decodes = meeting_scenario(bot->meeting)->audio != MEETING_AUDIO_RECEIVER;
    if (decodes)
        meeting_bot_start_sound(bot);
    if (decodes || is_teams(bot) || is_zoom(bot))
        meeting_bot_tell_speakers(bot);
    if (is_teams(bot) || is_zoom(bot))
        return;
    g_ptr_array_set_size(bot->known, 0);
    meeting_bot_update(bot);
    for (guint i = 0; i < bot->unsent_chat->len; i++)
        meeting_peer_send_collections(bot->peer, g_ptr_array_index(bot->unsent_chat, i));
    g_ptr_array_set_size(bot->unsent_chat, 0);
}

static void on_feedback(guint32 ssrc, MeetingFeedback what, guint16 seq, gpointer data)
{
    MeetingBot *bot = data;
    meeting_sender_feedback(bot->sender, ssrc, what, seq);
}

static void on_packet(MeetingSectionKind kind, GstBuffer *packet, gint64 monotonic_us,
                      gpointer data)
{
    MeetingBot *bot = data;
    if (kind == MEETING_SECTION_MIC) {
        meeting_listener_push_audio(bot->listener, packet, monotonic_us);
        meeting_sender_echo(bot->sender, packet);
    } else {
        meeting_listener_push_video(bot->listener, packet, monotonic_us);
    }
}

static guint n_audio_streams(MeetingBot *bot)
{
    if (meeting_scenario(bot->meeting)->audio != MEETING_AUDIO_RECEIVER)
        return 0;
    return is_teams(bot) || is_zoom(bot) ? 1 : N_AUDIO_STREAMS;
}

static void make_slots(MeetingBot *bot)
{
    for (guint i = 0; i < n_audio_streams(bot); i++)
        add_slot(bot, MEETING_SECTION_AUDIO, true);
    if (meeting_scenario(bot->meeting)->receivers != MEETING_RECEIVERS_INACTIVE)
        return;
    for (guint i = 0; i < N_INACTIVE_POOL; i++)
        add_slot(bot, MEETING_SECTION_VIDEO, false);
}

static void connect_peer(MeetingBot *bot)
{
    static const MeetingPeerEvents events = {
        .on_signal = on_signal,
        .on_ready = on_ready,
        .on_collections_open = on_collections_open,
        .on_feedback = on_feedback,
        .on_packet = on_packet,
    };
    const MeetingScenario *scenario = meeting_scenario(bot->meeting);
    MeetingPayloadTypes types = {.opus = 111, .vp8 = 96, .vp9 = 98, .h264 = 102};
    types.red = scenario->red ? 63 : 0;
    types.audio_level = scenario->audio_level ? 1 : 0;
    g_autoptr(GError) error = NULL;
    bot->collections_open = false;
    MeetingPeerFlags flags =
        scenario->receivers == MEETING_RECEIVERS_ADD_TRANSCEIVER ? MEETING_PEER_PAGE_OFFERS
        : scenario->receivers == MEETING_RECEIVERS_ADD_TRACK     ? MEETING_PEER_BOTH_WAYS
                                                                 : 0;
    flags |= is_teams(bot) || is_zoom(bot) ? MEETING_PEER_PAGE_CHANNEL : 0;
    bot->peer = meeting_peer_new(&events, bot, &types, flags, &error);
    if (bot->peer == NULL) {
        g_critical("no connection to the bot: %s", error->message);
        return;
    }
    if (bot->slots->len == 0)
        make_slots(bot);
    for (guint i = 0; i < bot->slots->len; i++)
        add_section(bot, g_ptr_array_index(bot->slots, i));
    assign_slots(bot);
    GPtrArray *users = meeting_users(bot->meeting, bot);
    meeting_bot_send_people(bot, users);
    g_ptr_array_unref(users);
    meeting_peer_negotiate(bot->peer);
}

static void disconnect_peer(MeetingBot *bot)
{
    meeting_bot_hush(bot);
    meeting_bot_stop_sound(bot);
    if (bot->sender != NULL)
        meeting_sender_close_all(bot->sender);
    g_clear_pointer(&bot->peer, meeting_peer_free);
    bot->collections_open = false;
    for (guint i = 0; i < bot->slots->len; i++)
        ((Slot *)g_ptr_array_index(bot->slots, i))->section = -1;
}

/* --- the way through the meeting --- */

static void leave(MeetingBot *bot, const char *how)
{
    g_clear_handle_id(&bot->lobby_timer, g_source_remove);
    if (bot->how_left == NULL) {
        bot->how_left = g_strdup(how);
        bot->left_us = g_get_monotonic_time();
        g_message("bot %u (%s): %s", bot->number, bot->name != NULL ? bot->name : "?", how);
    }
    bool was_in_call = bot->state == BOT_IN_CALL;
    bot->state = BOT_GONE;
    disconnect_peer(bot);
    if (was_in_call)
        meeting_note_change(bot->meeting);
}

/* With what stands over the call from its first moment. */
static void tell_admission(MeetingBot *bot)
{
    GPtrArray *dialogs = meeting_scenario(bot->meeting)->page_dialogs;
    g_autoptr(GString) lines = g_string_new(NULL);
    for (guint i = 0; i < dialogs->len; i++)
        g_string_append_printf(lines, "%s%s", i > 0 ? "\n" : "", (char *)dialogs->pdata[i]);
    meeting_bot_send(bot, "admitted", "device", bot->device, "dialogs", lines->str, NULL);
}

static void admit(MeetingBot *bot)
{
    g_message("bot %u (%s): admitted", bot->number, bot->name);
    bot->state = BOT_IN_CALL;
    if (bot->admitted_us == 0)
        bot->admitted_us = g_get_monotonic_time();
    meeting_note_admission(bot->meeting);
    if (bot->sender == NULL) {
        bot->sender =
            meeting_sender_new(meeting_scenario(bot->meeting), meeting_voices(bot->meeting));
        meeting_sender_set_zero(bot->sender, meeting_zero_us(bot->meeting));
    }
    tell_admission(bot);
    connect_peer(bot);
    meeting_note_change(bot->meeting);
}

static void deny(MeetingBot *bot)
{
    bool expired = meeting_scenario(bot->meeting)->lobby_mode == MEETING_LOBBY_EXPIRE;
    meeting_bot_farewell(bot, 5854, false);
    meeting_bot_send(bot, "denied", "why", expired ? "expired" : "denied", NULL);
    leave(bot, "denied");
}

static gboolean on_lobby_over(gpointer data)
{
    MeetingBot *bot = data;
    if (bot->socket == NULL)
        return G_SOURCE_CONTINUE; /* a failed network delays the news */
    bot->lobby_timer = 0;
    MeetingLobbyMode mode = meeting_scenario(bot->meeting)->lobby_mode;
    if (mode == MEETING_LOBBY_DENY || mode == MEETING_LOBBY_EXPIRE)
        deny(bot);
    else
        admit(bot);
    return G_SOURCE_REMOVE;
}

static void knock(MeetingBot *bot, const char *name)
{
    const MeetingScenario *scenario = meeting_scenario(bot->meeting);
    bot->n_knocks++;
    if (bot->state == BOT_IN_CALL || bot->state == BOT_IN_LOBBY)
        return;
    if (bot->state == BOT_GONE) { /* a refusal is final; the report tells of the attempt */
        meeting_bot_send(bot, "denied", NULL);
        return;
    }
    bot->name = (g_free(bot->name), g_strndup(name, 200));
    bot->knocked_us = g_get_monotonic_time();
    g_message("bot %u knocks as %s", bot->number, bot->name);
    if (meeting_has_ended(bot->meeting)) {
        meeting_bot_send(bot, "ended", "why", "not_found", NULL);
        leave(bot, "too_late");
        return;
    }
    if (scenario->lobby_mode == MEETING_LOBBY_NONE) {
        admit(bot);
        return;
    }
    bot->state = BOT_IN_LOBBY;
    bool host_absent = scenario->lobby_mode == MEETING_LOBBY_HOST_ABSENT;
    meeting_bot_send(bot, "lobby", "host", host_absent ? "absent" : "present", NULL);
    if (scenario->lobby_mode == MEETING_LOBBY_IGNORE || scenario->lobby_after_s > 86400 ||
        (host_absent && scenario->lobby_after_s <= 0)) /* the host never comes */
        return;
    bot->lobby_timer = g_timeout_add((guint)(scenario->lobby_after_s * 1000), on_lobby_over, bot);
}

static void send_to_lobby(MeetingBot *bot)
{
    g_message("bot %u (%s): back to the lobby", bot->number, bot->name);
    bot->state = BOT_IN_LOBBY;
    disconnect_peer(bot);
    meeting_bot_send(bot, "lobby", "host", "present", NULL);
    meeting_note_change(bot->meeting);
}

void meeting_bot_admit_again(MeetingBot *bot)
{
    if (bot->state == BOT_IN_LOBBY)
        admit(bot);
}

void meeting_bot_act(MeetingBot *bot, MeetingAction action, const char *name)
{
    switch (action) {
    case MEETING_DO_END_MEETING:
        meeting_bot_farewell(bot, 0, false);
        meeting_bot_send(bot, "ended", "why", "host", NULL);
        leave(bot, "meeting_ended");
        break;
    case MEETING_DO_REMOVE_BOT:
        meeting_bot_farewell(bot, 5300, true);
        meeting_bot_send(bot, "ended", "why", "removed", NULL);
        leave(bot, "removed");
        break;
    case MEETING_DO_DENY_RECORDING:
        meeting_bot_send(bot, "dialog", "name", "deny_recording", NULL);
        break;
    case MEETING_DO_SHOW_DIALOG:
        meeting_bot_send(bot, "dialog", "name", name, NULL);
        break;
    case MEETING_DO_FREEZE_PAGE:
        meeting_bot_send(bot, "freeze", NULL);
        break;
    case MEETING_DO_CRASH_PAGE:
        meeting_bot_send(bot, "crash", NULL);
        break;
    case MEETING_DO_SEND_TO_LOBBY:
        send_to_lobby(bot);
        break;
    case MEETING_DO_ADMIT_BOT:
    case MEETING_DO_MUTE:
    case MEETING_DO_UNMUTE:
    case MEETING_DO_CAMERA_OFF:
    case MEETING_DO_CAMERA_ON:
    case MEETING_DO_DROP_NETWORK:
    case MEETING_DO_RESTORE_NETWORK:
        break; /* concern the meeting, not a page */
    }
}

void meeting_bot_drop_network(MeetingBot *bot)
{
    if (bot->state == BOT_IN_CALL)
        disconnect_peer(bot);
    meeting_bot_drop_trouter(bot);
    /* The socket is cut, not closed: a closing handshake would be news of a network. */
    if (bot->socket != NULL) {
        GIOStream *stream = soup_websocket_connection_get_io_stream(bot->socket);
        g_signal_handlers_disconnect_by_data(bot->socket, bot);
        g_io_stream_close(stream, NULL, NULL);
        g_clear_object(&bot->socket);
    }
}

void meeting_bot_chat(MeetingBot *bot, const MeetingChatMessage *message, const char *name)
{
    meeting_bot_send(bot, "chat", "from", name, "text", message->text, "id", message->id, "device",
                     message->device, NULL);
    if (is_teams(bot) || is_zoom(bot))
        return;
    g_autoptr(GPtrArray) nobody = g_ptr_array_new();
    g_autoptr(GBytes) event = meeting_collections_event(nobody, message, ++bot->sequence);
    if (bot->collections_open)
        meeting_peer_send_collections(bot->peer, event);
    else
        g_ptr_array_add(bot->unsent_chat, g_bytes_ref(event));
}

/* --- messages from the page --- */

static const char *get(JsonObject *message, const char *key)
{
    JsonNode *node = json_object_get_member(message, key);
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                   json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : "";
}

static void on_page_chat(MeetingBot *bot, const char *text)
{
    if (strlen(text) > MAX_CHAT_BYTES)
        return;
    note(bot, bot->chat, text);
    g_autofree char *id = g_uuid_string_random();
    MeetingChatMessage message = {id, bot->device, g_get_real_time(), text};
    GPtrArray *bots = meeting_bots(bot->meeting);
    for (guint i = 0; i < bots->len; i++) {
        if (meeting_bot_in_call(g_ptr_array_index(bots, i)))
            meeting_bot_chat(g_ptr_array_index(bots, i), &message, bot->name);
    }
}

static void on_page_description(MeetingBot *bot, const char *sdp)
{
    g_autoptr(GError) error = NULL;
    if (bot->peer != NULL && !meeting_peer_set_description(bot->peer, sdp, &error))
        g_warning("bot %u: %s", bot->number, error->message);
}

static void on_page_device(MeetingBot *bot, const char *state)
{
    note(bot, bot->mic, state);
    if (g_str_equal(state, "mic on"))
        meeting_listener_resume(bot->listener);
}

static void on_page_incoming_video(MeetingBot *bot, const char *state)
{
    bot->audio_only = g_str_equal(state, "off");
    note(bot, bot->mic, bot->audio_only ? "incoming video off" : "incoming video on");
    meeting_bot_update(bot);
}

static void handle(MeetingBot *bot, JsonObject *message)
{
    const char *type = get(message, "t");
    if (g_str_equal(type, "knock"))
        knock(bot, get(message, "name"));
    else if (g_str_equal(type, "answer") || g_str_equal(type, "offer"))
        on_page_description(bot, get(message, "sdp"));
    else if (g_str_equal(type, "chat") && bot->state == BOT_IN_CALL)
        on_page_chat(bot, get(message, "text"));
    else if (g_str_equal(type, "mic"))
        on_page_device(bot, get(message, "state"));
    else if (g_str_equal(type, "passcode"))
        meeting_bot_send(bot, "passcode", "state", meeting_bot_judge_passcode(get(message, "text")),
                         NULL);
    else if (g_str_equal(type, "incoming_video") && bot->state == BOT_IN_CALL)
        on_page_incoming_video(bot, get(message, "state"));
    else if (g_str_equal(type, "dialog"))
        note(bot, bot->dialogs, get(message, "what"));
    else if (g_str_equal(type, "leave"))
        leave(bot, "left");
    else if (g_str_equal(type, "captions"))
        meeting_bot_turn_captions_on(bot);
    else if (g_str_equal(type, "log"))
        g_info("page of bot %u: %s", bot->number, get(message, "text"));
}

static void on_message(SoupWebsocketConnection *socket, gint type, GBytes *bytes, gpointer data)
{
    gsize length;
    const char *text = g_bytes_get_data(bytes, &length);
    g_autoptr(JsonParser) parser = json_parser_new();
    if (type != SOUP_WEBSOCKET_DATA_TEXT ||
        !json_parser_load_from_data(parser, text, (gssize)length, NULL) ||
        !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser)))
        return;
    handle(data, json_node_get_object(json_parser_get_root(parser)));
}

static void on_closed(SoupWebsocketConnection *socket, gpointer data)
{
    MeetingBot *bot = data;
    if (socket != bot->socket)
        return;
    g_signal_handlers_disconnect_by_data(bot->socket, bot);
    g_clear_object(&bot->socket);
    bot->gone = true;
    leave(bot, bot->state == BOT_IN_CALL ? "disconnected" : "page_closed");
    meeting_note_change(bot->meeting);
}

void meeting_bot_attach(MeetingBot *bot, SoupWebsocketConnection *socket)
{
    if (bot->socket != NULL) {
        g_signal_handlers_disconnect_by_data(bot->socket, bot);
        soup_websocket_connection_close(bot->socket, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, NULL);
        g_clear_object(&bot->socket);
    }
    bot->socket = g_object_ref(socket);
    soup_websocket_connection_set_max_incoming_payload_size(socket, 4 * 1024 * 1024);
    g_signal_connect(socket, "message", G_CALLBACK(on_message), bot);
    g_signal_connect(socket, "closed", G_CALLBACK(on_closed), bot);
    meeting_bot_send(bot, "welcome", "token", bot->token, NULL);
    if (bot->state == BOT_IN_CALL && bot->peer == NULL) { /* back from a network failure */
        meeting_bot_send(bot, "admitted", "device", bot->device, NULL);
        connect_peer(bot);
    }
}

/* --- construction --- */

MeetingBot *meeting_bot_new(Meeting *meeting, guint number)
{
    MeetingBot *bot = g_new0(MeetingBot, 1);
    bot->meeting = meeting;
    bot->number = number;
    bot->token = g_uuid_string_random();
    bot->device = meeting_device_name(meeting, 900 + (int)number);
    bot->slots = g_ptr_array_new_with_free_func(slot_free);
    bot->known = g_ptr_array_new_with_free_func((GDestroyNotify)meeting_user_free);
    bot->chat = g_ptr_array_new_with_free_func(note_free);
    bot->unsent_chat = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    bot->mic = g_ptr_array_new_with_free_func(note_free);
    bot->dialogs = g_ptr_array_new_with_free_func(note_free);
    g_autofree char *wav = NULL;
    const char *report = meeting_report_path(meeting);
    if (report != NULL) {
        g_autofree char *folder = g_path_get_dirname(report);
        g_autofree char *name = g_strdup_printf("bot-%u.wav", number);
        wav = g_build_filename(folder, name, NULL);
    }
    bot->listener = meeting_listener_new(wav);
    return bot;
}

void meeting_bot_free(MeetingBot *bot)
{
    g_clear_handle_id(&bot->lobby_timer, g_source_remove);
    if (bot->socket != NULL) {
        g_signal_handlers_disconnect_by_data(bot->socket, bot);
        soup_websocket_connection_close(bot->socket, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, NULL);
        g_clear_object(&bot->socket);
    }
    meeting_bot_drop_trouter(bot);
    disconnect_peer(bot);
    meeting_sender_free(bot->sender);
    meeting_listener_free(bot->listener);
    g_ptr_array_unref(bot->slots);
    g_ptr_array_unref(bot->known);
    g_ptr_array_unref(bot->chat);
    g_ptr_array_unref(bot->unsent_chat);
    g_ptr_array_unref(bot->mic);
    g_ptr_array_unref(bot->dialogs);
    g_free(bot->how_left);
    g_free(bot->shown_speaking);
    g_free(bot->token);
    g_free(bot->device);
    g_free(bot->name);
    g_free(bot);
}

const char *meeting_bot_token(MeetingBot *bot)
{
    return bot->token;
}

const char *meeting_bot_device(MeetingBot *bot)
{
    return bot->device;
}

const char *meeting_bot_name(MeetingBot *bot)
{
    return bot->name;
}

bool meeting_bot_in_call(MeetingBot *bot)
{
    return bot->state == BOT_IN_CALL;
}

bool meeting_bot_is_connected(MeetingBot *bot)
{
    return bot->socket != NULL;
}

bool meeting_bot_is_gone(MeetingBot *bot)
{
    return bot->gone;
}
