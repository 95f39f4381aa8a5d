/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The time base of one track: unwraps RTP timestamps and sequence numbers into one ever-growing
 * axis, and maps that axis to CLOCK_MONOTONIC by a sliding minimum of the receive times. A new
 * SSRC, a reset of the sender or a long jump continues the same axis where the clock says, so that
 * what stands behind never sees a discontinuity but in the count of epochs. Plain data, no
 * allocation, no clock of its own; not thread safe.
 */

#define MEDIA_RTP_CLOCK_BUCKETS 8
#define MEDIA_RTP_CLOCK_BUCKET_NS INT64_C(500000000)

typedef struct {
    bool used;
    uint32_t ssrc;
    uint32_t raw_ts; /* last seen on the wire */
    int64_t ts;      /* the same on our axis */
    int32_t raw_seq; /* or -1 */
    int64_t seq;     /* unwrapped */
} MediaRtpStream;

typedef struct {
    uint32_t rate_hz;
    MediaRtpStream current, previous; /* the SSRC before may still have packets on their way */
    uint32_t epoch;                   /* counts the times the axis was continued by the clock */
    bool suspect;                     /* a first packet far off: believed when a second agrees */
    uint32_t suspect_ts;
    int64_t suspect_receive_ns;
    int64_t highest_ts;
    int64_t bucket_min[MEDIA_RTP_CLOCK_BUCKETS];
    int64_t bucket_id[MEDIA_RTP_CLOCK_BUCKETS]; /* receive time / bucket length; -1 empty */
} MediaRtpClock;

typedef struct {
    int64_t ts;  /* in units of rate_hz, grows through wraps and resets */
    int64_t seq; /* unwrapped, or -1; comparable only within one epoch */
    uint32_t epoch;
} MediaRtpPoint;

void media_rtp_clock_init(MediaRtpClock *rtp_clock, uint32_t rate_hz);

/**
 * media_rtp_clock_update:
 * @seq: 0..65535, or MEDIA_NO_SEQUENCE
 *
 * Takes one packet's numbers. Returns false when the packet is not to be used: a single one far off
 * the others (it is believed when the next one agrees with it).
 */
bool media_rtp_clock_update(MediaRtpClock *rtp_clock, uint32_t ssrc, uint32_t ts, int32_t seq,
                            int64_t receive_ns, MediaRtpPoint *ret_point);

/** CLOCK_MONOTONIC of @ts as the estimate stands now: when it arrived, or would have, undelayed. */
int64_t media_rtp_clock_to_ns(const MediaRtpClock *rtp_clock, int64_t ts);
