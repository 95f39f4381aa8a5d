/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/orchestrator/accounts.h"

#include "orchestrator/folder.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

void accounts_write(const Accounts *accounts, const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(accounts->profile, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
}

void accounts_make(Accounts *accounts)
{
    g_autoptr(GError) error = NULL;
    accounts->dir = g_dir_make_tmp("steno-accounts-XXXXXX", &error);
    g_assert_no_error(error);
    accounts->profile = g_build_filename(accounts->dir, "notes", NULL);
    accounts_write(accounts, "Default/Network/Cookies", "old");
    accounts_write(accounts, "Local State", "{}");
}

void accounts_clear(Accounts *accounts)
{
    g_assert_true(orch_folder_delete(accounts->dir));
    g_clear_pointer(&accounts->dir, g_free);
    g_clear_pointer(&accounts->profile, g_free);
}

char *accounts_config(const Accounts *accounts, const char *use, const char *more)
{
    return g_strdup_printf("{\"accounts_use\":\"%s\",\"accounts\":[{\"name\":\"notes\","
                           "\"platform\":\"meet\",\"profile_dir\":\"%s\",%s}]}",
                           use, accounts->profile, more);
}

void accounts_set_up(Accounts *accounts, Fixture *fixture, const char *use, const char *more)
{
    accounts_make(accounts);
    g_autofree char *config = accounts_config(accounts, use, more);
    fixture_set_up(fixture, config);
}

void accounts_tear_down(Accounts *accounts, Fixture *fixture)
{
    fixture_tear_down(fixture);
    accounts_clear(accounts);
}
