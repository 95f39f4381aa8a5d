/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

/**
 * base_profile_user:
 *
 * The process of this machine that uses the browser profile in the folder @profile; 0: none does.
 * Chromium's own lock is a link to "HOST-PID", which a killed browser leaves. Any thread.
 */
pid_t base_profile_user(const char *profile);
