/* SPDX-License-Identifier: Apache-2.0 */
/* What the wire and the page's list say of a few devices, in any order: everybody who leaves has
 * come, a room's members are here while it is, and as many are counted as are reported. */
#include "platforms/meet/roster.h"

#include <string.h>

#define N_DEVICES 6
#define N_BYTES 3 /* of a step: what, whose, how */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const devices[N_DEVICES] = {"d0", "d1", "d2", "d3", "d4", "d5"};

typedef struct {
    GHashTable *people, *rooms; /* owned: sets of ids that are here */
} Here;

static void on_participant(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data)
{
    Here *here = user_data;
    GHashTable *set = participant->members != NULL ? here->rooms : here->people;
    if (op == PLATFORM_PARTICIPANT_LEFT) {
        g_assert_true(g_hash_table_remove(set, participant->platform_id));
        return;
    }
    bool is_new = g_hash_table_add(set, g_strdup(participant->platform_id));
    g_assert_true(is_new == (op == PLATFORM_PARTICIPANT_JOINED));
    unsigned n = 0;
    while (participant->members != NULL && participant->members[n] != NULL) {
        g_assert_true(g_hash_table_contains(here->people, participant->members[n]));
        n++;
    }
    g_assert_true(participant->members == NULL || n > 1);
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    g_assert_true(*source->platform_id != '\0');
}

static void take_user(MeetRoster *roster, const char *device, uint8_t how)
{
    static const char *const names[] = {"Al", "Bo", "", NULL};
    static const char *const pictures[] = {NULL, "p1", "p2", "p1"};
    const MeetUser user = {.device = (char *)device,
                           .name = (char *)names[how & 3],
                           .avatar_url = (char *)pictures[how >> 2 & 3],
                           .parent = (how & 0xc0) == 0xc0 ? (char *)devices[how >> 4 & 3] : NULL,
                           .status = how & 0x10 ? 6 : 1,
                           .is_self = (how & 0xe0) == 0x20};
    meet_roster_user(roster, &user);
}

static void take_output(MeetRoster *roster, const char *device, uint8_t how)
{
    static const char *const streams[] = {NULL, "", "7", "8"};
    const MeetOutput output = {how & 1 ? MEET_OUTPUT_AUDIO : MEET_OUTPUT_VIDEO,
                               (char *)streams[how >> 1 & 3], (char *)device, (how & 8) != 0};
    meet_roster_output(roster, &output);
}

/* The rows of a list: each of the following steps is one, up to @n. */
static void take_list(MeetRoster *roster, const uint8_t *steps, size_t n)
{
    static const char *const names[] = {"", "Al", "Bo", "Cy"};
    static const char *const groups[] = {"", "g", "h", "g"};
    g_autoptr(JsonArray) rows = json_array_new();
    for (size_t i = 0; i < n; i++) {
        const uint8_t *step = steps + i * N_BYTES;
        JsonObject *row = json_object_new();
        json_object_set_string_member(row, "device",
                                      step[1] & 8 ? "" : devices[step[1] % N_DEVICES]);
        json_object_set_string_member(row, "name", names[step[2] & 3]);
        json_object_set_string_member(row, "group", groups[step[2] >> 2 & 3]);
        json_object_set_boolean_member(row, "companion", (step[2] & 16) != 0);
        json_array_add_object_element(rows, row);
    }
    meet_roster_list(roster, rows);
}

static void check(MeetRoster *roster, const Here *here, const char *device)
{
    uint32_t source = 0;
    g_assert_cmpuint(meet_roster_n_present(roster), ==, g_hash_table_size(here->people));
    const char *person = meet_roster_person(roster, device);
    if (meet_roster_voice(roster, device, &source)) {
        g_assert_cmpuint(source, !=, 0);
        g_assert_true(g_hash_table_contains(here->people, person));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const MeetRosterEvents events = {on_participant, on_source};
    Here here = {g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                 g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    MeetRoster *roster = meet_roster_new(&events, &here);
    size_t n = size / N_BYTES;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *step = data + i * N_BYTES;
        const char *device = devices[step[1] % N_DEVICES];
        size_t n_rows = MIN(step[2] & 7, n - i - 1);
        switch (step[0] & 3) {
        case 0:
            take_user(roster, device, step[2]);
            break;
        case 1:
            take_output(roster, device, step[2]);
            break;
        case 2:
            take_list(roster, step + N_BYTES, n_rows);
            i += n_rows;
            break;
        default:
            meet_roster_begin_sync(roster);
            take_user(roster, device, step[2]);
            meet_roster_end_sync(roster);
        }
        check(roster, &here, device);
    }
    meet_roster_free(roster);
    g_hash_table_unref(here.people);
    g_hash_table_unref(here.rooms);
    return 0;
}
