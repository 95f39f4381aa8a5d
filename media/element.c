/* SPDX-License-Identifier: Apache-2.0 */
#include "media/element.h"

struct MediaElement {
    GstElement *bin; /* owned */
    GstPad *out;     /* owned: our source pad in front of it */
    GstPad *in;      /* owned: our sink pad behind it */
    GstBus *bus;     /* owned */
    GstCaps *caps;   /* owned: of what comes out */
    GstSegment segment;
    MediaElementFunc on_output;
    gpointer user_data;
    GMutex lock;
    /* --- protected by lock */
    char *problem; /* owned: first error message since it was asked for */
};

static GstBusSyncReply on_message(GstBus *bus, GstMessage *message, gpointer user_data)
{
    MediaElement *element = user_data;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        g_autoptr(GError) error = NULL;
        gst_message_parse_error(message, &error, NULL);
        g_mutex_lock(&element->lock);
        if (element->problem == NULL) {
            element->problem = g_strdup(error->message);
        }
        g_mutex_unlock(&element->lock);
    }
    gst_message_unref(message); /* which holds its element: whoever drops one gives it back */
    return GST_BUS_DROP;
}

static GstFlowReturn on_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    MediaElement *element = gst_pad_get_element_private(pad);
    MediaElementOutput output = {.buffer = buffer, .caps = element->caps};
    guint64 time;
    if (GST_BUFFER_PTS_IS_VALID(buffer)) {
        int sign = gst_segment_to_running_time_full(&element->segment, GST_FORMAT_TIME,
                                                    GST_BUFFER_PTS(buffer), &time);
        output.has_pts = sign != 0;
        output.pts_ns = sign * (int64_t)time;
    }
    if (GST_BUFFER_DTS_IS_VALID(buffer)) {
        int sign = gst_segment_to_running_time_full(&element->segment, GST_FORMAT_TIME,
                                                    GST_BUFFER_DTS(buffer), &time);
        output.has_dts = sign != 0;
        output.dts_ns = sign * (int64_t)time;
    }
    element->on_output(&output, element->user_data);
    gst_buffer_unref(buffer);
    return GST_FLOW_OK;
}

static gboolean on_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    MediaElement *element = gst_pad_get_element_private(pad);
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
        GstCaps *caps;
        gst_event_parse_caps(event, &caps);
        gst_caps_replace(&element->caps, caps);
    } else if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
        gst_event_copy_segment(event, &element->segment);
    }
    gst_event_unref(event);
    return TRUE;
}

static void fail(MediaElement *element, const char *what, GError **error)
{
    g_mutex_lock(&element->lock);
    g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_ENCODER, "%s: %s", what,
                element->problem != NULL ? element->problem : "no reason was given");
    g_clear_pointer(&element->problem, g_free);
    g_mutex_unlock(&element->lock);
}

static bool start(MediaElement *element, GstCaps *caps, GError **error)
{
    g_autoptr(GstPad) sink = gst_element_get_static_pad(element->bin, "sink");
    g_autoptr(GstPad) src = gst_element_get_static_pad(element->bin, "src");
    if (sink == NULL || src == NULL || gst_pad_link(element->out, sink) != GST_PAD_LINK_OK ||
        gst_pad_link(src, element->in) != GST_PAD_LINK_OK) {
        fail(element, "its pads don't fit", error);
        return false;
    }
    gst_pad_set_active(element->in, TRUE);
    gst_pad_set_active(element->out, TRUE);
    if (gst_element_set_state(element->bin, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        fail(element, "it does not start", error);
        return false;
    }
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_segment_init(&element->segment, GST_FORMAT_TIME);
    gst_pad_push_event(element->out, gst_event_new_stream_start("steno"));
    if (!gst_pad_push_event(element->out, gst_event_new_caps(caps))) {
        fail(element, "it refuses the format", error);
        return false;
    }
    gst_pad_push_event(element->out, gst_event_new_segment(&segment));
    return true;
}

MediaElement *media_element_new(const char *description, GstCaps *caps, MediaElementFunc on_output,
                                gpointer user_data, GError **error)
{
    g_autoptr(GError) problem = NULL;
    GstElement *bin = gst_parse_bin_from_description_full(description, TRUE, NULL,
                                                          GST_PARSE_FLAG_FATAL_ERRORS, &problem);
    if (bin == NULL) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED, "'%s': %s", description,
                    problem->message);
        return NULL;
    }
    g_autoptr(MediaElement) element = g_new0(MediaElement, 1);
    g_mutex_init(&element->lock);
    element->bin = gst_object_ref_sink(bin);
    element->on_output = on_output;
    element->user_data = user_data;
    element->bus = gst_bus_new();
    gst_bus_set_sync_handler(element->bus, on_message, element, NULL);
    gst_element_set_bus(element->bin, element->bus);
    element->out = gst_object_ref_sink(gst_pad_new("out", GST_PAD_SRC));
    element->in = gst_object_ref_sink(gst_pad_new("in", GST_PAD_SINK));
    gst_pad_set_element_private(element->in, element);
    gst_pad_set_chain_function(element->in, on_chain);
    gst_pad_set_event_function(element->in, on_event);
    if (!start(element, caps, error)) {
        g_prefix_error(error, "'%s': ", description);
        return NULL;
    }
    return g_steal_pointer(&element);
}

void media_element_free(MediaElement *element)
{
    gst_pad_set_active(element->out, FALSE);
    gst_element_set_state(element->bin, GST_STATE_NULL);
    gst_pad_set_active(element->in, FALSE);
    gst_element_set_bus(element->bin, NULL);
    gst_bus_set_sync_handler(element->bus, NULL, NULL, NULL);
    gst_object_unref(element->bin);
    gst_object_unref(element->out);
    gst_object_unref(element->in);
    gst_object_unref(element->bus);
    gst_clear_caps(&element->caps);
    g_mutex_clear(&element->lock);
    g_free(element->problem);
    g_free(element);
}

bool media_element_push(MediaElement *element, GstBuffer *buffer, GError **error)
{
    GstFlowReturn flow = gst_pad_push(element->out, buffer);
    if (flow != GST_FLOW_OK) {
        fail(element, gst_flow_get_name(flow), error);
        return false;
    }
    return true;
}

bool media_element_drain(MediaElement *element, GError **error)
{
    if (!gst_pad_push_event(element->out, gst_event_new_eos())) {
        fail(element, "end of stream", error);
        return false;
    }
    return true;
}
