/* SPDX-License-Identifier: Apache-2.0 */
#include "media/frame.h"

#include <string.h>
static const char *const codec_names[MEDIA_N_CODECS] = {
    [MEDIA_CODEC_NONE] = "none", [MEDIA_CODEC_OPUS] = "opus", [MEDIA_CODEC_RED] = "red",
    [MEDIA_CODEC_PCM] = "pcm",   [MEDIA_CODEC_VP8] = "vp8",   [MEDIA_CODEC_VP9] = "vp9",
    [MEDIA_CODEC_H264] = "h264", [MEDIA_CODEC_AV1] = "av1",   [MEDIA_CODEC_JPEG] = "jpeg",
    [MEDIA_CODEC_BGRX] = "bgrx", [MEDIA_CODEC_I420] = "i420",
};

MediaEncodedFrame *media_encoded_frame_new(MediaCodec codec, GBytes *payload)
{
    MediaEncodedFrame *frame = g_new0(MediaEncodedFrame, 1);
    frame->codec = codec;
    frame->payload = payload;
    frame->sequence = MEDIA_NO_SEQUENCE;
    frame->audio_level = MEDIA_NO_LEVEL;
    g_atomic_ref_count_init(&frame->ref_count);
    return frame;
}

MediaEncodedFrame *media_encoded_frame_ref(MediaEncodedFrame *frame)
{
    g_atomic_ref_count_inc(&frame->ref_count);
    return frame;
}

void media_encoded_frame_unref(MediaEncodedFrame *frame)
{
    if (g_atomic_ref_count_dec(&frame->ref_count)) {
        g_bytes_unref(frame->payload);
        g_free(frame);
    }
}

uint32_t media_encoded_frame_source(const MediaEncodedFrame *frame)
{
    if (frame->mixed) {
        return frame->track_id;
    }
    if (frame->n_csrcs > 0) {
        return frame->csrcs[0];
    }
    return frame->ssrc != 0 ? frame->ssrc : frame->track_id;
}

const char *media_codec_to_string(MediaCodec codec)
{
    return codec_names[codec];
}

MediaCodec media_codec_from_mime(const char *mime)
{
    const char *slash = strchr(mime, '/');
    const char *name = slash != NULL ? slash + 1 : mime;
    for (int i = MEDIA_CODEC_OPUS; i < MEDIA_N_CODECS; i++) {
        if (g_ascii_strcasecmp(name, codec_names[i]) == 0) {
            return (MediaCodec)i;
        }
    }
    return MEDIA_CODEC_NONE;
}

bool media_codec_is_video(MediaCodec codec)
{
    return codec >= MEDIA_CODEC_VP8;
}
