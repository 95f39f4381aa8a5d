/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/adapter/adapter.h"

#include "platforms/json.h"

#include <math.h>

/*
 * Pictures of the page itself, where its video can't be tapped or where that was asked for. The
 * page says where its stage is (capture.js); the browser photographs that part as it changes.
 */

#define LOOK_TIMEOUT_MS 2000
#define LOOK_EVERY_MS 1000
#define LOOKS_WITHOUT_STAGE 5 /* a page that has just let us in may still be laying it out */

static bool photographs_from_the_start(const Adapter *adapter)
{
    return adapter->want_video &&
           (adapter->capture == PLATFORM_CAPTURE_SCREEN ||
            (adapter->capture == PLATFORM_CAPTURE_AUTO && adapter->kind->drawn_video));
}

bool adapter_taps_video(const Adapter *adapter)
{
    return adapter->want_video && !photographs_from_the_start(adapter);
}

void adapter_capture_prepare(Adapter *adapter, BrowserOptions *options)
{
    if (!photographs_from_the_start(adapter)) {
        return;
    }
    options->own_display = browser_xvfb_is_installed();
    options->window_width = adapter->pictures.width;
    options->window_height = adapter->pictures.height;
    if (!options->own_display) {
        g_message("Xvfb is not installed (package xvfb): the page is photographed by the browser, "
                  "which takes several times as much processor time");
    }
}

static void on_picture(const BrowserPicture *picture, gpointer user_data)
{
    Adapter *adapter = user_data;
    if (adapter_is_silent(adapter) || adapter->over || adapter->events.on_frame == NULL) {
        return;
    }
    g_autoptr(MediaEncodedFrame) frame = media_encoded_frame_new(
        picture->jpeg ? MEDIA_CODEC_JPEG : MEDIA_CODEC_BGRX, g_bytes_ref(picture->data));
    frame->track_id = MEDIA_PAGE_TRACK;
    frame->rtp_timestamp = (uint32_t)(picture->at_ns / 100000 * 9);
    frame->receive_ns = frame->sent_ns = picture->at_ns;
    frame->key_frame = true;
    frame->width = (uint16_t)picture->width;
    frame->height = (uint16_t)picture->height;
    adapter->events.on_frame(frame, adapter->user_data);
}

static double number(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    bool is_number = node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                     json_node_get_value_type(node) != G_TYPE_STRING;
    double value = is_number ? json_node_get_double(node) : 0.0;
    return isfinite(value) ? value : 0.0;
}

static void look(Adapter *adapter);

static gboolean on_look_timer(gpointer data)
{
    Adapter *adapter = data;
    adapter->view_timer = 0;
    look(adapter);
    return G_SOURCE_REMOVE;
}

static void take_stage(Adapter *adapter, JsonObject *seen)
{
    BrowserStage stage = {.x = number(seen, "x"),
                          .y = number(seen, "y"),
                          .width = number(seen, "width"),
                          .height = number(seen, "height"),
                          .window_width = number(seen, "windowWidth"),
                          .window_height = number(seen, "windowHeight"),
                          .frame_height = number(seen, "frameHeight")};
    const char *rule = platform_json_string(seen, "rule", NULL);
    adapter->n_stage_missed = rule == NULL ? adapter->n_stage_missed + 1 : 0;
    if (rule != NULL || adapter->n_stage_missed >= LOOKS_WITHOUT_STAGE) {
        adapter_report_rule(adapter, FLOW_CAPTURE_STAGE, rule);
    }
    browser_set_stage(page_get_browser(adapter->page), &stage);
}

/* The stage moves when the page's layout changes, and a page that was loaded anew is another. */
static void on_looked(JsonNode *value, const GError *error, gpointer user_data)
{
    Adapter *adapter = g_rc_box_acquire(user_data);
    if (!adapter->freed && !adapter->over) {
        if (error == NULL && JSON_NODE_HOLDS_OBJECT(value)) {
            take_stage(adapter, json_node_get_object(value));
        }
        adapter->view_timer = g_timeout_add(LOOK_EVERY_MS, on_look_timer, adapter);
    }
    adapter_release(adapter);
}

static void look(Adapter *adapter)
{
    browser_evaluate(page_get_browser(adapter->page),
                     "window.__steno ? window.__steno.capture() : null", LOOK_TIMEOUT_MS, on_looked,
                     adapter);
}

static void begin(Adapter *adapter)
{
    if (adapter->photographed || adapter->over || adapter->leaving || adapter->freed) {
        return;
    }
    adapter->photographed = true;
    adapter->pictures.on_picture = on_picture;
    adapter->pictures.user_data = adapter;
    g_autoptr(GError) error = NULL;
    if (!browser_start_pictures(page_get_browser(adapter->page), &adapter->pictures, &error)) {
        adapter_warn(adapter, "screen_capture", error->message);
        return;
    }
    look(adapter);
}

void adapter_capture_admitted(Adapter *adapter)
{
    if (!adapter->want_video || adapter->capture == PLATFORM_CAPTURE_TAP) {
        return;
    }
    if (adapter->capture == PLATFORM_CAPTURE_SCREEN) {
        begin(adapter);
    } else if (adapter->kind->drawn_video || adapter->untapped) {
        adapter_warn(adapter, "screen_capture",
                     adapter->untapped
                         ? "a picture can't be taken from its track; the page is photographed"
                         : "this meeting draws its pictures itself; the page is photographed");
        begin(adapter);
    }
}

void adapter_capture_untapped(Adapter *adapter, const char *message)
{
    if (adapter->photographed || photographs_from_the_start(adapter)) {
        return;
    }
    adapter->untapped = true;
    adapter_warn(adapter, "video_not_tapped", message);
    if (adapter->flow.phase == FLOW_PHASE_CALL) {
        adapter_capture_admitted(adapter);
    }
}
