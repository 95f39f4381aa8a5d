/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* renameat2, syncfs */

#include "orchestrator/profile.h"

#include "orchestrator/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEEPEST 32
#define PART_BYTES (1024 * 1024)

G_GNUC_PRINTF(2, 3)
static bool fail(GError **error, const char *format, ...)
{
    int code = errno;
    va_list list;
    va_start(list, format);
    g_autofree char *what = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", what, g_strerror(code));
    return false;
}

static bool is_left_out(const char *name)
{
    static const char *const names[] = {"BrowserMetrics",
                                        "Cache",
                                        "CacheStorage",
                                        "Code Cache",
                                        "Crash Reports",
                                        "Crashpad",
                                        "DawnCache",
                                        "GPUCache",
                                        "DawnWebGPUCache",
                                        "DawnGraphiteCache",
                                        "GrShaderCache",
                                        "ShaderCache",
                                        "GraphiteDawnCache",
                                        "ScriptCache",
                                        "LOCK",
                                        "lockfile",
                                        NULL};
    return g_strv_contains(names, name) || g_str_has_prefix(name, "Singleton") ||
           g_str_has_prefix(name, "BrowserMetrics-");
}

/* --- copying --- */

/* As root, what is put back stays its owner's. */
static void keep_owner(int fd, const struct stat *owner)
{
    if (geteuid() == 0 && fchown(fd, owner->st_uid, owner->st_gid) != 0) {
        g_debug("a profile's file changes its owner: %s", g_strerror(errno));
    }
}

static bool copy_bytes(int from, int to)
{
    for (;;) {
        ssize_t n = copy_file_range(from, NULL, to, NULL, PART_BYTES, 0);
        if (n == 0) {
            return true;
        }
        if (n < 0 &&
            (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
            break; /* older kernels, other file systems */
        }
        if (n < 0 && errno != EINTR) {
            return false;
        }
    }
    g_autofree char *part = g_malloc(PART_BYTES);
    for (;;) {
        ssize_t n = read(from, part, PART_BYTES);
        if (n <= 0) {
            return n == 0;
        }
        for (ssize_t done = 0; done < n;) {
            ssize_t written = write(to, part + done, (size_t)(n - done));
            if (written < 0) {
                return false;
            }
            done += written;
        }
    }
}

static bool copy_file(int from_dir, int to_dir, const char *name, const struct stat *owner,
                      GError **error)
{
    int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (from < 0) {
        return errno == ENOENT || fail(error, "%s", name); /* gone meanwhile */
    }
    int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = to >= 0 && copy_bytes(from, to);
    if (!good) {
        fail(error, "%s", name);
    } else {
        keep_owner(to, owner);
    }
    close(from);
    if (to >= 0 && close(to) != 0 && good) {
        good = fail(error, "%s", name);
    }
    return good;
}

static bool copy_folder(int from_dir, int to_dir, const struct stat *owner, guint depth,
                        GError **error);

static bool copy_child_folder(int from_dir, int to_dir, const char *name, const struct stat *owner,
                              guint depth, GError **error)
{
    int from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int to = from >= 0 && mkdirat(to_dir, name, 0700) == 0
                 ? openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                 : -1;
    bool good = to >= 0 ? copy_folder(from, to, owner, depth + 1, error) : fail(error, "%s", name);
    if (from >= 0) {
        close(from);
    }
    if (to >= 0) {
        close(to);
    }
    return good;
}

static bool copy_entry(int from_dir, int to_dir, const char *name, const struct stat *owner,
                       guint depth, GError **error)
{
    struct stat info;
    if (is_left_out(name)) {
        return true;
    }
    if (fstatat(from_dir, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT || fail(error, "%s", name);
    }
    bool good = true;
    if (S_ISDIR(info.st_mode)) {
        good = copy_child_folder(from_dir, to_dir, name, owner, depth, error);
    } else if (S_ISREG(info.st_mode)) {
        good = copy_file(from_dir, to_dir, name, owner, error);
    }
    return good;
}

static bool copy_folder(int from_dir, int to_dir, const struct stat *owner, guint depth,
                        GError **error)
{
    int fd = depth < DEEPEST ? dup(from_dir) : -1;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        errno = depth < DEEPEST ? errno : ELOOP;
        return fail(error, "a folder of the profile");
    }
    keep_owner(to_dir, owner);
    bool good = true;
    struct dirent *entry;
    while (good && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            good = copy_entry(from_dir, to_dir, entry->d_name, owner, depth, error);
        }
    }
    closedir(dir);
    return good;
}

/* @durable: it is on the disk before this returns. */
static bool copy_tree(const char *from, const char *to, const struct stat *owner, bool durable,
                      GError **error)
{
    int from_fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (from_fd < 0) {
        return fail(error, "%s", from);
    }
    bool made = mkdir(to, 0700) == 0;
    int to_fd = made ? open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    bool good = to_fd >= 0 ? copy_folder(from_fd, to_fd, owner, 0, error) : fail(error, "%s", to);
    if (good && durable && syncfs(to_fd) != 0) {
        good = fail(error, "%s", to);
    }
    close(from_fd);
    if (to_fd >= 0) {
        close(to_fd);
    }
    if (!good && made) {
        (void)orch_folder_delete(to);
    }
    return good;
}

bool orch_profile_copy(const char *from, const char *to, GError **error)
{
    struct stat self = {.st_uid = geteuid(), .st_gid = getegid()};
    g_autofree char *parent = g_path_get_dirname(to);
    if (g_mkdir_with_parents(parent, 0700) != 0) {
        return fail(error, "%s", parent);
    }
    return copy_tree(from, to, &self, false, error);
}

/* --- putting back --- */

bool orch_profile_replace(const char *profile, const char *from, GError **error)
{
    struct stat owner;
    if (stat(profile, &owner) != 0) {
        return fail(error, "%s", profile);
    }
    g_autofree char *parent = g_path_get_dirname(profile);
    g_autofree char *base = g_path_get_basename(profile);
    g_autofree char *beside = g_strdup_printf("%s/.%s.steno-new", parent, base);
    if (!orch_folder_delete(beside)) { /* of one that was cut short */
        errno = EEXIST;
        return fail(error, "%s", beside);
    }
    if (!copy_tree(from, beside, &owner, true, error)) {
        return false;
    }
    bool good = renameat2(AT_FDCWD, beside, AT_FDCWD, profile, RENAME_EXCHANGE) == 0 ||
                fail(error, "%s can't be exchanged for its new state", profile);
    (void)orch_folder_delete(beside);
    return good;
}

/* --- what changed --- */

static void add_stamp(GString *stamp, const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0) {
        g_string_append_printf(stamp, "%" G_GINT64_FORMAT ".%09ld:%" G_GINT64_FORMAT,
                               (gint64)info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                               (gint64)info.st_size);
    }
    g_string_append_c(stamp, ' ');
}

char *orch_file_stamp(const char *path)
{
    GString *stamp = g_string_new(NULL);
    add_stamp(stamp, path);
    return g_string_free(stamp, FALSE);
}

char *orch_profile_stamp(const char *profile)
{
    static const char *const files[] = {"Default/Network/Cookies",     "Default/Cookies",
                                        "Default/Network/Cookies-wal", "Default/Cookies-wal",
                                        "Default/Preferences",         "Local State"};
    GString *stamp = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(profile, files[i], NULL);
        add_stamp(stamp, path);
    }
    return g_string_free(stamp, FALSE);
}
