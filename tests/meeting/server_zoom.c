// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/server_zoom.h"

#include "tests/meeting/bot_zoom.h"
#include "tests/meeting/quirks.h"

#include <string.h>

#define ZOOM_ID "82359876543"
#define ZOOM_NAME "alice.martin"
#define ZOOM_TK "w2tk.0-Alice_7"
#define LONG_TOKEN "aZ3kQ9xVb7LmN2pRt5WcY8dEf1GhJ4.1" /* a link's, not what the field takes */

/* A webinar's registrants are known by their token alone. */
static bool lacks_token(const MeetingScenario *scenario, GHashTable *query)
{
    const char *tk = query != NULL ? g_hash_table_lookup(query, "tk") : NULL;
    return scenario->ui == MEETING_UI_FULL && g_strcmp0(tk, ZOOM_TK) != 0;
}

/* The older client has a page of its own until the host has started. */
static bool waits_for_host(Meeting *meeting, gint64 *first_us)
{
    const MeetingScenario *scenario = meeting_scenario(meeting);
    gint64 now_us = g_get_monotonic_time();
    *first_us = *first_us != 0 ? *first_us : now_us;
    bool late = scenario->lobby_after_s > 0 &&
                now_us - *first_us >= (gint64)(scenario->lobby_after_s * 1e6);
    bool has_page =
        scenario->wording == MEETING_WORDING_OLD || meeting_has_quirk(scenario, "error_page");
    return scenario->lobby_mode == MEETING_LOBBY_HOST_ABSENT && has_page && !late;
}

char *meeting_zoom_page(Meeting *meeting, const char *path, GHashTable *query, const char *client,
                        gint64 *first_us)
{
    const MeetingScenario *scenario = meeting_scenario(meeting);
    bool join = g_str_equal(path, "/wc/" ZOOM_ID "/join");
    bool framed = g_str_equal(path, "/wc/" ZOOM_ID "/start") && scenario->in_frame;
    if (g_str_equal(path, "/j/" ZOOM_ID) || g_str_equal(path, "/w/" ZOOM_ID) ||
        g_str_equal(path, "/s/" ZOOM_ID) || g_str_equal(path, "/my/" ZOOM_NAME))
        return g_strdup("launcher-" ZOOM_ID);
    if (!join && !framed)
        return g_str_has_prefix(path, "/wc/") ? g_strdup("not_found") : NULL;
    if (lacks_token(scenario, query))
        return g_strdup("not_found");
    if (join && waits_for_host(meeting, first_us))
        return g_strdup("not_started");
    if (join && scenario->in_frame)
        return g_strdup("shell");
    return g_strdup(client);
}

void meeting_zoom_fill_in(const MeetingScenario *scenario, const char *variant, GString *html)
{
    bool asks = scenario->passcode != MEETING_PASSCODE_NONE;
    g_string_replace(html, "@TITLE@", g_str_equal(variant, "not_started") ? "Error - Zoom" : "Zoom",
                     0);
    g_string_replace(html, "@NO_DEVICES@", scenario->no_devices ? "yes" : "no", 0);
    g_string_replace(html, "@PASSCODE@", asks ? "asked" : "none", 0);
    g_string_replace(html, "@ROSTER@", scenario->no_roster ? "nothing" : "list", 0);
    g_string_replace(html, "@TELLS@", scenario->tells == MEETING_TELLS_NOTHING ? "nothing" : "page",
                     0);
}

char *meeting_zoom_url(const MeetingScenario *scenario)
{
    static const char *const urls[] = {"https://us05web.zoom.us/j/" ZOOM_ID "?from=addon",
                                       "https://acme.zoom.us/w/" ZOOM_ID "?tk=" ZOOM_TK,
                                       "https://zoom.us/my/" ZOOM_NAME "?omn=1"};
    static const char *const passcodes[] = {"", "&pwd=" MEETING_ZOOM_PASSCODE, "&pwd=wrong-one",
                                            ""};
    bool is_token = meeting_has_quirk(scenario, "short_passcode");
    return g_strconcat(urls[scenario->ui],
                       is_token ? "&pwd=" LONG_TOKEN : passcodes[scenario->passcode], NULL);
}
