/* SPDX-License-Identifier: Apache-2.0 */
#include "media/track_buffer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each 24 bytes are one frame's numbers, its payload a few bytes of the same. */
#define RECORD 24

static MediaEncodedFrame *frame_from(const uint8_t *record, bool is_video)
{
    MediaCodec codec = is_video        ? MEDIA_CODEC_VP9
                       : record[0] & 1 ? MEDIA_CODEC_RED
                                       : MEDIA_CODEC_OPUS;
    MediaEncodedFrame *frame =
        media_encoded_frame_new(codec, g_bytes_new(record + 8, record[1] % (RECORD - 7)));
    frame->ssrc = record[2] & 3;
    frame->sequence = record[3] & 1 ? MEDIA_NO_SEQUENCE : (record[4] << 8 | record[5]);
    frame->spatial_layer = record[6] & 3;
    memcpy(&frame->rtp_timestamp, record + 8, sizeof frame->rtp_timestamp);
    memcpy(&frame->receive_ns, record + 12, sizeof frame->receive_ns);
    if (record[7] & 1) {
        frame->receive_ns = (int64_t)record[12] * 10000000;
    }
    frame->n_csrcs = record[7] >> 7;
    frame->csrcs[0] = record[20];
    return frame;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    bool is_video = data[0] & 1;
    g_autoptr(MediaTrackBuffer) buffer = media_track_buffer_new(1, is_video, 8);
    bool any = false;
    int64_t last = 0;
    for (size_t at = 1; at + RECORD <= size; at += RECORD) {
        g_autoptr(MediaEncodedFrame) frame = frame_from(data + at, is_video);
        media_track_buffer_push(buffer, frame, NULL);
        if (media_track_buffer_n_units(buffer) > 8) {
            abort();
        }
        const MediaUnit *head = media_track_buffer_peek(buffer, NULL);
        if (data[at] & 4 && head != NULL) {
            g_autoptr(MediaUnit) unit = media_track_buffer_take(buffer, head);
            g_autoptr(GBytes) payload = media_unit_dup_payload(unit);
            if (any && unit->ts <= last) {
                abort(); /* time went backwards */
            }
            any = true;
            last = unit->ts;
        }
    }
    return 0;
}
