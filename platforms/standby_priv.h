/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/browser/browser.h"
#include "platforms/standby.h"

/**
 * platform_standby_take:
 * @standby: (nullable)
 *
 * Returns (transfer full) (nullable) its browser, for browser_adopt. One that was started otherwise
 * than @wanted says, or is lost, is ended first: two browsers never share a profile.
 */
Browser *platform_standby_take(PlatformStandby *standby, const BrowserOptions *wanted);
