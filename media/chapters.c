/* SPDX-License-Identifier: Apache-2.0 */
#include "media/chapters.h"

#define S INT64_C(1000000000)
/* Shorter than this is an interjection. */
#define LEAST_TURN_NS (2 * S)
#define MAX_CHAPTERS 2000

void media_chapter_clear(gpointer chapter)
{
    g_clear_pointer(&((MediaChapter *)chapter)->title, g_free);
}

GArray *media_chapters_from_segments(GArray *segments)
{
    GArray *chapters = g_array_new(FALSE, TRUE, sizeof(MediaChapter));
    g_array_set_clear_func(chapters, media_chapter_clear);
    uint32_t speaker = 0;
    int64_t until_ns = 0; /* the present speaker speaks until here */
    for (guint i = 0; i < segments->len && chapters->len < MAX_CHAPTERS; i++) {
        const MediaSpeechSegment *segment = &g_array_index(segments, MediaSpeechSegment, i);
        bool same = chapters->len > 0 && segment->participant_id == speaker;
        if (same) {
            until_ns = MAX(until_ns, segment->end_ns);
            continue;
        }
        /* What is left of it once the present speaker has finished. */
        int64_t own_ns = segment->end_ns - MAX(segment->start_ns, until_ns);
        if (own_ns < LEAST_TURN_NS) {
            continue;
        }
        MediaChapter chapter = {.start_ns = chapters->len == 0 ? 0 : segment->start_ns,
                                .participant_id = segment->participant_id};
        g_array_append_val(chapters, chapter);
        speaker = segment->participant_id;
        until_ns = segment->end_ns;
    }
    return chapters;
}
