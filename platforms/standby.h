/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * A browser that is started before it is known which meeting it will join: no page but a blank one,
 * and no script of ours. Give it to platform_new; a browser part that differs from this one's
 * starts another browser. Main thread only; events come from the main context.
 */

typedef struct PlatformStandby PlatformStandby;

typedef struct {
    void (*on_ready)(gpointer user_data);
    /* Once, last; also when the start failed. A lost browser is not taken: another one starts. */
    void (*on_lost)(const char *message, gpointer user_data);
} PlatformStandbyEvents;

/**
 * platform_standby_new:
 * @browser: (nullable): the configuration's "browser" part, checked
 *
 * Errors: PLATFORM_ERROR_BROWSER.
 */
PlatformStandby *platform_standby_new(JsonObject *browser, const PlatformStandbyEvents *events,
                                      gpointer user_data, GError **error);
/** Ends the browser if nobody took it. Blocks at most 3 s. */
void platform_standby_free(PlatformStandby *standby);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlatformStandby, platform_standby_free)
