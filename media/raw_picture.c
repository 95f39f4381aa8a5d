/* SPDX-License-Identifier: Apache-2.0 */
#include "media/raw_picture.h"

#include <libswscale/swscale.h>

#define MAX_SIDE 8192
/* libswscale writes whole vectors, also past the end of a row. */
#define ROW_ALIGN 128

struct MediaRawConverter {
    struct SwsContext *context; /* owned */
    int width, height;
};

MediaRawConverter *media_raw_converter_new(void)
{
    return g_new0(MediaRawConverter, 1);
}

void media_raw_converter_free(MediaRawConverter *converter)
{
    if (converter != NULL) {
        sws_freeContext(converter->context);
        g_free(converter);
    }
}

void media_raw_get_info(int width, int height, GstVideoInfo *ret_info)
{
    gst_video_info_set_format(ret_info, GST_VIDEO_FORMAT_I420, (guint)width, (guint)height);
    gst_video_colorimetry_from_string(&ret_info->colorimetry, GST_VIDEO_COLORIMETRY_BT601);
    int stride = (width + 2 * ROW_ALIGN - 1) & ~(ROW_ALIGN - 1), rows = (height + 1) / 2;
    ret_info->stride[0] = stride;
    ret_info->stride[1] = ret_info->stride[2] = stride / 2;
    ret_info->offset[1] = (gsize)stride * (gsize)(rows * 2);
    ret_info->offset[2] = ret_info->offset[1] + (gsize)(stride / 2) * (gsize)rows;
    ret_info->size = ret_info->offset[2] + (gsize)(stride / 2) * (gsize)rows;
}

static bool prepare(MediaRawConverter *converter, int width, int height)
{
    if (converter->context == NULL || converter->width != width || converter->height != height) {
        sws_freeContext(converter->context);
        converter->width = width;
        converter->height = height;
        converter->context = sws_getContext(width, height, AV_PIX_FMT_BGR0, width, height,
                                            AV_PIX_FMT_YUV420P, SWS_BILINEAR, NULL, NULL, NULL);
    }
    return converter->context != NULL;
}

MediaEncodedFrame *media_raw_convert(MediaRawConverter *converter, MediaEncodedFrame *frame)
{
    int width = frame->width, height = frame->height;
    gsize size;
    const uint8_t *pixels = g_bytes_get_data(frame->payload, &size);
    if (width < 2 || height < 2 || width > MAX_SIDE || height > MAX_SIDE || width % 2 != 0 ||
        height % 2 != 0 || size != (gsize)width * (gsize)height * 4 ||
        !prepare(converter, width, height)) {
        return NULL;
    }
    GstVideoInfo info;
    media_raw_get_info(width, height, &info);
    uint8_t *data = g_malloc0(info.size);
    uint8_t *planes[4] = {data, data + info.offset[1], data + info.offset[2], NULL};
    int strides[4] = {info.stride[0], info.stride[1], info.stride[2], 0};
    const uint8_t *const from[4] = {pixels, NULL, NULL, NULL};
    const int from_strides[4] = {width * 4, 0, 0, 0};
    sws_scale(converter->context, from, from_strides, 0, height, planes, strides);
    MediaEncodedFrame *made =
        media_encoded_frame_new(MEDIA_CODEC_I420, g_bytes_new_take(data, info.size));
    made->track_id = frame->track_id;
    made->rtp_timestamp = frame->rtp_timestamp;
    made->receive_ns = frame->receive_ns;
    made->sent_ns = frame->sent_ns;
    made->key_frame = true;
    made->width = frame->width;
    made->height = frame->height;
    return made;
}
