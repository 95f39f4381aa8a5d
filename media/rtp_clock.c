/* SPDX-License-Identifier: Apache-2.0 */
#include "media/rtp_clock.h"

#include "media/frame.h"

#define NS_PER_S INT64_C(1000000000)

/* How far a packet may stand from where the clock expects it before it needs a witness. */
#define EARLY_LIMIT_NS (NS_PER_S)
#define LATE_LIMIT_NS (5 * NS_PER_S)
#define WITNESS_LIMIT_NS (NS_PER_S)
/* A whole bucket above the minimum by this much: the path or the sender changed, forget the past.
 */
#define STEP_NS INT64_C(100000000)
/* Beyond any real uptime, far from an overflow. */
#define RECEIVE_LIMIT_NS (INT64_C(1) << 61)

static int64_t ts_to_ns(uint32_t rate_hz, int64_t ts)
{
    int64_t seconds = ts / rate_hz;
    return seconds * NS_PER_S + (ts - seconds * rate_hz) * NS_PER_S / rate_hz;
}

static int64_t ns_to_ts(uint32_t rate_hz, int64_t ns)
{
    int64_t seconds = ns / NS_PER_S;
    return seconds * rate_hz + (ns - seconds * NS_PER_S) * rate_hz / NS_PER_S;
}

void media_rtp_clock_init(MediaRtpClock *rtp_clock, uint32_t rate_hz)
{
    *rtp_clock = (MediaRtpClock){.rate_hz = rate_hz};
    for (int i = 0; i < MEDIA_RTP_CLOCK_BUCKETS; i++) {
        rtp_clock->bucket_id[i] = -1;
    }
}

static bool estimate(const MediaRtpClock *c, int64_t *ret_offset_ns)
{
    bool any = false;
    for (int i = 0; i < MEDIA_RTP_CLOCK_BUCKETS; i++) {
        if (c->bucket_id[i] >= 0 && (!any || c->bucket_min[i] < *ret_offset_ns)) {
            *ret_offset_ns = c->bucket_min[i];
            any = true;
        }
    }
    return any;
}

static void forget(MediaRtpClock *c, int64_t older_than_id)
{
    for (int i = 0; i < MEDIA_RTP_CLOCK_BUCKETS; i++) {
        if (c->bucket_id[i] < older_than_id) {
            c->bucket_id[i] = -1;
        }
    }
}

static void observe(MediaRtpClock *c, int64_t ts, int64_t receive_ns)
{
    int64_t offset = receive_ns - ts_to_ns(c->rate_hz, ts);
    int64_t id = receive_ns / MEDIA_RTP_CLOCK_BUCKET_NS;
    int slot = (int)(id % MEDIA_RTP_CLOCK_BUCKETS);
    if (c->bucket_id[slot] == id) {
        if (offset < c->bucket_min[slot]) {
            c->bucket_min[slot] = offset;
        }
        return;
    }
    /* A bucket begins: the last whole one tells whether everything has moved later. */
    int last = (int)((id + MEDIA_RTP_CLOCK_BUCKETS - 1) % MEDIA_RTP_CLOCK_BUCKETS);
    int64_t lowest = 0;
    if (c->bucket_id[last] == id - 1 && estimate(c, &lowest) &&
        c->bucket_min[last] > lowest + STEP_NS) {
        forget(c, id - 1);
    }
    forget(c, id - MEDIA_RTP_CLOCK_BUCKETS + 1);
    c->bucket_id[slot] = id;
    c->bucket_min[slot] = offset;
}

int64_t media_rtp_clock_to_ns(const MediaRtpClock *rtp_clock, int64_t ts)
{
    int64_t offset = 0;
    estimate(rtp_clock, &offset);
    return ts_to_ns(rtp_clock->rate_hz, ts) + offset;
}

/* Continue the axis under new numbers at the place where the clock is. */
static void reanchor(MediaRtpClock *c, uint32_t ssrc, uint32_t ts, int32_t seq, int64_t receive_ns)
{
    int64_t offset = 0;
    bool known = estimate(c, &offset);
    int64_t here = known ? ns_to_ts(c->rate_hz, receive_ns - offset) : (int64_t)ts;
    if (known && here <= c->highest_ts) {
        here = c->highest_ts + 1;
    }
    c->previous = c->current;
    c->current = (MediaRtpStream){
        .used = true, .ssrc = ssrc, .raw_ts = ts, .ts = here, .raw_seq = seq, .seq = seq};
    c->suspect = false;
    c->epoch++;
    forget(c, INT64_MAX);
}

static bool plausible(const MediaRtpClock *c, int64_t ts, int64_t receive_ns)
{
    int64_t offset = 0;
    if (!estimate(c, &offset)) {
        return true;
    }
    int64_t late_ns = receive_ns - (ts_to_ns(c->rate_hz, ts) + offset);
    return late_ns > -EARLY_LIMIT_NS && late_ns < LATE_LIMIT_NS;
}

/* Whether two packets far off agree with one another: then the sender did reset. */
static bool witnessed(const MediaRtpClock *c, uint32_t ts, int64_t receive_ns)
{
    if (!c->suspect) {
        return false;
    }
    int64_t by_ts = ts_to_ns(c->rate_hz, (int32_t)(ts - c->suspect_ts));
    int64_t apart = by_ts - (receive_ns - c->suspect_receive_ns);
    return apart > -WITNESS_LIMIT_NS && apart < WITNESS_LIMIT_NS;
}

static int64_t unwrap_seq(const MediaRtpStream *stream, int32_t seq)
{
    if (seq < 0 || stream->raw_seq < 0) {
        return seq;
    }
    return stream->seq + (int16_t)(uint16_t)((uint32_t)seq - (uint32_t)stream->raw_seq);
}

bool media_rtp_clock_update(MediaRtpClock *c, uint32_t ssrc, uint32_t ts, int32_t seq,
                            int64_t receive_ns, MediaRtpPoint *ret_point)
{
    if (receive_ns < 0 || receive_ns > RECEIVE_LIMIT_NS) {
        return false;
    }
    MediaRtpStream *stream = &c->current;
    if (!stream->used) {
        reanchor(c, ssrc, ts, seq, receive_ns);
        c->highest_ts = stream->ts;
    } else if (ssrc != stream->ssrc) {
        if (c->previous.used && c->previous.ssrc == ssrc &&
            plausible(c, c->previous.ts + (int32_t)(ts - c->previous.raw_ts), receive_ns)) {
            stream = &c->previous;
        } else {
            reanchor(c, ssrc, ts, seq, receive_ns);
        }
    }
    int64_t axis = stream->ts + (int32_t)(ts - stream->raw_ts);
    if (!plausible(c, axis, receive_ns)) {
        if (!witnessed(c, ts, receive_ns)) {
            c->suspect = true;
            c->suspect_ts = ts;
            c->suspect_receive_ns = receive_ns;
            return false;
        }
        reanchor(c, ssrc, ts, seq, receive_ns);
        axis = c->current.ts;
        stream = &c->current;
    }
    c->suspect = false;
    stream->seq = unwrap_seq(stream, seq);
    stream->raw_seq = seq;
    stream->ts = axis;
    stream->raw_ts = ts;
    if (axis > c->highest_ts) {
        c->highest_ts = axis;
    }
    observe(c, axis, receive_ns);
    *ret_point = (MediaRtpPoint){
        .ts = axis, .seq = stream->seq, .epoch = stream == &c->current ? c->epoch : c->epoch - 1};
    return true;
}
