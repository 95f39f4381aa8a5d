/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file_name.h"

#include <glib.h>
#include <string.h>

#define MAX_BYTES 255

bool base_file_name_is_plain(const char *name)
{
    if (name == NULL || name[0] == '\0' || name[0] == '/' || strlen(name) > MAX_BYTES) {
        return false;
    }
    g_auto(GStrv) parts = g_strsplit(name, "/", -1);
    for (char **part = parts; *part != NULL; part++) {
        if ((*part)[0] == '\0' || (*part)[0] == '.') {
            return false;
        }
    }
    return true;
}

const char *base_file_name_get_mime_type(const char *name)
{
    static const struct {
        const char *suffix, *type;
    } types[] = {
        {".mp4", "video/mp4"},
        {".mp3", "audio/mpeg"},
        {".wav", "audio/wav"},
        {".ogg", "audio/ogg"},
        {".png", "image/png"},
        {".json", "application/json"},
        {".jsonl", "application/x-ndjson"},
        {".ndjson", "application/x-ndjson"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_str_has_suffix(name, types[i].suffix)) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}
