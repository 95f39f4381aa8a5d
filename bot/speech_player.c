/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/speech_player.h"

#include "media/resampler.h"

#define OUT_HZ 48000u
#define TICK_MS 10u
#define LEAD_MS 60              /* how far ahead of real time the page is kept */
#define PREBUFFER_MS 40         /* collected before speech begins or resumes */
#define PREBUFFER_WAIT_US 80000 /* a short word is said even if no more comes */
#define CLOSE_AFTER_US 500000   /* quiet before the microphone closes */
#define OPEN_WITHIN_US (3 * G_USEC_PER_SEC)
#define MAX_QUEUED_SAMPLES (180u * OUT_HZ)
#define PULL_SAMPLES 4800u
#define PULLED_AHEAD                                                                               \
    OUT_HZ              /* the rest waits at its source, which is bounded and can be emptied       \
                         */
#define PAGE_LEAD_MS 20 /* the page begins that much after its first block */

typedef enum { STATE_IDLE, STATE_OPENING, STATE_FILLING, STATE_SPEAKING } PlayerState;

struct BotSpeechPlayer {
    BotSpeechPlayerEvents events;
    gpointer user_data;
    MediaResampler *resampler; /* owned: source to 48 kHz, keeps its state through a speech */
    uint32_t source_rate_hz;   /* what it is made for */
    GArray *queue;             /* owned: int16_t at 48 kHz */
    PlayerState state;
    bool joined;
    bool microphone_open;
    guint tick_id;
    int64_t since_us;   /* of the state */
    int64_t quiet_us;   /* since when nothing waits; -1 while something does */
    int64_t started_us; /* of the current run of speech */
    uint64_t n_played;  /* samples in it */
    bool speaking;      /* on_started was told, on_finished not yet */
    bool tail_kept;     /* the resampler still holds the end of what was said */
};

BotSpeechPlayer *bot_speech_player_new(const BotSpeechPlayerEvents *events, gpointer user_data)
{
    BotSpeechPlayer *player = g_new0(BotSpeechPlayer, 1);
    player->events = *events;
    player->user_data = user_data;
    player->source_rate_hz = OUT_HZ;
    player->resampler = media_resampler_new(OUT_HZ, OUT_HZ);
    player->queue = g_array_new(FALSE, FALSE, sizeof(int16_t));
    return player;
}

void bot_speech_player_free(BotSpeechPlayer *player)
{
    g_clear_handle_id(&player->tick_id, g_source_remove);
    media_resampler_free(player->resampler);
    g_array_unref(player->queue);
    g_free(player);
}

static void enter(BotSpeechPlayer *player, PlayerState state)
{
    player->state = state;
    player->since_us = g_get_monotonic_time();
}

static void set_source_rate(BotSpeechPlayer *player, uint32_t rate_hz)
{
    if (rate_hz == player->source_rate_hz) {
        return;
    }
    media_resampler_drain(player->resampler, player->queue);
    media_resampler_free(player->resampler);
    player->resampler = media_resampler_new(rate_hz, OUT_HZ);
    player->source_rate_hz = rate_hz;
}

static void pull_source(BotSpeechPlayer *player)
{
    int16_t block[PULL_SAMPLES];
    uint32_t rate_hz;
    gsize n;
    while (player->queue->len < PULLED_AHEAD &&
           (n = player->events.pull(block, PULL_SAMPLES, &rate_hz, player->user_data)) > 0) {
        set_source_rate(player, rate_hz);
        media_resampler_push(player->resampler, block, n, player->queue);
        player->tail_kept = true;
    }
}

static void begin_speaking(BotSpeechPlayer *player)
{
    enter(player, STATE_SPEAKING);
    player->started_us = player->since_us;
    player->n_played = 0;
    player->speaking = true;
    player->events.on_started(player->user_data);
}

/* What the page was given less what it cannot have played yet. */
static void finish_speaking(BotSpeechPlayer *player, bool interrupted)
{
    if (!player->speaking) {
        return;
    }
    int64_t elapsed_us = g_get_monotonic_time() - player->started_us - PAGE_LEAD_MS * 1000;
    double given_s = (double)player->n_played / OUT_HZ;
    double said_s = interrupted ? CLAMP((double)elapsed_us / G_USEC_PER_SEC, 0, given_s) : given_s;
    player->speaking = false;
    player->events.on_finished(said_s, interrupted, player->user_data);
}

static void play_due(BotSpeechPlayer *player, int64_t now_us)
{
    uint64_t due =
        (uint64_t)(now_us - player->started_us + LEAD_MS * 1000) * OUT_HZ / G_USEC_PER_SEC;
    gsize n = due > player->n_played ? (gsize)(due - player->n_played) : 0;
    n = MIN(n, player->queue->len);
    if (n > 0) {
        player->events.play((const int16_t *)(void *)player->queue->data, n, player->user_data);
        g_array_remove_range(player->queue, 0, (guint)n);
        player->n_played += n;
    }
}

static void close_microphone(BotSpeechPlayer *player)
{
    enter(player, STATE_IDLE);
    g_clear_handle_id(&player->tick_id, g_source_remove);
    media_resampler_reset(player->resampler);
    player->events.set_microphone(false, player->user_data);
}

static void tick_opening(BotSpeechPlayer *player, int64_t now_us)
{
    if (player->microphone_open) {
        enter(player, STATE_FILLING);
    } else if (now_us - player->since_us > OPEN_WITHIN_US) {
        player->events.on_warning("microphone_not_opened",
                                  "The meeting did not open the microphone within 3 s; the speech "
                                  "may not be heard.",
                                  player->user_data);
        enter(player, STATE_FILLING);
    }
}

static void tick_filling(BotSpeechPlayer *player, int64_t now_us)
{
    bool enough = player->queue->len >= PREBUFFER_MS * OUT_HZ / 1000;
    bool waited = player->queue->len > 0 && now_us - player->since_us > PREBUFFER_WAIT_US;
    if (enough || waited) {
        begin_speaking(player);
    }
}

static gboolean on_tick(gpointer user_data)
{
    BotSpeechPlayer *player = user_data;
    int64_t now_us = g_get_monotonic_time();
    pull_source(player);
    if (player->queue->len > 0) {
        player->quiet_us = -1;
    } else if (player->quiet_us < 0) {
        player->quiet_us = now_us;
    }
    if (player->state == STATE_OPENING) {
        tick_opening(player, now_us);
    }
    if (player->state == STATE_FILLING) {
        tick_filling(player, now_us);
    }
    if (player->state == STATE_SPEAKING) {
        play_due(player, now_us);
        uint64_t until_us =
            (uint64_t)player->started_us + player->n_played * G_USEC_PER_SEC / OUT_HZ;
        bool dry = player->queue->len == 0;
        if (dry && player->tail_kept) {
            media_resampler_drain(player->resampler, player->queue);
            player->tail_kept = false;
        } else if (dry && (uint64_t)now_us >= until_us) {
            enter(player, STATE_FILLING); /* ran dry: collect again before going on */
            finish_speaking(player, false);
        }
    }
    if (player->state == STATE_FILLING && player->quiet_us >= 0 &&
        now_us - player->quiet_us > CLOSE_AFTER_US) {
        player->tick_id = 0;
        close_microphone(player);
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

void bot_speech_player_wake(BotSpeechPlayer *player)
{
    if (!player->joined || player->state != STATE_IDLE) {
        return;
    }
    pull_source(player);
    if (player->queue->len == 0) {
        return;
    }
    player->quiet_us = -1;
    enter(player, STATE_OPENING);
    player->tick_id = g_timeout_add(TICK_MS, on_tick, player);
    player->events.set_microphone(true, player->user_data);
}

bool bot_speech_player_queue(BotSpeechPlayer *player, const int16_t *samples, gsize n_samples,
                             uint32_t rate_hz)
{
    if (player->queue->len + n_samples * OUT_HZ / rate_hz > MAX_QUEUED_SAMPLES) {
        return false;
    }
    g_autoptr(MediaResampler) resampler = media_resampler_new(rate_hz, OUT_HZ);
    media_resampler_push(resampler, samples, n_samples, player->queue);
    media_resampler_drain(resampler, player->queue);
    bot_speech_player_wake(player);
    return true;
}

void bot_speech_player_stop(BotSpeechPlayer *player)
{
    g_array_set_size(player->queue, 0);
    media_resampler_reset(player->resampler);
    player->tail_kept = false;
    player->events.stop(player->user_data);
    if (player->state == STATE_SPEAKING) {
        enter(player, STATE_FILLING);
        finish_speaking(player, true);
    }
}

void bot_speech_player_set_joined(BotSpeechPlayer *player, bool joined)
{
    player->joined = joined;
    if (joined) {
        bot_speech_player_wake(player);
    } else if (player->state != STATE_IDLE) {
        g_clear_handle_id(&player->tick_id, g_source_remove);
        g_array_set_size(player->queue, 0);
        enter(player, STATE_IDLE);
        finish_speaking(player, true);
    }
}

void bot_speech_player_microphone(BotSpeechPlayer *player, bool open)
{
    player->microphone_open = open;
}
