/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/media/fake_encoder.h"

#include <gst/gst.h>

typedef struct {
    GstBin parent;
    GstElement *x264;
    FakeEncoderFault fault;
    int n_left; /* pictures; -1: any number */
} FakeEncoder;

typedef struct {
    GstBinClass parent_class;
} FakeEncoderClass;

GType fake_encoder_get_type(void);
G_DEFINE_TYPE(FakeEncoder, fake_encoder, GST_TYPE_BIN)

static FakeEncoderFault next_fault;
static int next_n_pictures, n_started, n_alive;

/* Everything that the real one is given; only there to be accepted. */
static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
}

static GstPadProbeReturn on_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    FakeEncoder *self = user_data;
    if (self->n_left < 0 || self->n_left-- > 0) {
        return GST_PAD_PROBE_OK;
    }
    GST_ELEMENT_ERROR(self, STREAM, ENCODE, ("the device was lost"), (NULL));
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_ERROR;
    gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_DATA(info) = NULL;
    return GST_PAD_PROBE_HANDLED;
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition)
{
    FakeEncoder *self = (FakeEncoder *)element;
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
        n_started++;
        if (self->fault == FAKE_ENCODER_DOES_NOT_START) {
            GST_ELEMENT_ERROR(self, LIBRARY, INIT, ("no such device"), (NULL));
            return GST_STATE_CHANGE_FAILURE;
        }
    }
    return GST_ELEMENT_CLASS(fake_encoder_parent_class)->change_state(element, transition);
}

static void finalize(GObject *object)
{
    n_alive--;
    G_OBJECT_CLASS(fake_encoder_parent_class)->finalize(object);
}

static void fake_encoder_class_init(FakeEncoderClass *class)
{
    static const char *const numbers[] = {"gop-size", "bframes", "rc-lookahead", "qp-const",
                                          "bitrate"};
    G_OBJECT_CLASS(class)->set_property = set_property;
    G_OBJECT_CLASS(class)->finalize = finalize;
    GST_ELEMENT_CLASS(class)->change_state = change_state;
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_object_class_install_property(
            G_OBJECT_CLASS(class), i + 1,
            g_param_spec_int(numbers[i], NULL, NULL, 0, G_MAXINT, 0, G_PARAM_WRITABLE));
    }
    g_object_class_install_property(
        G_OBJECT_CLASS(class), 10,
        g_param_spec_string("rc-mode", NULL, NULL, NULL, G_PARAM_WRITABLE));
    gst_element_class_set_metadata(GST_ELEMENT_CLASS(class), "Fake", "Codec/Encoder/Video",
                                   "x264 with faults", "Steno");
}

static void fake_encoder_init(FakeEncoder *self)
{
    n_alive++;
    self->x264 = gst_element_factory_make("x264enc", NULL);
    gst_util_set_object_arg(G_OBJECT(self->x264), "tune", "zerolatency");
    gst_util_set_object_arg(G_OBJECT(self->x264), "speed-preset", "ultrafast");
    gst_bin_add(GST_BIN(self), self->x264);
    self->fault = next_fault;
    self->n_left = next_fault == FAKE_ENCODER_FAILS_AT_ONCE ? 0
                   : next_fault == FAKE_ENCODER_DIES || next_fault == FAKE_ENCODER_DIES_ONCE
                       ? next_n_pictures
                       : -1;
    if (next_fault == FAKE_ENCODER_DIES_ONCE) {
        next_fault = FAKE_ENCODER_WORKS;
    }
    g_autoptr(GstPad) sink = gst_element_get_static_pad(self->x264, "sink");
    g_autoptr(GstPad) src = gst_element_get_static_pad(self->x264, "src");
    gst_pad_add_probe(sink, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, self, NULL);
    gst_element_add_pad(GST_ELEMENT(self), gst_ghost_pad_new("sink", sink));
    gst_element_add_pad(GST_ELEMENT(self), gst_ghost_pad_new("src", src));
}

void fake_encoder_install(FakeEncoderFault fault, int n_pictures)
{
    static gsize registered;
    next_fault = fault;
    next_n_pictures = n_pictures;
    n_started = 0;
    if (g_once_init_enter(&registered)) {
        gst_element_register(NULL, "nvh264enc", GST_RANK_NONE, fake_encoder_get_type());
        g_once_init_leave(&registered, 1);
    }
}

int fake_encoder_n_alive(void)
{
    return n_alive;
}

int fake_encoder_n_started(void)
{
    return n_started;
}
