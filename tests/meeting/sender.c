// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE /* gettid() */
#include "tests/meeting/sender.h"

#include "tests/meeting/packetize.h"

#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Packets kept for sending again: about a second of video. */
#define HISTORY 512
#define VIDEO_RATE 90000
#define AUDIO_RATE 48000

typedef struct {
    MeetingStreamStats stats;
    GstPad *pad; /* owned; NULL: not open */
    MeetingPayloadTypes types;
    gint64 base_time_ns;
    guint16 seq;
    guint32 rtp_base;
    guint16 picture_id;
    GstBuffer *history[HISTORY]; /* owned */

    /* video */
    const MeetingSource *source; /* borrowed; NULL: shows nobody */
    int screen;                  /* index among the screens, -1: the camera */
    const MeetingClip *clip;     /* borrowed */
    gint64 next_frame;           /* -1: at the next key frame */
    int span;                    /* index into spans, -1: none yet */

    /* audio */
    const MeetingSource *speaker; /* borrowed; NULL: free */
    gint64 used_us;               /* when it was last taken */
    int said;
    GBytes *previous; /* owned: for RED */
} Stream;

/* How far one person's speech has been sent. */
typedef struct {
    const MeetingSource *source; /* borrowed */
    guint run;
    guint packet;
    int stream; /* -1: none */
    gint64 taken_us;
    bool echoing;
    guint32 echo_offset; /* what the echo's timestamps are ahead of the bot's */
} Cursor;

typedef struct {
    gint64 due_us;     /* monotonic */
    GstPad *pad;       /* owned */
    GstBuffer *packet; /* owned */
} Parcel;

struct MeetingSender {
    const MeetingScenario *scenario; /* borrowed */
    GThread *thread;

    /* --- protected by lock --- */
    GMutex lock;
    GCond wake;
    bool stop;
    bool closed;        /* the network is down */
    gint64 zero_us;     /* -1: the meeting has not begun */
    GPtrArray *streams; /* owned, of Stream */
    GArray *cursors;    /* of Cursor */
    GPtrArray *outbox;  /* owned, of Parcel: due now */
    GQueue delayed;     /* of Parcel, by time */
    GRand *random;
    GArray *spans;
    GArray *said;
    GPtrArray *stats;
};

static void parcel_free(gpointer data)
{
    Parcel *parcel = data;
    gst_object_unref(parcel->pad);
    gst_buffer_unref(parcel->packet);
    g_free(parcel);
}

static void stream_free(gpointer data)
{
    Stream *stream = data;
    for (guint i = 0; i < HISTORY; i++)
        gst_clear_buffer(&stream->history[i]);
    g_clear_object(&stream->pad);
    g_clear_pointer(&stream->previous, g_bytes_unref);
    g_array_unref(stream->stats.pli_us);
    g_array_unref(stream->stats.fir_us);
    g_free(stream);
}

static gint by_due(gconstpointer a, gconstpointer b, gpointer data)
{
    const Parcel *first = a, *second = b;
    return first->due_us < second->due_us ? -1 : first->due_us > second->due_us;
}

/* Sends, delays or loses a packet. @packet: (transfer full). */
static void dispatch(MeetingSender *s, Stream *stream, GstBuffer *packet, gint64 now_us)
{
    if (s->scenario->loss > 0 && g_rand_double(s->random) < s->scenario->loss) {
        stream->stats.n_lost++;
        gst_buffer_unref(packet);
        return;
    }
    Parcel *parcel = g_new0(Parcel, 1);
    parcel->pad = gst_object_ref(stream->pad);
    parcel->packet = packet;
    if (s->scenario->jitter_ms <= 0) {
        g_ptr_array_add(s->outbox, parcel);
        return;
    }
    parcel->due_us = now_us + (gint64)(g_rand_double(s->random) * s->scenario->jitter_ms * 1000);
    g_queue_insert_sorted(&s->delayed, parcel, by_due, NULL);
}

typedef struct {
    guint8 pt;
    bool marker;
    guint32 timestamp;
    guint n_csrcs;
    const guint32 *csrcs;
    int level;    /* RFC 6464, -1: no extension */
    gint64 at_us; /* meeting time */
} Header;

/* Writes an RTP packet (RFC 3550) around @payload and sends it. */
static void send_packet(MeetingSender *s, Stream *stream, const Header *h, const guint8 *payload,
                        gsize payload_bytes, gint64 now_us)
{
    bool extended = h->level >= 0 && stream->types.audio_level != 0;
    gsize header_bytes = 12 + 4 * h->n_csrcs + (extended ? 8 : 0);
    gsize total = header_bytes + payload_bytes;
    guint8 *data = g_malloc(total), *at = data + 12;
    data[0] = (guint8)(0x80 | (extended ? 0x10 : 0) | h->n_csrcs);
    data[1] = h->pt | (h->marker ? 0x80 : 0);
    GST_WRITE_UINT16_BE(data + 2, stream->seq);
    GST_WRITE_UINT32_BE(data + 4, h->timestamp);
    GST_WRITE_UINT32_BE(data + 8, stream->stats.ssrc);
    for (guint i = 0; i < h->n_csrcs; i++, at += 4)
        GST_WRITE_UINT32_BE(at, h->csrcs[i]);
    if (extended) {
        GST_WRITE_UINT32_BE(at, 0xbede0001u); /* RFC 8285, one word */
        at[4] = (guint8)(stream->types.audio_level << 4);
        at[5] = (guint8)((h->level < 60 ? 0x80 : 0) | h->level); /* V: voice activity */
        at[6] = at[7] = 0;
        at += 8;
    }
    memcpy(at, payload, payload_bytes);
    GstBuffer *packet = gst_buffer_new_wrapped(data, total);
    gint64 pts = (s->zero_us + h->at_us) * 1000 - stream->base_time_ns;
    GST_BUFFER_PTS(packet) = (GstClockTime)MAX(pts, 0);
    GstBuffer **kept = &stream->history[stream->seq % HISTORY];
    gst_clear_buffer(kept);
    *kept = gst_buffer_ref(packet);
    stream->seq++;
    stream->stats.n_packets++;
    stream->stats.late_us = MAX(stream->stats.late_us, now_us - s->zero_us - h->at_us);
    dispatch(s, stream, packet, now_us);
}

/* --- video --- */

static gint64 frame_us(const MeetingClip *clip, gint64 frame)
{
    return frame * G_USEC_PER_SEC / clip->fps + clip->phase_us;
}

static bool shown(MeetingSender *s, const Stream *stream, gint64 at_us)
{
    double at_s = (double)at_us / 1e6;
    const MeetingPerson *person = stream->source->person;
    if (stream->screen < 0)
        return meeting_person_camera_on(s->scenario, person, at_s);
    return meeting_person_screen(person, at_s) ==
           g_ptr_array_index(person->screens, (guint)stream->screen);
}

static void note_frame(MeetingSender *s, Stream *stream, gint64 frame, gint64 at_us)
{
    guint counter = (guint)(frame % stream->clip->n_frames);
    if (stream->span < 0) {
        MeetingSpan span = {.person = stream->source->person,
                            .screen = stream->screen >= 0,
                            .fps = (guint)stream->clip->fps,
                            .loop = stream->clip->n_frames,
                            .first_counter = counter,
                            .first_us = at_us};
        for (guint i = 0; i < s->streams->len; i++) {
            if (g_ptr_array_index(s->streams, i) == stream)
                span.stream = i;
        }
        g_array_append_val(s->spans, span);
        stream->span = (int)s->spans->len - 1;
    }
    MeetingSpan *span = &g_array_index(s->spans, MeetingSpan, (guint)stream->span);
    span->last_counter = counter;
    span->last_us = at_us;
    span->n_frames++;
}

static guint8 codec_pt(const MeetingPayloadTypes *types, MeetingCodec codec)
{
    const guint8 pts[] = {types->vp8, types->vp9, types->h264};
    return pts[codec];
}

static void send_frame(MeetingSender *s, Stream *stream, gint64 frame, gint64 now_us)
{
    const MeetingClip *clip = stream->clip;
    const MeetingClipFrame *f = &clip->frames[frame % clip->n_frames];
    Header h = {.pt = codec_pt(&stream->types, clip->codec), .level = -1};
    h.at_us = frame_us(clip, frame);
    h.timestamp = stream->rtp_base + (guint32)(h.at_us * VIDEO_RATE / G_USEC_PER_SEC);
    for (guint i = 0; i < f->payloads->len; i++) {
        gsize length;
        const guint8 *payload = g_bytes_get_data(g_ptr_array_index(f->payloads, i), &length);
        guint8 copy[MEETING_PAYLOAD_MAX_BYTES + 16];
        g_assert(length <= sizeof copy);
        memcpy(copy, payload, length);
        meeting_payload_set_picture_id(clip->codec, copy, stream->picture_id);
        h.marker = i + 1 == f->payloads->len;
        send_packet(s, stream, &h, copy, length, now_us);
    }
    stream->picture_id = (stream->picture_id + 1) & 0x7fff;
    note_frame(s, stream, frame, h.at_us);
}

/* Sends what is due on a video stream. Returns the meeting time of the next picture. */
static gint64 run_video(MeetingSender *s, Stream *stream, gint64 at_us, gint64 now_us)
{
    const MeetingClip *clip = stream->clip;
    if (clip == NULL || stream->pad == NULL)
        return G_MAXINT64;
    if (stream->next_frame < 0) {
        gint64 frame = MAX(0, (at_us - clip->phase_us) * clip->fps / G_USEC_PER_SEC + 1);
        while (!clip->frames[frame % clip->n_frames].key)
            frame++;
        stream->next_frame = frame;
    }
    while (frame_us(clip, stream->next_frame) <= at_us) {
        if (shown(s, stream, frame_us(clip, stream->next_frame)))
            send_frame(s, stream, stream->next_frame, now_us);
        else
            stream->span = -1;
        stream->next_frame++;
    }
    return frame_us(clip, stream->next_frame);
}

/* --- audio --- */

static gint64 packet_us(const Cursor *cursor)
{
    const MeetingRun *run = g_ptr_array_index(cursor->source->runs, cursor->run);
    return run->start_us + (gint64)cursor->packet * MEETING_PACKET_US;
}

/* The audio stream that has been free the longest, other than @not; -1 when all are taken. */
static int take_stream(MeetingSender *s, const Cursor *cursor, gint64 at_us, int not )
{
    int best = -1;
    for (guint i = 0; i < s->streams->len; i++) {
        Stream *stream = g_ptr_array_index(s->streams, i);
        if (stream->stats.kind != MEETING_SECTION_AUDIO || stream->pad == NULL ||
            stream->speaker != NULL || (int)i == not )
            continue;
        if (best < 0 ||
            stream->used_us < ((Stream *)g_ptr_array_index(s->streams, (guint)best))->used_us)
            best = (int)i;
    }
    if (best >= 0) {
        Stream *stream = g_ptr_array_index(s->streams, (guint)best);
        stream->speaker = cursor->source;
        stream->used_us = at_us;
        stream->said = -1;
        g_clear_pointer(&stream->previous, g_bytes_unref);
    }
    return best;
}

static void release_stream(MeetingSender *s, Cursor *cursor)
{
    if (cursor->stream >= 0)
        ((Stream *)g_ptr_array_index(s->streams, (guint)cursor->stream))->speaker = NULL;
    cursor->stream = -1;
}

static void note_said(MeetingSender *s, Stream *stream, const Cursor *cursor, gint64 at_us)
{
    if (stream->said < 0) {
        MeetingSaid said = {
            .person = cursor->source->person, .stream = (guint)cursor->stream, .start_us = at_us};
        g_array_append_val(s->said, said);
        stream->said = (int)s->said->len - 1;
    }
    MeetingSaid *said = &g_array_index(s->said, MeetingSaid, (guint)stream->said);
    said->end_us = at_us + MEETING_PACKET_US;
    said->n_packets++;
}

static void send_audio(MeetingSender *s, Cursor *cursor, gint64 at_us, gint64 now_us)
{
    const MeetingRun *run = g_ptr_array_index(cursor->source->runs, cursor->run);
    Stream *stream = g_ptr_array_index(s->streams, (guint)cursor->stream);
    GBytes *opus = g_ptr_array_index(run->packets, cursor->packet);
    Header h = {.pt = stream->types.opus, .n_csrcs = 1, .csrcs = &cursor->source->csrc};
    if (run->speakers != NULL) {
        const MeetingSpeakers *speakers =
            &g_array_index(run->speakers, MeetingSpeakers, cursor->packet);
        h.n_csrcs = speakers->n;
        h.csrcs = speakers->ids;
    }
    h.marker = stream->said < 0;
    h.level = run->levels->data[cursor->packet];
    h.at_us = at_us;
    /* Rounded: run starts lie on the sample grid, whole microseconds do not. */
    h.timestamp = stream->rtp_base + (guint32)((at_us * (AUDIO_RATE / 1000) + 999) / 1000);
    gsize length;
    const guint8 *data = g_bytes_get_data(opus, &length);
    guint8 copy[2 * 1275 + 8];
    gsize used = 0;
    if (stream->types.red != 0) { /* RFC 2198 with one redundant block */
        h.pt = stream->types.red;
        if (stream->previous != NULL && g_bytes_get_size(stream->previous) < 1024) {
            gsize old_bytes;
            const guint8 *old = g_bytes_get_data(stream->previous, &old_bytes);
            copy[0] = 0x80 | stream->types.opus;
            GST_WRITE_UINT24_BE(copy + 1, MEETING_PACKET_SAMPLES << 10 | (guint32)old_bytes);
            copy[4] = stream->types.opus;
            memcpy(copy + 5, old, old_bytes);
            used = 5 + old_bytes;
        } else {
            copy[used++] = stream->types.opus;
        }
        g_clear_pointer(&stream->previous, g_bytes_unref);
        stream->previous = g_bytes_ref(opus);
    }
    memcpy(copy + used, data, length);
    send_packet(s, stream, &h, copy, used + length, now_us);
    if (cursor->source->person != NULL)
        note_said(s, stream, cursor, at_us);
}

static bool heard(MeetingSender *s, const MeetingPerson *person, gint64 at_us)
{
    double at_s = (double)at_us / 1e6;
    if (person == NULL)
        return true; /* the mix knows who is heard */
    /* The packet of silence ahead of a run belongs to what follows. */
    double later_s = at_s + MEETING_PACKET_US / 1e6;
    return meeting_person_present(person, later_s) &&
           !meeting_person_muted(s->scenario, person, later_s);
}

static void send_due_packet(MeetingSender *s, Cursor *cursor, gint64 due_us, gint64 now_us)
{
    if (s->closed || !heard(s, cursor->source->person, due_us)) {
        release_stream(s, cursor);
        return;
    }
    gint64 recycle_us = (gint64)(s->scenario->recycle_every_s * 1e6);
    if (cursor->stream >= 0 && recycle_us > 0 && due_us - cursor->taken_us >= recycle_us) {
        int other = take_stream(s, cursor, due_us, cursor->stream);
        if (other >= 0) {
            release_stream(s, cursor);
            cursor->stream = other;
        }
        cursor->taken_us = due_us;
    }
    if (cursor->stream < 0) {
        cursor->stream = take_stream(s, cursor, due_us, -1);
        cursor->taken_us = due_us;
    }
    if (cursor->stream >= 0)
        send_audio(s, cursor, due_us, now_us);
}

/* Sends what is due of one person's speech. Returns the meeting time of the next packet. */
static gint64 run_audio(MeetingSender *s, Cursor *cursor, gint64 at_us, gint64 now_us)
{
    while (cursor->run < cursor->source->runs->len) {
        gint64 due_us = packet_us(cursor);
        if (due_us > at_us)
            return due_us;
        const MeetingRun *run = g_ptr_array_index(cursor->source->runs, cursor->run);
        send_due_packet(s, cursor, due_us, now_us);
        if (++cursor->packet < run->packets->len)
            continue;
        cursor->packet = 0;
        cursor->run++;
        release_stream(s, cursor);
    }
    return G_MAXINT64;
}

/* --- the thread --- */

/* Makes all packets that are due. Returns the monotonic time of the next one. */
static gint64 make_due(MeetingSender *s, gint64 now_us)
{
    if (s->zero_us < 0)
        return G_MAXINT64;
    gint64 at_us = now_us - s->zero_us, next_us = G_MAXINT64;
    for (guint i = 0; i < s->cursors->len; i++)
        next_us = MIN(next_us, run_audio(s, &g_array_index(s->cursors, Cursor, i), at_us, now_us));
    for (guint i = 0; i < s->streams->len; i++)
        next_us = MIN(next_us, run_video(s, g_ptr_array_index(s->streams, i), at_us, now_us));
    if (next_us != G_MAXINT64)
        next_us += s->zero_us;
    Parcel *parcel;
    while ((parcel = g_queue_peek_head(&s->delayed)) != NULL && parcel->due_us <= now_us)
        g_ptr_array_add(s->outbox, g_queue_pop_head(&s->delayed));
    return parcel != NULL ? MIN(next_us, parcel->due_us) : next_us;
}

/* Punctual also on a busy machine, where that is allowed: among sessions of the same share, not
 * even the best niceness keeps a thread from waiting for a third of a second. It costs next to
 * nothing. */
static void come_first(void)
{
    struct sched_param param = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) != 0)
        setpriority(PRIO_PROCESS, (id_t)gettid(), -10);
}

static gpointer run(gpointer data)
{
    MeetingSender *s = data;
    come_first();
    g_mutex_lock(&s->lock);
    while (!s->stop) {
        gint64 next_us = make_due(s, g_get_monotonic_time());
        if (s->outbox->len > 0) {
            GPtrArray *outbox = g_steal_pointer(&s->outbox);
            s->outbox = g_ptr_array_new_with_free_func(parcel_free);
            g_mutex_unlock(&s->lock);
            for (guint i = 0; i < outbox->len; i++) {
                Parcel *parcel = g_ptr_array_index(outbox, i);
                gst_pad_push(parcel->pad, gst_buffer_ref(parcel->packet));
            }
            g_ptr_array_unref(outbox);
            g_mutex_lock(&s->lock);
        } else if (next_us == G_MAXINT64) {
            g_cond_wait(&s->wake, &s->lock);
        } else {
            g_cond_wait_until(&s->wake, &s->lock, next_us);
        }
    }
    g_mutex_unlock(&s->lock);
    return NULL;
}

MeetingSender *meeting_sender_new(const MeetingScenario *scenario, GPtrArray *sources)
{
    MeetingSender *s = g_new0(MeetingSender, 1);
    s->scenario = scenario;
    g_mutex_init(&s->lock);
    g_cond_init(&s->wake);
    g_queue_init(&s->delayed);
    s->zero_us = -1;
    s->streams = g_ptr_array_new_with_free_func(stream_free);
    s->stats = g_ptr_array_new();
    s->outbox = g_ptr_array_new_with_free_func(parcel_free);
    s->random = g_rand_new_with_seed(scenario->network_seed);
    s->spans = g_array_new(FALSE, FALSE, sizeof(MeetingSpan));
    s->said = g_array_new(FALSE, FALSE, sizeof(MeetingSaid));
    s->cursors = g_array_new(FALSE, FALSE, sizeof(Cursor));
    for (guint i = 0; i < sources->len; i++) {
        Cursor cursor = {.source = g_ptr_array_index(sources, i), .stream = -1};
        g_array_append_val(s->cursors, cursor);
    }
    s->thread = g_thread_new("meeting-sender", run, s);
    return s;
}

void meeting_sender_free(MeetingSender *s)
{
    if (s == NULL)
        return;
    g_mutex_lock(&s->lock);
    s->stop = true;
    g_cond_signal(&s->wake);
    g_mutex_unlock(&s->lock);
    g_thread_join(s->thread);
    g_queue_clear_full(&s->delayed, parcel_free);
    g_ptr_array_unref(s->outbox);
    g_ptr_array_unref(s->stats);
    g_ptr_array_unref(s->streams);
    g_array_unref(s->cursors);
    g_array_unref(s->spans);
    g_array_unref(s->said);
    g_rand_free(s->random);
    g_cond_clear(&s->wake);
    g_mutex_clear(&s->lock);
    g_free(s);
}

void meeting_sender_set_zero(MeetingSender *s, gint64 zero_us)
{
    g_mutex_lock(&s->lock);
    s->zero_us = zero_us;
    g_cond_signal(&s->wake);
    g_mutex_unlock(&s->lock);
}

guint meeting_sender_add_stream(MeetingSender *s, MeetingSectionKind kind, guint32 ssrc)
{
    Stream *stream = g_new0(Stream, 1);
    stream->stats.kind = kind;
    stream->stats.ssrc = ssrc;
    stream->stats.pli_us = g_array_new(FALSE, FALSE, sizeof(gint64));
    stream->stats.fir_us = g_array_new(FALSE, FALSE, sizeof(gint64));
    stream->screen = stream->span = stream->said = -1;
    stream->next_frame = -1;
    g_mutex_lock(&s->lock);
    stream->seq = (guint16)g_rand_int_range(s->random, 0, 0x8000);
    stream->rtp_base = g_rand_int(s->random);
    stream->picture_id = (guint16)g_rand_int_range(s->random, 0, 0x8000);
    g_ptr_array_add(s->streams, stream);
    g_ptr_array_add(s->stats, &stream->stats);
    guint index = s->streams->len - 1;
    g_mutex_unlock(&s->lock);
    return index;
}

void meeting_sender_open(MeetingSender *s, guint index, GstPad *pad,
                         const MeetingPayloadTypes *types, gint64 base_time_ns)
{
    g_mutex_lock(&s->lock);
    Stream *stream = g_ptr_array_index(s->streams, index);
    if (stream->pad != pad) {
        g_clear_object(&stream->pad);
        stream->pad = gst_object_ref(pad);
        stream->next_frame = -1;
    }
    stream->types = *types;
    stream->base_time_ns = base_time_ns;
    s->closed = false;
    g_cond_signal(&s->wake);
    g_mutex_unlock(&s->lock);
}

void meeting_sender_close_all(MeetingSender *s)
{
    g_mutex_lock(&s->lock);
    s->closed = true;
    for (guint i = 0; i < s->streams->len; i++) {
        Stream *stream = g_ptr_array_index(s->streams, i);
        g_clear_object(&stream->pad);
        stream->span = -1;
    }
    for (guint i = 0; i < s->cursors->len; i++)
        release_stream(s, &g_array_index(s->cursors, Cursor, i));
    g_queue_clear_full(&s->delayed, parcel_free);
    g_queue_init(&s->delayed);
    g_mutex_unlock(&s->lock);
}

void meeting_sender_show(MeetingSender *s, guint index, const MeetingSource *source, int screen)
{
    g_mutex_lock(&s->lock);
    Stream *stream = g_ptr_array_index(s->streams, index);
    stream->source = source;
    stream->screen = screen;
    stream->clip = source == NULL ? NULL
                   : screen < 0   ? source->camera
                                  : g_ptr_array_index(source->screens, (guint)screen);
    stream->next_frame = -1;
    stream->span = -1;
    g_cond_signal(&s->wake);
    g_mutex_unlock(&s->lock);
}

/* Sends a packet again, unless it is too old. */
static void resend(MeetingSender *s, Stream *stream, guint16 seq, gint64 now_us)
{
    GstBuffer *kept = stream->history[seq % HISTORY];
    guint8 head[4];
    if (stream->pad == NULL || kept == NULL || gst_buffer_extract(kept, 0, head, 4) != 4 ||
        GST_READ_UINT16_BE(head + 2) != seq)
        return;
    stream->stats.n_resent++;
    dispatch(s, stream, gst_buffer_ref(kept), now_us);
}

/* --- the echo --- */

/* The payload of an RTP packet (RFC 3550), or NULL. */
static const guint8 *rtp_payload(const guint8 *data, gsize size, gsize *ret_size)
{
    if (size < 12 || data[0] >> 6 != 2)
        return NULL;
    gsize at = 12 + (data[0] & 15u) * 4u;
    if ((data[0] & 0x10) != 0 && at + 4 <= size)
        at += 4 + GST_READ_UINT16_BE(data + at + 2) * 4u;
    gsize padding = (data[0] & 0x20) != 0 ? data[size - 1] : 0;
    if (at + padding >= size)
        return NULL;
    *ret_size = size - at - padding;
    return data + at;
}

/* The echo's timestamps go on as the bot's do; the bot's stand still while its microphone is off.
 */
static guint32 echo_timestamp(const Stream *stream, Cursor *cursor, guint32 timestamp, gint64 at_us)
{
    guint32 now = stream->rtp_base + (guint32)(at_us * AUDIO_RATE / G_USEC_PER_SEC);
    gint32 apart = (gint32)(timestamp + cursor->echo_offset - now);
    if (!cursor->echoing || ABS(apart) > AUDIO_RATE / 5)
        cursor->echo_offset = now - timestamp;
    cursor->echoing = true;
    return timestamp + cursor->echo_offset;
}

static void echo(MeetingSender *s, Cursor *cursor, const guint8 *data, gsize size, gint64 now_us)
{
    gsize payload_bytes = 0;
    const guint8 *payload = rtp_payload(data, size, &payload_bytes);
    gint64 at_us = now_us - s->zero_us;
    if (payload == NULL || s->closed || s->zero_us < 0)
        return;
    if (cursor->stream < 0)
        cursor->stream = take_stream(s, cursor, at_us, -1);
    if (cursor->stream < 0)
        return;
    Stream *stream = g_ptr_array_index(s->streams, (guint)cursor->stream);
    Header h = {
        .pt = stream->types.opus, .n_csrcs = 1, .csrcs = &cursor->source->csrc, .level = 20};
    h.at_us = at_us;
    h.marker = !cursor->echoing;
    h.timestamp = echo_timestamp(stream, cursor, GST_READ_UINT32_BE(data + 4), at_us);
    send_packet(s, stream, &h, payload, payload_bytes, now_us);
    note_said(s, stream, cursor, at_us);
}

void meeting_sender_echo(MeetingSender *s, GstBuffer *packet)
{
    GstMapInfo map;
    g_mutex_lock(&s->lock);
    for (guint i = 0; i < s->cursors->len; i++) {
        Cursor *cursor = &g_array_index(s->cursors, Cursor, i);
        const MeetingPerson *person = cursor->source->person;
        if (person != NULL && person->echo && gst_buffer_map(packet, &map, GST_MAP_READ)) {
            echo(s, cursor, map.data, map.size, g_get_monotonic_time());
            gst_buffer_unmap(packet, &map);
        }
    }
    g_cond_signal(&s->wake);
    g_mutex_unlock(&s->lock);
}

void meeting_sender_feedback(MeetingSender *s, guint32 ssrc, MeetingFeedback what, guint16 seq)
{
    gint64 now_us = g_get_monotonic_time();
    g_mutex_lock(&s->lock);
    gint64 at_us = now_us - s->zero_us;
    for (guint i = 0; i < s->streams->len; i++) {
        Stream *stream = g_ptr_array_index(s->streams, i);
        if (stream->stats.ssrc != ssrc)
            continue;
        if (what == MEETING_FEEDBACK_PLI) {
            g_array_append_val(stream->stats.pli_us, at_us);
        } else if (what == MEETING_FEEDBACK_FIR) {
            g_array_append_val(stream->stats.fir_us, at_us);
        } else {
            stream->stats.n_nacked++;
            resend(s, stream, seq, now_us);
        }
    }
    g_cond_signal(&s->wake);
    g_mutex_unlock(&s->lock);
}

GArray *meeting_sender_spans(MeetingSender *s)
{
    return s->spans;
}

GArray *meeting_sender_said(MeetingSender *s)
{
    return s->said;
}

GPtrArray *meeting_sender_stats(MeetingSender *s)
{
    return s->stats;
}
