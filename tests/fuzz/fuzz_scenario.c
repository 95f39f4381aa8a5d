// SPDX-License-Identifier: Apache-2.0
/* Needs tests/meeting/scenario.c only. */
#include "tests/meeting/scenario.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MeetingScenario) scenario =
        meeting_scenario_parse((const char *)data, (gssize)size, "/nonexistent", NULL, &error);
    g_assert((scenario == NULL) == (error != NULL));
    if (scenario == NULL)
        return 0;
    for (guint i = 0; i < scenario->people->len; i++) {
        const MeetingPerson *person = g_ptr_array_index(scenario->people, i);
        meeting_person_camera_on(scenario, person, 1);
        meeting_person_muted(scenario, person, 1);
        meeting_person_screen(person, 1);
    }
    return 0;
}
