/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/** Delete @path and all below it; links are removed, not followed. False: something is left. Any
 * thread. */
bool orch_folder_delete(const char *path);
