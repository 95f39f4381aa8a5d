/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/browser/screencast.h"

#include "platforms/json.h"

#define CALL_TIMEOUT_MS 5000
/* What JPEG takes from a picture is less than what the recording's own encoder will. */
#define JPEG_QUALITY 90
/* A picture is believed to be this old at most; beyond, the page's clock is wrong. */
#define MAX_AGE_S 2.0

struct BrowserScreencast {
    BrowserPipe *pipe; /* borrowed */
    char *session;     /* owned */
    BrowserScreencastConfig config;
    GQueue unacknowledged; /* of numbers of pictures */
    unsigned ack_timer;
};

static void call(BrowserScreencast *screencast, const char *method, GVariant *params)
{
    browser_pipe_call(screencast->pipe, screencast->session, method, params, CALL_TIMEOUT_MS, NULL,
                      NULL);
}

BrowserScreencast *browser_screencast_new(BrowserPipe *pipe, const char *session,
                                          const BrowserScreencastConfig *config)
{
    BrowserScreencast *screencast = g_new0(BrowserScreencast, 1);
    screencast->pipe = pipe;
    screencast->session = g_strdup(session);
    screencast->config = *config;
    call(screencast, "Page.startScreencast",
         g_variant_new_parsed("{'format': <'jpeg'>, 'quality': <%i>, 'maxWidth': <%i>, "
                              "'maxHeight': <%i>, 'everyNthFrame': <1>}",
                              JPEG_QUALITY, config->width, config->height));
    return screencast;
}

void browser_screencast_free(BrowserScreencast *screencast)
{
    if (screencast == NULL) {
        return;
    }
    g_clear_handle_id(&screencast->ack_timer, g_source_remove);
    call(screencast, "Page.stopScreencast", NULL);
    g_queue_clear(&screencast->unacknowledged);
    g_free(screencast->session);
    g_free(screencast);
}

static gboolean on_ack_timer(gpointer data)
{
    BrowserScreencast *screencast = data;
    int frame = GPOINTER_TO_INT(g_queue_pop_head(&screencast->unacknowledged));
    call(screencast, "Page.screencastFrameAck", g_variant_new_parsed("{'sessionId': <%i>}", frame));
    if (g_queue_is_empty(&screencast->unacknowledged)) {
        screencast->ack_timer = 0;
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

/* The browser has two under way; a place for the next comes free at our pace. */
static void pace(BrowserScreencast *screencast, int frame)
{
    g_queue_push_tail(&screencast->unacknowledged, GINT_TO_POINTER(frame));
    if (screencast->ack_timer == 0) {
        screencast->ack_timer =
            g_timeout_add(1000 / screencast->config.fps, on_ack_timer, screencast);
    }
}

/* The browser stamps with the wall clock; unstamped, or by a clock that was set: now. */
static int64_t drawn_ns(JsonObject *params)
{
    JsonObject *metadata = platform_json_object(params, "metadata");
    JsonNode *node = metadata != NULL ? json_object_get_member(metadata, "timestamp") : NULL;
    double stamp_s = node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : 0.0;
    double age_s = (double)g_get_real_time() / 1e6 - stamp_s;
    bool believed = age_s >= 0 && age_s <= MAX_AGE_S;
    return g_get_monotonic_time() * 1000 - (believed ? (int64_t)(age_s * 1e9) : 0);
}

void browser_screencast_take(BrowserScreencast *screencast, JsonObject *params)
{
    int64_t at_ns = drawn_ns(params);
    pace(screencast, (int)platform_json_int(params, "sessionId", 0));
    gsize size = 0;
    guchar *jpeg = g_base64_decode(platform_json_string(params, "data", ""), &size);
    g_autoptr(GBytes) bytes = g_bytes_new_take(jpeg, size);
    if (size > 0) {
        screencast->config.on_picture(bytes, at_ns, screencast->config.user_data);
    }
}
