// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/quirks.h"

static const char *const meet[] = {NULL};
static const char *const teams[] = {"captcha_dialog", "no_audio", "other_texts", "spanish_launcher",
                                    "few_controls",   "labels",   "other_call",  NULL};
static const char *const zoom[] = {
    "live_call", "no_sound",    "device_prompt",  "error_page",    "captcha_anchor",
    "bot_wall",  "other_texts", "short_passcode", "quiet_gallery", "redirected",
    NULL,
};
static const char *const *const known[] = {[MEETING_PLATFORM_MEET] = meet,
                                           [MEETING_PLATFORM_TEAMS] = teams,
                                           [MEETING_PLATFORM_ZOOM] = zoom};

char *meeting_quirk_check(MeetingPlatform platform, const char *name)
{
    return g_strv_contains(known[platform], name) ? NULL
                                                  : g_strjoinv(", ", (char **)known[platform]);
}

bool meeting_has_quirk(const MeetingScenario *scenario, const char *name)
{
    for (guint i = 0; i < scenario->quirks->len; i++) {
        if (g_str_equal(g_ptr_array_index(scenario->quirks, i), name))
            return true;
    }
    return false;
}

char *meeting_quirks_join(const MeetingScenario *scenario)
{
    g_autoptr(GString) all = g_string_new(NULL);
    for (guint i = 0; i < scenario->quirks->len; i++)
        g_string_append_printf(all, "%s%s", i > 0 ? " " : "",
                               (const char *)g_ptr_array_index(scenario->quirks, i));
    return g_string_free(g_steal_pointer(&all), FALSE);
}
