/* SPDX-License-Identifier: Apache-2.0 */
#include "media/trace.h"

#include <stdarg.h>
#include <stdio.h>

/* Opened at the first question, closed by the end of the process. */
static FILE *trace_file(void)
{
    static gsize opened;
    static FILE *file;
    if (g_once_init_enter(&opened)) {
        const char *path = g_getenv("STENO_TRACE");
        if (path != NULL && path[0] != '\0') {
            file = fopen(path, "we");
            if (file == NULL) {
                g_warning("STENO_TRACE: %s can't be written", path);
            }
        }
        g_once_init_leave(&opened, 1);
    }
    return file;
}

bool media_trace_on(void)
{
    return trace_file() != NULL;
}

void media_trace(const char *format, ...)
{
    FILE *file = trace_file();
    if (file == NULL) {
        return;
    }
    va_list values;
    va_start(values, format);
    flockfile(file);
    vfprintf(file, format, values);
    putc_unlocked('\n', file);
    funlockfile(file);
    va_end(values);
}
