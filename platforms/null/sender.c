/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/null/sender.h"

#include "media/tone.h"

#include <glib.h>

#define TRACKS_PER_PERSON 3
#define FIRST_SOURCE 30000u
#define PICTURE_EVERY_US (G_USEC_PER_SEC / 5)
#define PACKET_US (MEDIA_TONE_PACKET_MS * 1000)
#define BACKLOG_US G_USEC_PER_SEC /* after a longer stall what is older is left out */
#define AUDIO_LEVEL 15            /* -15 dBov: a sine of a quarter of full scale */
#define PICTURE_WIDTH 160
#define PICTURE_HEIGHT 90
#define PICTURE_MAX_BYTES 80
#define N_PICTURES 5
#define SCREEN_PICTURE (N_PICTURES - 1)

/* Key frames of one colour each, 160x90, by "ffmpeg -f lavfi -i color=c=C:s=160x90:r=1:d=1
 * -frames:v 1 -c:v libvpx -crf 60 OUT.ivf", C 0x8a4b2d, 0x2d6a8a, 0x3f8a2d, 0x7a2d8a, 0xd8d8d8. */
static const struct {
    guint8 n_bytes;
    guint8 bytes[PICTURE_MAX_BYTES];
} pictures[N_PICTURES] = {
    {79, {0x30, 0x06, 0x00, 0x9d, 0x01, 0x2a, 0xa0, 0x00, 0x5a, 0x00, 0x00, 0x47, 0x08, 0x85,
          0x85, 0x88, 0x99, 0x84, 0x88, 0x02, 0x02, 0x02, 0x75, 0xaa, 0x03, 0xf8, 0x03, 0xf8,
          0x02, 0x06, 0xca, 0x96, 0xa4, 0xe7, 0xaf, 0x46, 0x5e, 0x23, 0x9e, 0xbd, 0x19, 0x78,
          0x8e, 0x7a, 0xf4, 0x65, 0xe2, 0x39, 0xeb, 0xd1, 0x97, 0x88, 0xe7, 0xaf, 0x46, 0x5e,
          0x23, 0x94, 0x00, 0xfe, 0xfb, 0x19, 0xcb, 0xff, 0x63, 0x31, 0xfb, 0x46, 0x7f, 0x92,
          0x57, 0xfe, 0xe7, 0x00, 0xa9, 0x0d, 0x9f, 0xe2, 0x40}},
    {79, {0x30, 0x06, 0x00, 0x9d, 0x01, 0x2a, 0xa0, 0x00, 0x5a, 0x00, 0x00, 0x47, 0x08, 0x85,
          0x85, 0x88, 0x99, 0x84, 0x88, 0x02, 0x02, 0x02, 0x75, 0xaa, 0x03, 0xf8, 0x03, 0xf8,
          0x02, 0x06, 0xca, 0x95, 0xa6, 0x1a, 0xaa, 0x4d, 0x77, 0x10, 0xea, 0xa9, 0x35, 0xdc,
          0x43, 0xaa, 0xa4, 0xd7, 0x71, 0x0e, 0xaa, 0x93, 0x5d, 0xc4, 0x3a, 0xaa, 0x4d, 0x77,
          0x10, 0xde, 0x00, 0xfe, 0xfa, 0xc4, 0x3f, 0xff, 0x60, 0xe9, 0x83, 0x2e, 0x7f, 0x8a,
          0xf7, 0xfe, 0xe3, 0xff, 0xd6, 0x6c, 0xbf, 0xd7, 0xe0}},
    {79, {0x30, 0x06, 0x00, 0x9d, 0x01, 0x2a, 0xa0, 0x00, 0x5a, 0x00, 0x00, 0x47, 0x08, 0x85,
          0x85, 0x88, 0x99, 0x84, 0x88, 0x02, 0x02, 0x02, 0x75, 0xaa, 0x03, 0xf8, 0x03, 0xf8,
          0x02, 0x06, 0xca, 0x95, 0xa6, 0x1a, 0xaa, 0x4d, 0x77, 0x10, 0xea, 0xa9, 0x35, 0xdc,
          0x43, 0xaa, 0xa4, 0xd7, 0x71, 0x0e, 0xaa, 0x93, 0x5d, 0xc4, 0x3a, 0xaa, 0x4d, 0x77,
          0x10, 0xde, 0x00, 0xfe, 0xf6, 0x13, 0x5f, 0xfe, 0xe9, 0xe9, 0x08, 0x1a, 0x3f, 0xe6,
          0x0f, 0xff, 0xb3, 0xb9, 0xb5, 0x52, 0x1f, 0xdb, 0xb8}},
    {80, {0x30, 0x06, 0x00, 0x9d, 0x01, 0x2a, 0xa0, 0x00, 0x5a, 0x00, 0x00, 0x47, 0x08, 0x85,
          0x85, 0x88, 0x99, 0x84, 0x88, 0x02, 0x02, 0x02, 0x75, 0xaa, 0x03, 0xf8, 0x03, 0xf8,
          0x02, 0x06, 0xca, 0x96, 0xa4, 0xe7, 0xaf, 0x46, 0x5e, 0x23, 0x9e, 0xbd, 0x19, 0x78,
          0x8e, 0x7a, 0xf4, 0x65, 0xe2, 0x39, 0xeb, 0xd1, 0x97, 0x88, 0xe7, 0xaf, 0x46, 0x5e,
          0x23, 0x94, 0x00, 0xfe, 0xfd, 0x21, 0x45, 0xff, 0xdc, 0x1b, 0xec, 0x8b, 0x9f, 0xfa,
          0xd1, 0x7f, 0xf6, 0x96, 0x42, 0x15, 0xd7, 0xfc, 0xe7, 0x00}},
    {57, {0x50, 0x05, 0x00, 0x9d, 0x01, 0x2a, 0xa0, 0x00, 0x5a, 0x00, 0x00, 0x47, 0x08, 0x85, 0x85,
          0x88, 0x99, 0x84, 0x88, 0x02, 0x02, 0x00, 0x06, 0x28, 0x0f, 0x08, 0x75, 0x54, 0x9a, 0xee,
          0x21, 0xd5, 0x52, 0x6b, 0xb8, 0x87, 0x55, 0x49, 0xae, 0xe2, 0x1d, 0x55, 0x26, 0xbb, 0x88,
          0x75, 0x54, 0x9a, 0xee, 0x21, 0xbc, 0x00, 0xfe, 0xfe, 0xeb, 0x14, 0x00}},
};

/* What somebody sends: a voice when tone is there, else a picture. */
typedef struct {
    uint32_t track_id;
    uint32_t source;
    const GPtrArray *tone; /* borrowed from the sender's tones */
    GBytes *picture;       /* owned */
    int64_t next_us;       /* monotonic: when the next frame is due */
    int64_t end_us;        /* no frame is due from then on */
    uint16_t sequence;
    guint nth_packet;
} Stream;

struct NullSender {
    NullSendFunc send;
    gpointer user_data;
    unsigned batch_ms;
    GHashTable *tones;   /* Hz to owned GPtrArray of packets */
    GHashTable *streams; /* track id to owned Stream */
    GPtrArray *active;   /* borrowed Stream: those that are on */
    guint tick_id;
};

static void free_stream(gpointer data)
{
    Stream *stream = data;
    g_clear_pointer(&stream->picture, g_bytes_unref);
    g_free(stream);
}

NullSender *null_sender_new(unsigned batch_ms, NullSendFunc send, gpointer user_data)
{
    NullSender *sender = g_new0(NullSender, 1);
    sender->send = send;
    sender->user_data = user_data;
    sender->batch_ms = batch_ms;
    sender->tones = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
    sender->streams = g_hash_table_new_full(NULL, NULL, NULL, free_stream);
    sender->active = g_ptr_array_new();
    return sender;
}

void null_sender_free(NullSender *sender)
{
    null_sender_stop(sender);
    g_ptr_array_unref(sender->active);
    g_hash_table_unref(sender->streams);
    g_hash_table_unref(sender->tones);
    g_free(sender);
}

uint32_t null_sender_voice_source(unsigned person)
{
    return FIRST_SOURCE + person;
}

uint32_t null_sender_voice_track(unsigned person)
{
    return person * TRACKS_PER_PERSON + 1;
}

uint32_t null_sender_picture_track(unsigned person, bool screen)
{
    return person * TRACKS_PER_PERSON + (screen ? 3 : 2);
}

/* --- frames --- */

static MediaEncodedFrame *make_packet(Stream *stream)
{
    GBytes *packet = g_ptr_array_index(stream->tone, stream->nth_packet);
    MediaEncodedFrame *frame = media_encoded_frame_new(MEDIA_CODEC_OPUS, g_bytes_ref(packet));
    stream->nth_packet = (stream->nth_packet + 1) % stream->tone->len;
    /* Silence between two stretches counts, too; packets stand on one grid of 20 ms. */
    frame->rtp_timestamp = (uint32_t)(stream->next_us / PACKET_US * PACKET_US * 48 / 1000);
    frame->sequence = stream->sequence++;
    frame->audio_level = AUDIO_LEVEL;
    frame->n_csrcs = 1;
    frame->csrcs[0] = stream->source;
    return frame;
}

static MediaEncodedFrame *make_picture(Stream *stream)
{
    MediaEncodedFrame *frame =
        media_encoded_frame_new(MEDIA_CODEC_VP8, g_bytes_ref(stream->picture));
    frame->rtp_timestamp = (uint32_t)(stream->next_us * 90 / 1000);
    frame->key_frame = true;
    frame->width = PICTURE_WIDTH;
    frame->height = PICTURE_HEIGHT;
    return frame;
}

/* False when the sender is gone. */
static bool send_due(NullSender *sender, Stream *stream, int64_t now_us)
{
    while (stream->next_us <= now_us && stream->next_us < stream->end_us) {
        g_autoptr(MediaEncodedFrame) frame =
            stream->tone != NULL ? make_packet(stream) : make_picture(stream);
        frame->track_id = stream->track_id;
        frame->ssrc = stream->track_id;
        frame->receive_ns = stream->next_us * 1000;
        stream->next_us += stream->tone != NULL ? PACKET_US : PICTURE_EVERY_US;
        if (!sender->send(frame, sender->user_data)) {
            return false;
        }
    }
    return true;
}

static void update_timer(NullSender *sender);

static gboolean on_tick(gpointer user_data)
{
    NullSender *sender = user_data;
    int64_t now_us = g_get_monotonic_time();
    for (guint i = sender->active->len; i > 0 && i <= sender->active->len; i--) {
        Stream *stream = g_ptr_array_index(sender->active, i - 1);
        stream->next_us = MAX(stream->next_us, now_us - BACKLOG_US);
        if (!send_due(sender, stream, now_us)) {
            return G_SOURCE_REMOVE;
        }
        if (stream->end_us <= now_us) {
            g_ptr_array_remove(sender->active, stream);
        }
    }
    update_timer(sender);
    return G_SOURCE_CONTINUE;
}

/* --- who sends --- */

static Stream *get_stream(NullSender *sender, uint32_t track_id)
{
    Stream *stream = g_hash_table_lookup(sender->streams, GUINT_TO_POINTER(track_id));
    if (stream == NULL) {
        stream = g_new0(Stream, 1);
        stream->track_id = track_id;
        g_hash_table_insert(sender->streams, GUINT_TO_POINTER(track_id), stream);
    }
    return stream;
}

static void set_stream(NullSender *sender, Stream *stream, int64_t from_us, int64_t to_us)
{
    if (to_us <= from_us) {
        stream->end_us = MIN(stream->end_us, from_us);
        return; /* on_tick sends the rest and takes it out */
    }
    if (stream->end_us <= from_us) {
        stream->next_us = MAX(stream->next_us, from_us);
    }
    stream->end_us = to_us;
    g_ptr_array_remove(sender->active, stream);
    g_ptr_array_add(sender->active, stream);
    update_timer(sender);
}

static void update_timer(NullSender *sender)
{
    if (sender->active->len == 0) {
        g_clear_handle_id(&sender->tick_id, g_source_remove);
    } else if (sender->tick_id == 0) {
        sender->tick_id = g_timeout_add(sender->batch_ms, on_tick, sender);
    }
}

static const GPtrArray *get_tone(NullSender *sender, unsigned hz)
{
    GPtrArray *tone = g_hash_table_lookup(sender->tones, GUINT_TO_POINTER(hz));
    if (tone == NULL) {
        tone = media_tone_new(hz);
        g_hash_table_insert(sender->tones, GUINT_TO_POINTER(hz), tone);
    }
    return tone;
}

void null_sender_set_voice(NullSender *sender, unsigned person, unsigned hz, int64_t from_us,
                           int64_t to_us)
{
    Stream *stream = get_stream(sender, null_sender_voice_track(person));
    stream->source = null_sender_voice_source(person);
    if (hz > 0) {
        stream->tone = get_tone(sender, hz);
    }
    set_stream(sender, stream, from_us, hz > 0 ? to_us : from_us);
}

void null_sender_set_picture(NullSender *sender, unsigned person, bool screen, bool on,
                             int64_t from_us)
{
    Stream *stream = get_stream(sender, null_sender_picture_track(person, screen));
    if (stream->picture == NULL) {
        unsigned nth = screen ? SCREEN_PICTURE : person % SCREEN_PICTURE;
        stream->picture = g_bytes_new_static(pictures[nth].bytes, pictures[nth].n_bytes);
    }
    set_stream(sender, stream, from_us, on ? INT64_MAX : from_us);
}

void null_sender_stop(NullSender *sender)
{
    for (guint i = 0; i < sender->active->len; i++) {
        ((Stream *)g_ptr_array_index(sender->active, i))->end_us = 0;
    }
    g_ptr_array_set_size(sender->active, 0);
    update_timer(sender);
}

void null_sender_stop_person(NullSender *sender, unsigned person)
{
    const uint32_t tracks[] = {null_sender_voice_track(person),
                               null_sender_picture_track(person, false),
                               null_sender_picture_track(person, true)};
    for (gsize i = 0; i < G_N_ELEMENTS(tracks); i++) {
        Stream *stream = get_stream(sender, tracks[i]);
        stream->end_us = 0;
        g_ptr_array_remove(sender->active, stream);
    }
    update_timer(sender);
}

void null_sender_hurry_picture(NullSender *sender, uint32_t track_id)
{
    Stream *stream = g_hash_table_lookup(sender->streams, GUINT_TO_POINTER(track_id));
    if (stream != NULL && stream->picture != NULL) {
        stream->next_us = MIN(stream->next_us, g_get_monotonic_time());
    }
}
