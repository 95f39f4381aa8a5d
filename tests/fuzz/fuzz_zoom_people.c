/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of a list of people, one a line, and what is made of them: everybody who leaves has
 * come, and nobody who speaks is the bot, muted, or one of two with one name. */
#include "platforms/zoom/people.h"

#include <string.h>

#define MAX_ROWS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_participant(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data)
{
    GHashTable *here = user_data;
    g_assert_true(*participant->name != '\0');
    if (op == PLATFORM_PARTICIPANT_LEFT) {
        g_assert_true(g_hash_table_remove(here, participant->platform_id));
    } else {
        bool is_new = g_hash_table_add(here, g_strdup(participant->platform_id));
        g_assert_true(is_new == (op == PLATFORM_PARTICIPANT_JOINED));
    }
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    g_assert_true(g_hash_table_contains(user_data, source->platform_id));
}

static void check_voices(ZoomPeople *people, const ZoomRow *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned n_named = 0;
        uint32_t source;
        for (size_t k = 0; k < n; k++) {
            bool same = strcmp(rows[i].name, rows[k].name) == 0;
            n_named += same && rows[k].number == NULL ? 1 : 0;
        }
        if (n_named > 1 || (rows[i].is_self && rows[i].number == NULL)) {
            g_assert_null(zoom_people_voice(people, rows[i].name, NULL, &source));
        }
        zoom_people_tie(people, rows[i].name, rows[i].number);
        zoom_people_voice(people, rows[i].name, rows[i].number, &source);
    }
}

static const char *const numbers[] = {NULL, "16778240", "16779264", "16779265"};

/* A line: flags and a number in its first byte, then the name; an empty line ends a reading. */
static void read_all(ZoomPeople *people, char **lines)
{
    ZoomRow rows[MAX_ROWS];
    size_t n = 0;
    int64_t now_ms = 0;
    for (char **line = lines; *line != NULL; line++) {
        if (**line != '\0' && n < MAX_ROWS) {
            rows[n++] = (ZoomRow){.name = *line + 1,
                                  .is_host = (**line & 1) != 0,
                                  .is_self = (**line & 2) != 0,
                                  .muted = (**line & 4) != 0,
                                  .number = numbers[**line >> 3 & 3]};
            continue;
        }
        ZoomReading reading = (ZoomReading)(n % 3);
        zoom_people_read(people, rows, n, reading, now_ms += 1000);
        check_voices(people, rows, n);
        n = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ZoomPeopleEvents events = {on_participant, on_source};
    g_autoptr(GHashTable) here = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(ZoomPeople) people = zoom_people_new("Steno", &events, here);
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    read_all(people, lines);
    return 0;
}
