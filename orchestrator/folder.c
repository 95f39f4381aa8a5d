/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/folder.h"

#include <gio/gio.h>

/* Returns whether nothing is left of @file; links are removed, not followed. */
static bool delete_tree(GFile *file)
{
    g_autoptr(GFileEnumerator) children = g_file_enumerate_children(
        file, G_FILE_ATTRIBUTE_STANDARD_NAME "," G_FILE_ATTRIBUTE_STANDARD_TYPE,
        G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, NULL);
    bool all = true;
    GFile *child = NULL;
    GFileInfo *info = NULL;
    while (children != NULL && g_file_enumerator_iterate(children, &info, &child, NULL, NULL) &&
           info != NULL) {
        bool folder = g_file_info_get_file_type(info) == G_FILE_TYPE_DIRECTORY;
        all = (folder ? delete_tree(child) : g_file_delete(child, NULL, NULL)) && all;
    }
    g_autoptr(GError) error = NULL;
    if (!g_file_delete(file, NULL, &error) &&
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
        g_warning("%s", error->message);
        return false;
    }
    return all;
}

bool orch_folder_delete(const char *path)
{
    g_autoptr(GFile) folder = g_file_new_for_path(path);
    return delete_tree(folder);
}
