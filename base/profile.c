/* SPDX-License-Identifier: Apache-2.0 */
#include "base/profile.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

pid_t base_profile_user(const char *profile)
{
    g_autofree char *lock = g_build_filename(profile, "SingletonLock", NULL);
    g_autofree char *owner = g_file_read_link(lock, NULL);
    char *dash = owner != NULL ? strrchr(owner, '-') : NULL;
    gint64 pid = dash != NULL ? g_ascii_strtoll(dash + 1, NULL, 10) : 0;
    if (pid <= 0 || pid > G_MAXINT) {
        return 0;
    }
    *dash = '\0';
    bool gone = kill((pid_t)pid, 0) != 0 && errno == ESRCH;
    return !gone && strcmp(owner, g_get_host_name()) == 0 ? (pid_t)pid : 0;
}
