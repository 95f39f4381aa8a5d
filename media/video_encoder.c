/* SPDX-License-Identifier: Apache-2.0 */
#include "media/video_encoder.h"

#include <math.h>
#include <string.h>

#define KEY_FRAMES_S 10
#define AVC " ! capsfilter caps=video/x-h264,stream-format=avc,alignment=au"
#define PARSED " ! h264parse" AVC

typedef struct {
    const char *name;    /* as the configuration says */
    const char *element; /* which has to be installed */
    /* (transfer full) for GStreamer's parser */
    char *(*describe)(const MediaVideoEncoderConfig *config);
} Encoder;

static int key_interval(const MediaVideoEncoderConfig *config)
{
    return config->fps * KEY_FRAMES_S;
}

static int area(const MediaVideoEncoderConfig *config)
{
    return GST_VIDEO_INFO_WIDTH(config->info) * GST_VIDEO_INFO_HEIGHT(config->info);
}

static int quantizer(const MediaVideoEncoderConfig *config)
{
    int usual = config->quantizer > 0 ? config->quantizer : 24;
    return config->tiles ? usual - 1 : usual;
}

/* For encoders without a useful constant quality: what x264 would need for a lively meeting; six
 * steps of the quantizer are twice the bits. */
static unsigned kbps(const MediaVideoEncoderConfig *config)
{
    return config->bitrate_bps > 0 ? config->bitrate_bps / 1000
                                   : (unsigned)(area(config) / 1000.0 * config->fps * 65 / 1000 *
                                                pow(2, (23 - quantizer(config)) / 6.0));
}

/* Against the preset's own settings the same picture for half the processor time: meetings move
 * little, and what weighted prediction or, in one large picture, macroblocks split into parts find
 * there is next to nothing (docs/decisions/0002-recording-cost.md). Without B-frames pictures come
 * out in order. */
static char *describe_x264(const MediaVideoEncoderConfig *config)
{
    int threads = area(config) > 1280 * 720 ? 2 : 1;
    g_autofree char *rate =
        config->bitrate_bps > 0
            ? g_strdup_printf("pass=cbr bitrate=%u vbv-buf-capacity=2000", kbps(config))
            : g_strdup_printf("pass=qual quantizer=%d vbv-buf-capacity=0", quantizer(config));
    return g_strdup_printf("x264enc speed-preset=veryfast %s me=dia bframes=0 rc-lookahead=%d "
                           "option-string=%sweightp=0 sync-lookahead=0 "
                           "key-int-max=%d threads=%d sliced-threads=%s" AVC,
                           rate, MEDIA_ENCODER_LOOKAHEAD,
                           config->tiles ? "" : "partitions=none:", key_interval(config), threads,
                           threads > 1 ? "true" : "false");
}

static char *describe_openh264(const MediaVideoEncoderConfig *config)
{
    return g_strdup_printf(
        "openh264enc complexity=low rate-control=bitrate bitrate=%u "
        "max-bitrate=%u gop-size=%d multi-thread=1 enable-frame-skip=false" PARSED,
        kbps(config) * 1000, kbps(config) * 2000, key_interval(config));
}

static char *describe_va(const MediaVideoEncoderConfig *config)
{
    g_autofree char *rate = config->bitrate_bps > 0
                                ? g_strdup_printf("rate-control=cbr bitrate=%u", kbps(config))
                                : g_strdup_printf("rate-control=cqp qpi=%d qpp=%d",
                                                  quantizer(config), quantizer(config) + 2);
    return g_strdup_printf("vapostproc ! vah264enc b-frames=0 key-int-max=%d %s" PARSED,
                           key_interval(config), rate);
}

static char *describe_vaapi(const MediaVideoEncoderConfig *config)
{
    g_autofree char *rate =
        config->bitrate_bps > 0
            ? g_strdup_printf("rate-control=cbr bitrate=%u", kbps(config))
            : g_strdup_printf("rate-control=cqp init-qp=%d", quantizer(config) + 1);
    return g_strdup_printf(
        "vaapipostproc ! vaapih264enc max-bframes=0 keyframe-period=%d %s" PARSED,
        key_interval(config), rate);
}

static char *describe_nvenc(const MediaVideoEncoderConfig *config)
{
    g_autofree char *rate =
        config->bitrate_bps > 0
            ? g_strdup_printf("rc-mode=cbr bitrate=%u", kbps(config))
            : g_strdup_printf("rc-mode=constqp qp-const=%d", quantizer(config) + 1);
    return g_strdup_printf("nvh264enc bframes=0 rc-lookahead=0 gop-size=%d %s" PARSED,
                           key_interval(config), rate);
}

/* In the order in which they stand in for one another; the first is what "auto" takes. */
static const Encoder encoders[] = {
    {"x264", "x264enc", describe_x264},     {"openh264", "openh264enc", describe_openh264},
    {"vaapi", "vah264enc", describe_va},    {"vaapi", "vaapih264enc", describe_vaapi},
    {"nvenc", "nvh264enc", describe_nvenc},
};
#define N_SOFTWARE 2 /* of them need no hardware */

static bool is_installed(const Encoder *encoder)
{
    g_autoptr(GstElementFactory) factory = gst_element_factory_find(encoder->element);
    return factory != NULL;
}

static bool is_wanted(const Encoder *encoder, const char *wanted)
{
    return wanted != NULL && strcmp(encoder->name, wanted) == 0;
}

bool media_video_encoder_check(const char *wanted, GError **error)
{
    bool known = wanted == NULL || strcmp(wanted, "auto") == 0, any = false;
    for (gsize i = 0; i < G_N_ELEMENTS(encoders); i++) {
        known |= is_wanted(&encoders[i], wanted);
        any |= (i < N_SOFTWARE || is_wanted(&encoders[i], wanted)) && is_installed(&encoders[i]);
    }
    if (!known) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                    "there is no video encoder '%s'; there are: auto, x264, openh264, vaapi, nvenc",
                    wanted);
    } else if (!any) {
        g_set_error(
            error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
            "no H.264 encoder is installed: GStreamer's x264enc (gstreamer1.0-plugins-ugly) "
            "or openh264enc (gstreamer1.0-plugins-bad) is needed");
    }
    return known && any;
}

static MediaElement *try_encoder(const Encoder *encoder, const MediaVideoEncoderConfig *config,
                                 MediaElementFunc on_output, gpointer user_data, GError **error)
{
    if (!is_installed(encoder)) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                    "the GStreamer element '%s' is not installed", encoder->element);
        return NULL;
    }
    g_autoptr(GstCaps) caps = gst_video_info_to_caps(config->info);
    gst_caps_set_simple(caps, "framerate", GST_TYPE_FRACTION, config->fps, 1, NULL);
    g_autofree char *description = encoder->describe(config);
    return media_element_new(description, caps, on_output, user_data, error);
}

MediaElement *media_video_encoder_new(const MediaVideoEncoderConfig *config,
                                      MediaElementFunc on_output, gpointer user_data,
                                      const char **ret_name, char **ret_note, GError **error)
{
    g_autoptr(GError) problem = NULL;
    *ret_note = NULL;
    /* First what was wanted, then what needs no hardware. */
    for (gsize i = 0; i < 2 * G_N_ELEMENTS(encoders); i++) {
        gsize at = i % G_N_ELEMENTS(encoders);
        bool wanted = is_wanted(&encoders[at], config->wanted);
        if (i < G_N_ELEMENTS(encoders) ? !wanted : wanted || at >= N_SOFTWARE) {
            continue;
        }
        g_autoptr(GError) failed = NULL;
        MediaElement *element = try_encoder(&encoders[at], config, on_output, user_data, &failed);
        if (element != NULL) {
            *ret_name = encoders[at].name;
            if (problem != NULL) {
                *ret_note = g_strdup_printf("The video encoder that was asked for can't be used "
                                            "(%s); %s is used instead.",
                                            problem->message, encoders[at].name);
            }
            return element;
        }
        if (problem == NULL) {
            problem = g_steal_pointer(&failed); /* the first tells why */
        }
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
}
