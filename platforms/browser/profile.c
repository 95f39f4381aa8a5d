/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/browser/profile.h"

#include "platforms/platform.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "steno-browser-"
#define LOCK_NAME "owner.lock"
#define MAX_OPEN_DIRS 16
/* Before it has its lock a folder looks abandoned; none stays that way this long. */
#define YOUNG_S 30

struct BrowserProfile {
    char *folder; /* owned */
    char *path;   /* owned */
    char *tmp;    /* owned */
    int lock_fd;
};

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    remove(path);
    return 0;
}

void browser_remove_tree(const char *path)
{
    nftw(path, remove_entry, MAX_OPEN_DIRS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static int open_lock(const char *folder, const char *name, int flags)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    int fd = open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Locked before it has its name: whoever sees it sees that somebody is there. */
static int make_lock(const char *folder)
{
    int fd = open_lock(folder, LOCK_NAME ".new", O_CREAT);
    g_autofree char *made = g_build_filename(folder, LOCK_NAME ".new", NULL);
    g_autofree char *path = g_build_filename(folder, LOCK_NAME, NULL);
    if (fd >= 0 && g_rename(made, path) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* What Chromium puts into its TMPDIR: a socket, whose whole path fits into sun_path or Chromium
 * aborts. */
#define SOCKET_PATH "/" PREFIX "XXXXXX/tmp/org.chromium.Chromium.XXXXXX/SingletonSocket"

const char *browser_profile_base(const char *tmp_dir)
{
    const struct sockaddr_un *address = NULL;
    return strlen(tmp_dir) + sizeof SOCKET_PATH <= sizeof address->sun_path ? tmp_dir : "/tmp";
}

BrowserProfile *browser_profile_new(GError **error)
{
    g_autoptr(BrowserProfile) profile = g_new0(BrowserProfile, 1);
    profile->lock_fd = -1;
    profile->folder =
        g_build_filename(browser_profile_base(g_get_tmp_dir()), PREFIX "XXXXXX", NULL);
    if (g_mkdtemp(profile->folder) == NULL) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER,
                    "no temporary folder for the browser: %s: %s (TMPDIR says where)",
                    profile->folder, g_strerror(errno));
        g_clear_pointer(&profile->folder, g_free);
        return NULL;
    }
    profile->lock_fd = make_lock(profile->folder);
    profile->path = g_build_filename(profile->folder, "profile", NULL);
    profile->tmp = g_build_filename(profile->folder, "tmp", NULL);
    if (profile->lock_fd < 0 || g_mkdir(profile->path, 0700) != 0 ||
        g_mkdir(profile->tmp, 0700) != 0) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER, "%s: %s", profile->folder,
                    g_strerror(errno));
        return NULL;
    }
    return g_steal_pointer(&profile);
}

void browser_profile_free(BrowserProfile *profile)
{
    if (profile == NULL) {
        return;
    }
    if (profile->folder != NULL) {
        browser_remove_tree(profile->folder);
    }
    if (profile->lock_fd >= 0) {
        close(profile->lock_fd);
    }
    g_free(profile->folder);
    g_free(profile->path);
    g_free(profile->tmp);
    g_free(profile);
}

const char *browser_profile_get_path(BrowserProfile *profile)
{
    return profile->path;
}

const char *browser_profile_get_tmp(BrowserProfile *profile)
{
    return profile->tmp;
}

static bool reap_one(const char *folder)
{
    GStatBuf info;
    if (g_lstat(folder, &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != geteuid()) {
        return false;
    }
    int lock_fd = open_lock(folder, LOCK_NAME, 0);
    if (lock_fd < 0) {
        g_autofree char *lock = g_build_filename(folder, LOCK_NAME, NULL);
        bool has_owner = g_file_test(lock, G_FILE_TEST_EXISTS);
        if (has_owner || time(NULL) - info.st_mtime < YOUNG_S) {
            return false;
        }
    }
    browser_remove_tree(folder);
    if (lock_fd >= 0) {
        close(lock_fd);
    }
    return !g_file_test(folder, G_FILE_TEST_EXISTS);
}

unsigned browser_profile_reap(void)
{
    const char *base = browser_profile_base(g_get_tmp_dir());
    g_autoptr(GDir) dir = g_dir_open(base, 0, NULL);
    unsigned n_reaped = 0;
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_prefix(name, PREFIX)) {
            g_autofree char *folder = g_build_filename(base, name, NULL);
            n_reaped += reap_one(folder) ? 1 : 0;
        }
    }
    return n_reaped;
}
