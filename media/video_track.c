/* SPDX-License-Identifier: Apache-2.0 */
#include "media/video_track.h"

#include "media/element.h"
#include "media/raw_picture.h"

/* Up to this much waits undecoded: some ten seconds of a small picture. */
#define BACKLOG_UNITS 300
#define BACKLOG_BYTES (8 * 1024 * 1024)
#define BUFFER_UNITS 300

struct MediaVideoTrack {
    uint32_t id;
    MediaTrackBuffer *buffer; /* owned */
    MediaRawConverter *raw;   /* owned; NULL until a picture comes without compression */
    GQueue backlog;           /* owned MediaUnit: since the last key frame, not decoded */
    gsize backlog_bytes;
    MediaElement *decoder; /* owned; NULL: none, or its codec can't be decoded here */
    MediaCodec codec;
    uint32_t epoch;
    uint64_t n_late; /* of the buffer, when last looked at */
    bool suspect;    /* until the next key frame */
    bool starved;    /* and pictures came that are of no use without one */
    bool unsupported;
    MediaPicture *picture; /* owned */
    bool fresh;            /* the last decode gave a picture */
    bool changed;          /* and it is not the one before once more */
    bool keep;             /* the picture that comes is wanted */
    GstCaps *caps;         /* owned: what @info was parsed from */
    GstVideoInfo info;
    int width, height;
    uint64_t n_lost;
};

MediaVideoTrack *media_video_track_new(uint32_t track_id)
{
    MediaVideoTrack *track = g_new0(MediaVideoTrack, 1);
    track->id = track_id;
    track->buffer = media_track_buffer_new(track_id, true, BUFFER_UNITS);
    g_queue_init(&track->backlog);
    track->suspect = true;
    return track;
}

static void drop_backlog(MediaVideoTrack *track)
{
    g_queue_clear_full(&track->backlog, (GDestroyNotify)media_unit_free);
    track->backlog_bytes = 0;
}

void media_video_track_free(MediaVideoTrack *track)
{
    drop_backlog(track);
    media_track_buffer_free(track->buffer);
    media_raw_converter_free(track->raw);
    g_clear_pointer(&track->decoder, media_element_free);
    g_clear_pointer(&track->picture, media_picture_unref);
    gst_clear_caps(&track->caps);
    g_free(track);
}

/* They are kept for a while: as what takes least room. */
static MediaEncodedFrame *take_in(MediaVideoTrack *track, MediaEncodedFrame *frame)
{
    if (frame->codec != MEDIA_CODEC_BGRX) {
        return media_encoded_frame_ref(frame);
    }
    if (track->raw == NULL) {
        track->raw = media_raw_converter_new();
    }
    return media_raw_convert(track->raw, frame);
}

void media_video_track_push(MediaVideoTrack *track, MediaEncodedFrame *taken)
{
    g_autoptr(MediaEncodedFrame) frame = take_in(track, taken);
    if (frame == NULL) {
        track->n_lost++;
        return;
    }
    media_track_buffer_push(track->buffer, frame, NULL);
    if (frame->width > 0 && frame->height > 0) {
        track->width = frame->width;
        track->height = frame->height;
    }
}

/* A shared slide is sent again and again: what shows the same is not drawn and encoded anew. Of a
 * camera's picture the first row tells. */
static void take_picture(MediaVideoTrack *track, GstBuffer *buffer, const GstVideoInfo *info,
                         int64_t time_ns)
{
    track->fresh = true;
    track->changed = track->picture == NULL || !media_picture_shows(track->picture, buffer, info);
    if (track->changed) {
        g_clear_pointer(&track->picture, media_picture_unref);
        track->picture = media_picture_new(buffer, info, time_ns);
    }
}

static void on_picture(const MediaElementOutput *output, gpointer user_data)
{
    MediaVideoTrack *track = user_data;
    if (output->caps != track->caps) {
        gst_caps_replace(&track->caps, output->caps);
        if (!gst_video_info_from_caps(&track->info, output->caps)) {
            gst_clear_caps(&track->caps);
        }
        /* Neither concerns a single picture, and the converter insists that they are the same. */
        track->info.fps_n = 0;
        track->info.fps_d = 1;
        track->info.interlace_mode = GST_VIDEO_INTERLACE_MODE_PROGRESSIVE;
    }
    if (track->caps == NULL || !output->has_pts || !track->keep) {
        return;
    }
    take_picture(track, output->buffer, &track->info, output->pts_ns);
    track->width = GST_VIDEO_INFO_WIDTH(&track->info);
    track->height = GST_VIDEO_INFO_HEIGHT(&track->info);
}

static const struct {
    const char *description, *caps;
} decoders[MEDIA_N_CODECS] = {
    [MEDIA_CODEC_VP8] = {"vp8dec threads=1 max-errors=-1", "video/x-vp8"},
    [MEDIA_CODEC_VP9] = {"vp9dec threads=1 max-errors=-1", "video/x-vp9,alignment=super-frame"},
    [MEDIA_CODEC_H264] = {"avdec_h264 max-threads=1 output-corrupt=false max-errors=-1",
                          "video/x-h264,stream-format=byte-stream,alignment=au"},
    [MEDIA_CODEC_AV1] = {"av1dec max-errors=-1",
                         "video/x-av1,stream-format=obu-stream,alignment=tu"},
    [MEDIA_CODEC_JPEG] = {"jpegdec max-errors=-1", "image/jpeg"},
};

static void make_decoder(MediaVideoTrack *track, MediaCodec codec)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GstCaps) caps = gst_caps_from_string(decoders[codec].caps);
    g_clear_pointer(&track->decoder, media_element_free);
    track->codec = codec;
    track->decoder =
        media_element_new(decoders[codec].description, caps, on_picture, track, &error);
    if (track->decoder == NULL && !track->unsupported) {
        track->unsupported = true;
        g_message("%s can't be decoded: %s", media_codec_to_string(codec), error->message);
    }
}

static bool has_decoder(MediaCodec codec)
{
    return codec == MEDIA_CODEC_I420 || decoders[codec].description != NULL;
}

static void take_raw(MediaVideoTrack *track, const MediaUnit *unit, int64_t time_ns)
{
    GstVideoInfo info;
    media_raw_get_info(unit->frame->width, unit->frame->height, &info);
    g_autoptr(GstBuffer) buffer = gst_buffer_new_wrapped_bytes(unit->frame->payload);
    take_picture(track, buffer, &info, time_ns);
}

static void decode(MediaVideoTrack *track, const MediaUnit *unit, bool wanted)
{
    if (unit->codec == MEDIA_CODEC_I420) {
        if (wanted) {
            take_raw(track, unit, media_track_buffer_time_ns(track->buffer, unit->ts));
        }
        return;
    }
    if (track->decoder == NULL || track->codec != unit->codec) {
        make_decoder(track, unit->codec);
    }
    if (track->decoder == NULL) {
        return;
    }
    g_autoptr(GBytes) payload = media_unit_dup_payload(unit);
    GstBuffer *buffer = gst_buffer_new_wrapped_bytes(payload);
    int64_t time_ns = media_track_buffer_time_ns(track->buffer, unit->ts);
    GST_BUFFER_PTS(buffer) = (GstClockTime)MAX(time_ns, 0);
    if (!unit->frame->key_frame) {
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    }
    track->keep = wanted;
    g_autoptr(GError) error = NULL;
    if (!media_element_push(track->decoder, buffer, &error)) {
        g_debug("track %u: %s", track->id, error->message);
        g_clear_pointer(&track->decoder, media_element_free);
        track->suspect = true;
    } else if (wanted && !track->fresh) {
        track->n_lost++;
    }
}

static bool is_broken(MediaVideoTrack *track, const MediaUnit *unit)
{
    uint64_t n_late = media_track_buffer_n_late(track->buffer);
    bool gap = n_late != track->n_late;
    track->n_late = n_late;
    bool changed = unit->epoch != track->epoch ||
                   (track->codec != MEDIA_CODEC_NONE && unit->codec != track->codec);
    track->epoch = unit->epoch;
    return gap || changed;
}

/* Takes @unit. */
static void keep_unit(MediaVideoTrack *track, MediaUnit *unit, bool shown)
{
    track->suspect |= is_broken(track, unit);
    if (unit->frame->key_frame) {
        track->suspect = track->starved = false;
        drop_backlog(track); /* nothing before it is needed to decode what follows */
        if (!shown) {
            g_clear_pointer(&track->decoder, media_element_free); /* megabytes of old pictures */
        }
    }
    if (track->suspect || !has_decoder(unit->codec)) {
        track->n_lost++;
        track->starved |= has_decoder(unit->codec);
        if (!shown) {
            /* A picture of long ago, held while nobody saw it, is not what should show next. */
            g_clear_pointer(&track->picture, media_picture_unref);
        }
        media_unit_free(unit);
        return;
    }
    g_queue_push_tail(&track->backlog, unit);
    track->backlog_bytes += unit->size;
}

/* Returns whether another picture than before came out, and was wanted. */
static bool decode_head(MediaVideoTrack *track, bool wanted)
{
    track->fresh = track->changed = false;
    g_autoptr(MediaUnit) unit = g_queue_pop_head(&track->backlog);
    track->backlog_bytes -= MIN(track->backlog_bytes, unit->size);
    decode(track, unit, wanted);
    return track->changed;
}

static const MediaUnit *due_unit(MediaVideoTrack *track, int64_t to_ns)
{
    const MediaUnit *unit = media_track_buffer_peek(track->buffer, NULL);
    bool due = unit != NULL && media_track_buffer_time_ns(track->buffer, unit->ts) <= to_ns;
    return due ? unit : NULL;
}

bool media_video_track_advance(MediaVideoTrack *track, int64_t to_ns, bool shown)
{
    const MediaUnit *unit;
    if (shown) {
        /* Becoming visible: all but the last of what was kept only brings the decoder up. */
        while (track->backlog.length > 0) {
            if (decode_head(track, track->backlog.length == 1)) {
                return true;
            }
        }
    }
    while ((unit = due_unit(track, to_ns)) != NULL) {
        keep_unit(track, media_track_buffer_take(track->buffer, unit), shown);
        if (shown && track->backlog.length > 0 && decode_head(track, true)) {
            return true;
        }
        if (track->backlog.length > BACKLOG_UNITS || track->backlog_bytes > BACKLOG_BYTES) {
            while (track->backlog.length > 1) { /* one stays, for the picture when it is shown */
                decode_head(track, false);
            }
        }
    }
    return false;
}

MediaPicture *media_video_track_picture(const MediaVideoTrack *track)
{
    return track->picture;
}

bool media_video_track_can_show(const MediaVideoTrack *track)
{
    return track->picture != NULL || track->backlog.length > 0;
}

bool media_video_track_wants_key_frame(const MediaVideoTrack *track)
{
    return track->starved;
}

void media_video_track_clear(MediaVideoTrack *track)
{
    drop_backlog(track);
    g_clear_pointer(&track->picture, media_picture_unref);
    track->suspect = true;
    track->starved = false;
}

uint32_t media_video_track_id(const MediaVideoTrack *track)
{
    return track->id;
}

void media_video_track_get_size(const MediaVideoTrack *track, int *ret_width, int *ret_height)
{
    *ret_width = track->width;
    *ret_height = track->height;
}

uint64_t media_video_track_n_lost(const MediaVideoTrack *track)
{
    return track->n_lost;
}
