// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/bot_zoom.h"

#include <string.h>

#define TICK_MS 5
/* After a pause of the program, or of the network, older sound is not sent. */
#define MAX_LATE_US 200000

static void send_packet(MeetingBot *bot, GBytes *packet, gint64 at_us)
{
    gsize length;
    const void *data = g_bytes_get_data(packet, &length);
    guint64 stamp = GUINT64_TO_LE((guint64)at_us);
    guint8 *message = g_malloc(sizeof stamp + length);
    memcpy(message, &stamp, sizeof stamp);
    memcpy(message + sizeof stamp, data, length);
    g_autoptr(GBytes) bytes = g_bytes_new_take(message, sizeof stamp + length);
    if (meeting_scenario(bot->meeting)->platform == MEETING_PLATFORM_ZOOM)
        meeting_peer_send_collections(bot->peer, bytes);
    else if (bot->socket != NULL) /* Meet's channel is for other things */
        soup_websocket_connection_send_message(bot->socket, SOUP_WEBSOCKET_DATA_BINARY, bytes);
}

/* Sends what is due of one stretch: packets later than @from_us, up to @to_us. */
static void send_run(MeetingBot *bot, const MeetingRun *run, gint64 from_us, gint64 to_us)
{
    gint64 first = MAX(0, (from_us - run->start_us) / MEETING_PACKET_US);
    for (gint64 i = first; i < run->packets->len; i++) {
        gint64 at_us = run->start_us + i * MEETING_PACKET_US;
        if (at_us > to_us)
            return;
        if (at_us > from_us)
            send_packet(bot, g_ptr_array_index(run->packets, (guint)i), at_us);
    }
}

static gboolean on_tick(gpointer data)
{
    MeetingBot *bot = data;
    gint64 now_us = (gint64)(meeting_now_s(bot->meeting) * 1e6);
    gint64 from_us = MAX(bot->sound_us, now_us - MAX_LATE_US);
    GPtrArray *voices = meeting_voices(bot->meeting);
    for (guint i = 0; i < voices->len; i++) {
        const MeetingSource *source = g_ptr_array_index(voices, i);
        for (guint k = 0; k < source->runs->len; k++)
            send_run(bot, g_ptr_array_index(source->runs, k), from_us, now_us);
    }
    bot->sound_us = now_us;
    return G_SOURCE_CONTINUE;
}

void meeting_bot_start_sound(MeetingBot *bot)
{
    if (bot->sound_timer == 0)
        bot->sound_timer = g_timeout_add(TICK_MS, on_tick, bot);
}

void meeting_bot_stop_sound(MeetingBot *bot)
{
    g_clear_handle_id(&bot->sound_timer, g_source_remove);
}

const char *meeting_bot_judge_passcode(const char *text)
{
    return g_str_equal(text, MEETING_ZOOM_PASSCODE) ? "right" : "wrong";
}
