// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/bot_teams.h"

#include "tests/meeting/bot_page.h"
#include "tests/meeting/mix.h"
#include "tests/meeting/quirks.h"
#include "tests/meeting/teams.h"

#include <string.h>

#define LOOK_MS 50
#define CAPTION_EVERY 6 /* looks */

static bool is_open(SoupWebsocketConnection *socket)
{
    return socket != NULL &&
           soup_websocket_connection_get_state(socket) == SOUP_WEBSOCKET_STATE_OPEN;
}

static void on_trouter_closed(SoupWebsocketConnection *socket, gpointer data)
{
    MeetingBot *bot = data;
    if (socket == bot->trouter)
        g_clear_object(&bot->trouter);
}

void meeting_bot_drop_trouter(MeetingBot *bot)
{
    if (bot->trouter == NULL)
        return;
    g_signal_handlers_disconnect_by_data(bot->trouter, bot);
    g_io_stream_close(soup_websocket_connection_get_io_stream(bot->trouter), NULL, NULL);
    g_clear_object(&bot->trouter);
}

void meeting_bot_attach_trouter(MeetingBot *bot, SoupWebsocketConnection *socket)
{
    meeting_bot_drop_trouter(bot);
    bot->trouter = g_object_ref(socket);
    g_signal_connect(socket, "closed", G_CALLBACK(on_trouter_closed), bot);
    soup_websocket_connection_send_text(socket, "1::");
    g_ptr_array_set_size(bot->known, 0);
    meeting_bot_update(bot);
}

/* One that the same account was in. */
static void end_another_call(MeetingBot *bot)
{
    g_autofree char *frame =
        meeting_teams_end(0, NULL, NULL, "00000000-0000-4000-8000-0000000000bb");
    soup_websocket_connection_send_text(bot->trouter, frame);
}

bool meeting_bot_send_roster(MeetingBot *bot, GPtrArray *users)
{
    if (!is_open(bot->trouter))
        return false;
    if (meeting_scenario(bot->meeting)->no_roster)
        return true;
    bool first = bot->known->len == 0;
    g_autofree char *frame = meeting_teams_update(users, bot->known);
    if (frame != NULL && !(first && meeting_scenario(bot->meeting)->roster_snapshot))
        soup_websocket_connection_send_text(bot->trouter, frame);
    if (first && meeting_has_quirk(meeting_scenario(bot->meeting), "other_call"))
        end_another_call(bot);
    return true;
}

static const MeetingPerson *find_host(MeetingBot *bot)
{
    GPtrArray *people = meeting_scenario(bot->meeting)->people;
    for (guint i = 0; i < people->len; i++) {
        const MeetingPerson *person = g_ptr_array_index(people, i);
        if (person->host)
            return person;
    }
    return NULL;
}

void meeting_bot_farewell(MeetingBot *bot, int sub_code, bool by_host)
{
    const MeetingScenario *scenario = meeting_scenario(bot->meeting);
    if (scenario->platform != MEETING_PLATFORM_TEAMS || scenario->no_farewell ||
        !is_open(bot->trouter))
        return;
    const MeetingPerson *host = by_host ? find_host(bot) : NULL;
    g_autofree char *id =
        host != NULL ? meeting_device_name(bot->meeting, 100 + host->number) : NULL;
    g_autofree char *frame =
        meeting_teams_end(sub_code, id, host != NULL ? host->name : NULL, MEETING_TEAMS_CALL);
    soup_websocket_connection_send_text(bot->trouter, frame);
}

// --- who speaks ---

/* Whoever began dominates until they stop. */
static void note_dominant(MeetingBot *bot, const guint32 *speaking, guint n)
{
    for (guint i = 0; i < n; i++) {
        if (bot->n_dominant > 0 && speaking[i] == bot->dominant[0])
            return;
    }
    if (n == 0)
        return;
    guint32 history[MEETING_MAX_DOMINANT] = {speaking[0]};
    guint used = 1;
    for (guint i = 0; i < bot->n_dominant && used < MEETING_MAX_DOMINANT; i++) {
        if (bot->dominant[i] != speaking[0])
            history[used++] = bot->dominant[i];
    }
    memcpy(bot->dominant, history, sizeof history);
    bot->n_dominant = used;
    g_autoptr(GBytes) message = meeting_teams_dominant(history, used);
    meeting_peer_send_collections(bot->peer, message);
}

static gboolean look_for_speakers(gpointer data)
{
    MeetingBot *bot = data;
    const MeetingScenario *scenario = meeting_scenario(bot->meeting);
    GPtrArray *sources = meeting_sources(bot->meeting);
    gint64 now_us = (gint64)(meeting_now_s(bot->meeting) * 1e6);
    guint32 speaking[MEETING_MAX_DOMINANT];
    guint n = 0;
    bool captions = scenario->tells == MEETING_TELLS_CAPTIONS && bot->captions_on &&
                    ++bot->n_looks % CAPTION_EVERY == 0;
    for (guint i = 0; i < sources->len && n < MEETING_MAX_DOMINANT; i++) {
        const MeetingSource *source = g_ptr_array_index(sources, i);
        if (!meeting_mix_contributes(scenario, source, now_us, 0))
            continue;
        speaking[n++] = source->csrc;
        if (captions) {
            g_autofree char *id = meeting_device_name(bot->meeting, 100 + source->person->number);
            g_autoptr(GBytes) message = meeting_teams_caption(id, "and so on", false);
            meeting_peer_send_collections(bot->peer, message);
        }
    }
    bool teams = scenario->platform == MEETING_PLATFORM_TEAMS;
    if (teams && scenario->tells <= MEETING_TELLS_DOMINANT)
        note_dominant(bot, speaking, n);
    else if (!teams || scenario->tells == MEETING_TELLS_PAGE)
        meeting_bot_show_speaking(bot, speaking, n);
    return G_SOURCE_CONTINUE;
}

void meeting_bot_tell_speakers(MeetingBot *bot)
{
    if (bot->look_timer == 0)
        bot->look_timer = g_timeout_add(LOOK_MS, look_for_speakers, bot);
}

void meeting_bot_hush(MeetingBot *bot)
{
    g_clear_handle_id(&bot->look_timer, g_source_remove);
    bot->n_dominant = 0;
}

void meeting_bot_turn_captions_on(MeetingBot *bot)
{
    bot->captions_on = true;
}
