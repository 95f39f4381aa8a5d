// SPDX-License-Identifier: Apache-2.0
/* Needs tests/meeting/sdp.c and scenario.c only. */
#include "tests/meeting/sdp.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a page sends is read, and written again for both sides. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(MeetingSdp) sdp = meeting_sdp_parse(text, NULL);
    if (sdp == NULL)
        return 0;
    g_autoptr(GPtrArray) sections = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < sdp->media->len; i++) {
        MeetingSection *section = g_new0(MeetingSection, 1);
        *section = (MeetingSection){(MeetingSectionKind)(i % 5), i, (char *)"s", i % 2 == 0};
        g_ptr_array_add(sections, section);
    }
    g_autofree char *page = meeting_sdp_for_page(sdp, sdp, sections, &sdp->types, true);
    g_autofree char *bin = meeting_sdp_for_bin(sdp, sdp, sections);
    g_assert(page != NULL && bin != NULL);
    return 0;
}
