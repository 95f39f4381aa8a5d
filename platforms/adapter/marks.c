/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/adapter/marks.h"

#include "platforms/adapter/adapter.h"

#include <string.h>

void adapter_marks_clear(AdapterMarks *marks)
{
    for (size_t i = 0; i < ADAPTER_MAX_MARKS; i++) {
        g_clear_pointer(&marks->names[i], g_free);
    }
}

void adapter_marks_take(AdapterMarks *marks, JsonArray *names, int64_t now_ns)
{
    char *lit[ADAPTER_MAX_MARKS + 1] = {NULL};
    unsigned n = 0;
    for (guint i = 0; names != NULL && i < json_array_get_length(names); i++) {
        const char *name = adapter_string_value(json_array_get_element(names, i));
        if (name != NULL && n < ADAPTER_MAX_MARKS) {
            lit[n++] = g_strdup(name);
        }
    }
    if (n == 0) {
        marks->out_ns = marks->out_ns == 0 ? now_ns : marks->out_ns;
        return;
    }
    adapter_marks_clear(marks);
    memcpy(marks->names, lit, sizeof lit);
    marks->out_ns = 0;
}

const char *const *adapter_marks_get(const AdapterMarks *marks, int64_t now_ns)
{
    static const char *const nobody[] = {NULL};
    bool counts = marks->out_ns == 0 || now_ns - marks->out_ns < ADAPTER_MARK_HOLD_NS;
    return counts ? (const char *const *)marks->names : nobody;
}
