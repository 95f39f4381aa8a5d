/* SPDX-License-Identifier: Apache-2.0 */
#include "base/profile.h"
#include "orchestrator/folder.h"
#include "orchestrator/profile.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* Folders of browser profiles, without a browser. */

typedef struct {
    char *dir, *profile, *copy; /* owned */
} Files;

static void write_file(const char *folder, const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

static char *read_file(const char *folder, const char *name)
{
    char *text = NULL;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static bool exists(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    GStatBuf info;
    return g_lstat(path, &info) == 0;
}

static void set_up(Files *files)
{
    g_autoptr(GError) error = NULL;
    files->dir = g_dir_make_tmp("steno-profile-XXXXXX", &error);
    g_assert_no_error(error);
    files->profile = g_build_filename(files->dir, "notes", NULL);
    files->copy = g_build_filename(files->dir, "data", "profiles", "one", NULL);
    write_file(files->profile, "Local State", "state");
    write_file(files->profile, "Default/Network/Cookies", "old");
    write_file(files->profile, "Default/Local Storage/leveldb/000003.log", "log");
}

static void tear_down(Files *files)
{
    g_assert_true(orch_folder_delete(files->dir));
    g_free(files->dir);
    g_free(files->profile);
    g_free(files->copy);
}

static guint mode_of(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    GStatBuf info;
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    return info.st_mode & 0777;
}

static void test_a_copy_has_the_session_and_no_more(void)
{
    static const char *const left_out[] = {
        "Default/Cache/Cache_Data/f_000001",
        "Default/Code Cache/js/index",
        "Default/GPUCache/data_0",
        "Default/Service Worker/CacheStorage/a/b",
        "Crashpad/pending/x.dmp",
        "Default/Local Storage/leveldb/LOCK",
    };
    Files files = {0};
    g_autoptr(GError) error = NULL;
    set_up(&files);
    for (gsize i = 0; i < G_N_ELEMENTS(left_out); i++) {
        write_file(files.profile, left_out[i], "x");
    }
    write_file(files.profile, "Default/Service Worker/Database/CURRENT", "kept");
    g_autofree char *link = g_build_filename(files.profile, "Default", "passwords", NULL);
    g_autofree char *lock = g_build_filename(files.profile, "SingletonLock", NULL);
    g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
    g_assert_cmpint(symlink("elsewhere-1", lock), ==, 0);
    g_assert_true(orch_profile_copy(files.profile, files.copy, &error));
    g_assert_no_error(error);
    g_autofree char *cookies = read_file(files.copy, "Default/Network/Cookies");
    g_autofree char *log = read_file(files.copy, "Default/Local Storage/leveldb/000003.log");
    g_autofree char *worker = read_file(files.copy, "Default/Service Worker/Database/CURRENT");
    g_assert_cmpstr(cookies, ==, "old");
    g_assert_cmpstr(log, ==, "log");
    g_assert_cmpstr(worker, ==, "kept");
    for (gsize i = 0; i < G_N_ELEMENTS(left_out); i++) {
        g_assert_false(exists(files.copy, left_out[i]));
    }
    g_assert_false(exists(files.copy, "Default/passwords"));
    g_assert_false(exists(files.copy, "SingletonLock"));
    g_assert_cmpuint(mode_of(files.copy, "."), ==, 0700);
    g_assert_cmpuint(mode_of(files.copy, ".."), ==, 0700);
    g_assert_cmpuint(mode_of(files.copy, "Default/Network"), ==, 0700);
    g_assert_cmpuint(mode_of(files.copy, "Default/Network/Cookies"), ==, 0600);
    g_assert_false(orch_profile_copy(files.profile, files.copy, &error)); /* it is there already */
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS);
    g_assert_true(exists(files.copy, "Local State"));
    tear_down(&files);
}

static void test_a_session_is_put_back_whole_or_not_at_all(void)
{
    Files files = {0};
    g_autoptr(GError) error = NULL;
    set_up(&files);
    g_assert_true(orch_profile_copy(files.profile, files.copy, &error));
    write_file(files.copy, "Default/Network/Cookies", "rotated");
    g_autofree char *gone = g_build_filename(files.copy, "Local State", NULL);
    g_assert_cmpint(g_unlink(gone), ==, 0);
    g_autofree char *before = orch_profile_stamp(files.profile);
    write_file(files.dir, ".notes.steno-new/half", "of one that was cut short");
    g_assert_true(orch_profile_replace(files.profile, files.copy, &error));
    g_assert_no_error(error);
    g_autofree char *cookies = read_file(files.profile, "Default/Network/Cookies");
    g_autofree char *after = orch_profile_stamp(files.profile);
    g_assert_cmpstr(cookies, ==, "rotated");
    g_assert_false(exists(files.profile, "Local State"));
    g_assert_false(exists(files.profile, "half"));
    g_assert_false(exists(files.dir, ".notes.steno-new"));
    g_assert_cmpstr(before, !=, after);
    /* What can't be copied changes nothing and leaves nothing. */
    g_autofree char *nothing = g_build_filename(files.dir, "nothing", NULL);
    g_assert_false(orch_profile_replace(files.profile, nothing, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_autofree char *still = read_file(files.profile, "Default/Network/Cookies");
    g_autofree char *same = orch_profile_stamp(files.profile);
    g_assert_cmpstr(still, ==, "rotated");
    g_assert_cmpstr(same, ==, after);
    g_assert_false(exists(files.dir, ".notes.steno-new"));
    tear_down(&files);
}

static void test_a_folder_without_end_is_not_copied(void)
{
    Files files = {0};
    g_autoptr(GError) error = NULL;
    set_up(&files);
    g_autoptr(GString) path = g_string_new("a");
    for (guint i = 0; i < 40; i++) {
        g_string_append(path, "/a");
    }
    write_file(files.profile, path->str, "deep");
    g_assert_false(orch_profile_copy(files.profile, files.copy, &error));
    g_assert_nonnull(error);
    g_assert_false(g_file_test(files.copy, G_FILE_TEST_EXISTS));
    tear_down(&files);
}

static void test_a_profile_in_use_is_known_by_its_lock(void)
{
    Files files = {0};
    set_up(&files);
    g_autofree char *lock = g_build_filename(files.profile, "SingletonLock", NULL);
    const struct {
        char *owner;
        pid_t user;
    } cases[] = {
        {g_strdup_printf("%s-%d", g_get_host_name(), (int)getpid()), getpid()},
        {g_strdup_printf("another.host-%d", (int)getpid()), 0},
        {g_strdup_printf("%s-%d", g_get_host_name(), 0x3fffffff), 0}, /* nobody has it */
        {g_strdup("nonsense"), 0},
        {g_strdup("-99999999999999999999"), 0},
    };
    g_assert_cmpint(base_profile_user(files.profile), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(symlink(cases[i].owner, lock), ==, 0);
        g_assert_cmpint(base_profile_user(files.profile), ==, cases[i].user);
        g_assert_cmpint(g_unlink(lock), ==, 0);
        g_free(cases[i].owner);
    }
    tear_down(&files);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/profile/a_copy_has_the_session_and_no_more",
                    test_a_copy_has_the_session_and_no_more);
    g_test_add_func("/profile/a_session_is_put_back_whole_or_not_at_all",
                    test_a_session_is_put_back_whole_or_not_at_all);
    g_test_add_func("/profile/a_folder_without_end_is_not_copied",
                    test_a_folder_without_end_is_not_copied);
    g_test_add_func("/profile/a_profile_in_use_is_known_by_its_lock",
                    test_a_profile_in_use_is_known_by_its_lock);
    return g_test_run();
}
