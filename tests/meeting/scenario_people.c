// SPDX-License-Identifier: Apache-2.0
/* Presence, camera, microphone and screen of a scenario's people, as functions of meeting time. */
#include "tests/meeting/scenario.h"

bool meeting_person_present(const MeetingPerson *person, double at_s)
{
    return at_s >= person->join_s && at_s < person->leave_s;
}

/* The state that the latest of two opposite events left, or @initial. */
static bool switched(const MeetingScenario *scenario, const MeetingPerson *person, double at_s,
                     MeetingAction on, MeetingAction off, bool initial)
{
    bool state = initial;
    for (guint i = 0; i < scenario->events->len; i++) {
        const MeetingEvent *event = g_ptr_array_index(scenario->events, i);
        if (event->at_s > at_s)
            break;
        if (event->person == person && (event->action == on || event->action == off))
            state = event->action == on;
    }
    return state;
}

bool meeting_person_camera_on(const MeetingScenario *scenario, const MeetingPerson *person,
                              double at_s)
{
    return person->camera != NULL && meeting_person_present(person, at_s) &&
           switched(scenario, person, at_s, MEETING_DO_CAMERA_ON, MEETING_DO_CAMERA_OFF, true);
}

bool meeting_person_muted(const MeetingScenario *scenario, const MeetingPerson *person, double at_s)
{
    return switched(scenario, person, at_s, MEETING_DO_MUTE, MEETING_DO_UNMUTE, person->muted);
}

const MeetingScreen *meeting_person_screen(const MeetingPerson *person, double at_s)
{
    for (guint i = 0; i < person->screens->len; i++) {
        const MeetingScreen *screen = g_ptr_array_index(person->screens, i);
        if (at_s >= screen->from_s && at_s < screen->to_s && meeting_person_present(person, at_s))
            return screen;
    }
    return NULL;
}
