/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/media/leaks.h"

#include "media/engine.h"

#include <gst/gst.h>

/* What a pipeline is made of; the registry's entries stay for good. */
#define WATCHED "leaks(filters=\"GstElement,GstPad,GstBus,GstBuffer,GstCaps,GstEvent,GstMessage\")"

static GstTracer *find_tracer(void)
{
    GList *tracers = gst_tracing_get_active_tracers();
    GstTracer *found = NULL;
    for (GList *l = tracers; l != NULL; l = l->next) {
        if (g_str_equal(G_OBJECT_TYPE_NAME(l->data), "GstLeaksTracer")) {
            found = g_object_ref(GST_TRACER(l->data));
        }
    }
    g_list_free_full(tracers, g_object_unref);
    return found;
}

/* One structure a living object: its type, its address and how it describes itself. */
static guint print_live(const GstStructure *live)
{
    const GValue *list = gst_structure_get_value(live, "live-objects-list");
    guint n = list != NULL ? gst_value_list_get_size(list) : 0;
    for (guint i = 0; i < n; i++) {
        const GstStructure *entry = gst_value_get_structure(gst_value_list_get_value(list, i));
        g_autofree char *text = gst_structure_to_string(entry);
        g_printerr("still there: %s\n", text);
    }
    return n;
}

int leaks_test_run(void)
{
    g_setenv("GST_TRACERS", WATCHED, TRUE);
    g_assert_true(media_init(NULL));
    g_autoptr(GstTracer) tracer = find_tracer();
    if (tracer == NULL) {
        g_error("this GStreamer has no \"leaks\" tracer");
    }
    int result = g_test_run();
    GstStructure *live = NULL;
    g_signal_emit_by_name(tracer, "get-live-objects", &live);
    if (print_live(live) > 0) {
        return 1; /* with it: freeing it would take the objects' last references */
    }
    gst_structure_free(live);
    return result;
}
