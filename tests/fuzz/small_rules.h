/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/adapter/flow.h"

#include <glib.h>

/* (transfer full): a rules file as small as one may be, which reads a hundred times as fast as a
 * shipped one: every purpose, and a candidate of each kind for the first of them. */
static inline char *small_rules(const char *platform)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(
        text,
        "{\"version\":1,\"platform\":\"%s\",\"dialogs\":\"d\",\"timing\":{\"poll_ms\":300},"
        "\"hosts\":{\"home\":[\"x.example\"],\"sign_in\":[]},"
        "\"wire\":{\"channels\":[\"c\"],\"fetches\":[]},\"purposes\":{",
        platform);
    for (int i = 0; i < FLOW_N_PURPOSES; i++) {
        g_string_append_printf(
            text, "%s\"%s\":[%s]", i > 0 ? "," : "", flow_purpose_names[i],
            i > 0 ? ""
                  : "{\"id\":\"a\",\"css\":\"b\",\"text\":[\"t\"],\"match\":\"exact\"},"
                    "{\"id\":\"x\",\"css\":\"b\",\"name\":[\"n\"],\"min_size\":[1,2],"
                    "\"click\":[{\"css\":\"c\"}],\"message\":\"m\"}");
    }
    g_string_append(text, "}}");
    return g_string_free(text, FALSE);
}
