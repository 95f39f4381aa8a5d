/* SPDX-License-Identifier: Apache-2.0 */
#include "media/engine.h"

#include <gst/gst.h>
#include <libavutil/log.h>
#include <string.h>

/* What libraries call an error is mostly a peer's bad data, which is handled where it comes up and
 * told there; so their words are details here. */
static GLogLevelFlags level_of_gst(GstDebugLevel level)
{
    return level <= GST_LEVEL_WARNING ? G_LOG_LEVEL_INFO : G_LOG_LEVEL_DEBUG;
}

/* NOLINTNEXTLINE(readability-function-size): GStreamer's signature */
static void on_gst_log(GstDebugCategory *category, GstDebugLevel level, const char *file,
                       const char *function, int line, GObject *object, GstDebugMessage *message,
                       gpointer user_data)
{
    g_log("gstreamer", level_of_gst(level), "%s: %s", gst_debug_category_get_name(category),
          gst_debug_message_get(message));
}

static void G_GNUC_PRINTF(3, 0)
    on_av_log(void *context, int level, const char *format, va_list arguments)
{
    if (level > AV_LOG_WARNING) {
        return;
    }
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    g_strchomp(text);
    if (*text != '\0') {
        g_log("libav", level <= AV_LOG_ERROR ? G_LOG_LEVEL_INFO : G_LOG_LEVEL_DEBUG, "%s", text);
    }
}

bool media_init(GError **error)
{
    static gsize done;
    if (g_once_init_enter(&done)) {
        gst_debug_remove_log_function(gst_debug_log_default);
        gst_debug_add_log_function(on_gst_log, NULL, NULL);
        av_log_set_callback(on_av_log);
        g_once_init_leave(&done, 1);
    }
    g_autoptr(GError) problem = NULL;
    if (!gst_init_check(NULL, NULL, &problem)) {
        g_set_error_literal(error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                            problem != NULL ? problem->message : "GStreamer does not start");
        return false;
    }
    return true;
}
