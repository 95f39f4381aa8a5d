/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/platform.h"

/* Below all other files here: what they report. */

G_DEFINE_QUARK(platform_error, platform_error)

const char *platform_left_to_string(PlatformLeft left)
{
    static const char *const names[] = {
        [PLATFORM_LEFT_REQUESTED] = "requested",
        [PLATFORM_LEFT_DENIED] = "denied",
        [PLATFORM_LEFT_LOBBY_TIMEOUT] = "lobby_timeout",
        [PLATFORM_LEFT_NOT_FOUND] = "not_found",
        [PLATFORM_LEFT_LOGIN_REQUIRED] = "login_required",
        [PLATFORM_LEFT_CAPTCHA] = "captcha",
        [PLATFORM_LEFT_BOTS_NOT_ALLOWED] = "bots_not_allowed",
        [PLATFORM_LEFT_REMOVED] = "removed",
        [PLATFORM_LEFT_ENDED] = "ended",
        [PLATFORM_LEFT_PAGE_LOST] = "page_lost",
        [PLATFORM_LEFT_NETWORK_LOST] = "network_lost",
        [PLATFORM_LEFT_UI_NOT_FOUND] = "ui_not_found",
        [PLATFORM_LEFT_INTERNAL] = "internal",
    };
    return names[left];
}
