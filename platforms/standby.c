/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/standby.h"

#include "platforms/standby_priv.h"

struct PlatformStandby {
    PlatformStandbyEvents events;
    gpointer user_data;
    Browser *browser; /* owned; NULL once it was taken */
};

static void on_ready(gpointer user_data)
{
    PlatformStandby *standby = user_data;
    standby->events.on_ready(standby->user_data);
}

static void on_navigated(const char *url, gpointer user_data)
{
    g_debug("the waiting browser is at %s", url);
}

static void on_lost(BrowserLost lost, const char *message, gpointer user_data)
{
    PlatformStandby *standby = user_data;
    standby->events.on_lost(message, standby->user_data);
}

PlatformStandby *platform_standby_new(JsonObject *browser, const PlatformStandbyEvents *events,
                                      gpointer user_data, GError **error)
{
    static const BrowserEvents browser_events = {
        .on_ready = on_ready, .on_navigated = on_navigated, .on_lost = on_lost};
    BrowserOptions *options = browser_options_new(browser, error);
    if (options == NULL) {
        return NULL;
    }
    g_autoptr(PlatformStandby) standby = g_new0(PlatformStandby, 1);
    standby->events = *events;
    standby->user_data = user_data;
    standby->browser = browser_new(options, NULL, &browser_events, standby, error);
    return standby->browser != NULL ? g_steal_pointer(&standby) : NULL;
}

void platform_standby_free(PlatformStandby *standby)
{
    if (standby != NULL) {
        g_clear_pointer(&standby->browser, browser_free);
        g_free(standby);
    }
}

Browser *platform_standby_take(PlatformStandby *standby, const BrowserOptions *wanted)
{
    if (standby == NULL || standby->browser == NULL) {
        return NULL;
    }
    if (!browser_is_lost(standby->browser) &&
        browser_options_equal(browser_get_options(standby->browser), wanted)) {
        return g_steal_pointer(&standby->browser);
    }
    g_info("the waiting browser does not fit: another one starts");
    g_clear_pointer(&standby->browser, browser_free);
    return NULL;
}
