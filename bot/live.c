/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/live.h"

#include "bot/speech_player.h"
#include "streaming/client.h"

#define SPEAKERS_EVERY_MS 50 /* at most 20 messages a second */

struct BotLive {
    const BotConfig *config; /* borrowed */
    BotRoster *roster;       /* borrowed */
    BotLiveEvents events;
    gpointer user_data;
    StreamingClient *client; /* owned; NULL: nobody listens or supplies speech. Thread safe */
    BotSpeechPlayer *player; /* owned */
    guint speakers_id;       /* a list is due */
    int64_t speakers_sent_us;
    char *speakers_key; /* owned: what was sent last, to send changes only */
};

static void warn(BotLive *live, const char *code, const char *message)
{
    live->events.on_warning(code, message, live->user_data);
}

/* --- who speaks --- */

/* Everybody once: who shares a voice is listed with it. */
static bool is_listed(const BotPerson *person)
{
    return person->present && person->name[0] != '\0' && person->room_id == 0;
}

static void send_speakers(BotLive *live)
{
    guint n = bot_roster_length(live->roster);
    g_autofree StreamingSpeaker *speakers = g_new0(StreamingSpeaker, n + 1);
    g_autoptr(GString) key = g_string_new(NULL);
    gsize n_listed = 0;
    for (guint i = 0; i < n; i++) {
        const BotPerson *person = bot_roster_nth(live->roster, i);
        if (is_listed(person)) {
            speakers[n_listed++] = (StreamingSpeaker){person->name, person->id, person->speaking};
            g_string_append_printf(key, "%u%c%s\n", person->id, person->speaking ? '+' : '-',
                                   person->name);
        }
    }
    if (n_listed == 0 || g_strcmp0(key->str, live->speakers_key) == 0) {
        return;
    }
    g_free(live->speakers_key);
    live->speakers_key = g_string_free(g_steal_pointer(&key), FALSE);
    live->speakers_sent_us = g_get_monotonic_time();
    streaming_client_set_speakers(live->client, speakers, n_listed, g_get_real_time() / 1000);
}

static gboolean on_speakers_due(gpointer user_data)
{
    BotLive *live = user_data;
    live->speakers_id = 0;
    send_speakers(live);
    return G_SOURCE_REMOVE;
}

void bot_live_report_speakers(BotLive *live)
{
    if (live->client == NULL || live->speakers_id != 0) {
        return;
    }
    int64_t since_ms = (g_get_monotonic_time() - live->speakers_sent_us) / 1000;
    if (since_ms >= SPEAKERS_EVERY_MS) {
        send_speakers(live);
    } else {
        live->speakers_id =
            g_timeout_add((guint)(SPEAKERS_EVERY_MS - since_ms), on_speakers_due, live);
    }
}

void bot_live_name_participant(BotLive *live, uint32_t id, const char *platform_id)
{
    if (live->client != NULL) {
        streaming_client_name_participant(live->client, id, platform_id);
    }
}

/* --- the meeting's audio --- */

void bot_live_push_mix(BotLive *live, const int16_t *samples, size_t n_samples,
                       uint64_t first_sample)
{
    int64_t length_us = (int64_t)n_samples * G_USEC_PER_SEC / live->config->stream_rate_hz;
    StreamingBlock block = {
        .samples = samples,
        .n_samples = n_samples,
        .first_sample = first_sample,
        .capture_unix_us = g_get_real_time() - length_us,
        .is_mix = true,
    };
    streaming_client_push(live->client, &block);
}

void bot_live_push_voice(BotLive *live, uint32_t source, uint32_t participant_id,
                         const int16_t *samples, size_t n_samples, uint64_t first_sample,
                         int64_t at_ns)
{
    StreamingBlock block = {
        .samples = samples,
        .n_samples = n_samples,
        .first_sample = first_sample,
        .capture_unix_us = g_get_real_time() - (g_get_monotonic_time() - at_ns / 1000),
        .participant_id = participant_id,
        .source = source,
    };
    streaming_client_push(live->client, &block);
}

/* --- the sockets --- */

static void on_connection(const char *url, bool connected, const char *reason, gpointer user_data)
{
    if (connected) {
        g_info("live socket open");
        return;
    }
    g_autofree char *message =
        g_strdup_printf("A live socket is away (%s); it is dialled again.", reason);
    warn(user_data, "streaming_disconnected", message);
}

static void on_socket_speech(gpointer user_data)
{
    BotLive *live = user_data;
    bot_speech_player_wake(live->player);
}

static void on_flush(gpointer user_data)
{
    BotLive *live = user_data;
    bot_speech_player_stop(live->player);
}

static void on_dropped(uint64_t n_frames, uint64_t n_speech, gpointer user_data)
{
    if (n_frames > 0) {
        g_autofree char *message = g_strdup_printf(
            "The consumer of the live audio was away or is too slow: %" G_GUINT64_FORMAT
            " messages dropped.",
            n_frames);
        warn(user_data, "streaming_dropped", message);
    }
    if (n_speech > 0) {
        g_autofree char *message = g_strdup_printf(
            "More than three minutes of speech waited: %" G_GUINT64_FORMAT " samples dropped.",
            n_speech);
        warn(user_data, "speech_dropped", message);
    }
}

static StreamingClient *dial(BotLive *live, GError **error)
{
    static const StreamingEvents events = {
        .on_connection = on_connection,
        .on_speech = on_socket_speech,
        .on_flush = on_flush,
        .on_dropped = on_dropped,
    };
    const BotConfig *config = live->config;
    StreamingConfig streaming = {
        .bot_id = config->bot_id,
        .input = config->stream_input,
        .output = config->stream_output,
        .service_directions = config->stream_service_directions,
        .rate_hz = config->stream_rate_hz,
        .headers = config->stream_headers,
        .token = config->stream_token,
        .format = config->stream_attendee ? STREAMING_FORMAT_ATTENDEE : STREAMING_FORMAT_RAW,
        .per_participant = config->stream_per_participant,
        .replay_s = config->stream_replay_s,
    };
    return streaming_client_new(&streaming, &events, live, error);
}

/* --- the bot's own speech --- */

static gsize player_pull(int16_t *ret_samples, gsize max_samples, uint32_t *ret_rate_hz,
                         gpointer user_data)
{
    BotLive *live = user_data;
    return live->client != NULL
               ? streaming_client_pop_speech(live->client, ret_samples, max_samples, ret_rate_hz)
               : 0;
}

static void player_set_microphone(bool open, gpointer user_data)
{
    BotLive *live = user_data;
    live->events.set_microphone(open, live->user_data);
}

static void player_play(const int16_t *samples, gsize n_samples, gpointer user_data)
{
    BotLive *live = user_data;
    live->events.play(samples, n_samples, live->user_data);
}

static void player_stop(gpointer user_data)
{
    BotLive *live = user_data;
    live->events.stop(live->user_data);
}

static void player_started(gpointer user_data)
{
    BotLive *live = user_data;
    live->events.on_speech_started(live->user_data);
}

static void player_finished(double said_s, bool interrupted, gpointer user_data)
{
    BotLive *live = user_data;
    live->events.on_speech_finished(said_s, interrupted, live->user_data);
}

static void player_warning(const char *code, const char *message, gpointer user_data)
{
    warn(user_data, code, message);
}

static const BotSpeechPlayerEvents player_events = {
    .pull = player_pull,
    .set_microphone = player_set_microphone,
    .play = player_play,
    .stop = player_stop,
    .on_started = player_started,
    .on_finished = player_finished,
    .on_warning = player_warning,
};

void bot_live_set_joined(BotLive *live, bool joined)
{
    bot_speech_player_set_joined(live->player, joined);
}

void bot_live_microphone(BotLive *live, bool open)
{
    bot_speech_player_microphone(live->player, open);
}

bool bot_live_speak(BotLive *live, const int16_t *samples, gsize n_samples, uint32_t rate_hz)
{
    return bot_speech_player_queue(live->player, samples, n_samples, rate_hz);
}

void bot_live_stop_speaking(BotLive *live)
{
    if (live->client != NULL) {
        streaming_client_flush_speech(live->client);
    }
    bot_speech_player_stop(live->player);
}

/* --- making and freeing --- */

BotLive *bot_live_new(const BotConfig *config, BotRoster *roster, const BotLiveEvents *events,
                      gpointer user_data, GError **error)
{
    g_autoptr(BotLive) live = g_new0(BotLive, 1);
    live->config = config;
    live->roster = roster;
    live->events = *events;
    live->user_data = user_data;
    live->player = bot_speech_player_new(&player_events, live);
    if (bot_config_is_listened(config) && (live->client = dial(live, error)) == NULL) {
        return NULL;
    }
    return g_steal_pointer(&live);
}

void bot_live_free(BotLive *live)
{
    g_clear_handle_id(&live->speakers_id, g_source_remove);
    g_clear_pointer(&live->player, bot_speech_player_free);
    g_clear_pointer(&live->client, streaming_client_free);
    g_free(live->speakers_key);
    g_free(live);
}
