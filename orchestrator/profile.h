/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Folders of browser profiles: a copy for each run, and its session back into the one that it came
 * from. What Chromium makes again by itself (caches, crash reports, locks) is left out; links are
 * never followed. They block; any thread.
 */

/**
 * orch_profile_copy:
 * @to: must not exist; its owner's alone (0700), like its parents that are made
 *
 * What was copied when it fails is deleted. Errors: G_IO_ERROR.
 */
bool orch_profile_copy(const char *from, const char *to, GError **error);

/**
 * orch_profile_replace:
 *
 * Put a copy of @from in the place of @profile, in one step: whoever looks, also after a power
 * failure, finds the old one or the new one, whole. Errors: G_IO_ERROR: @profile is as it was.
 */
bool orch_profile_replace(const char *profile, const char *from, GError **error);

/** (transfer full): another text whenever the session in @profile is changed. */
char *orch_profile_stamp(const char *profile);
/** Likewise of one file. */
char *orch_file_stamp(const char *path);
