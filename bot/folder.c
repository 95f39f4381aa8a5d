/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

struct BotFolder {
    char *path;        /* owned */
    char *config_path; /* owned */
    int lock_fd;
};

static void set_errno_error(GError **error, const char *path)
{
    int code = errno;
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code), "%s: %s", path, g_strerror(code));
}

BotFolder *bot_folder_open(const char *path, bool create, GError **error)
{
    if (create && g_mkdir_with_parents(path, 0755) != 0) {
        set_errno_error(error, path);
        return NULL;
    }
    g_autofree char *lock = g_build_filename(path, ".lock", NULL);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        set_errno_error(error, path);
        return NULL;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_BUSY,
                    "%s: another worker is at work in this folder", path);
        return NULL;
    }
    BotFolder *folder = g_new0(BotFolder, 1);
    folder->path = g_strdup(path);
    folder->config_path = g_build_filename(path, ".worker.json", NULL);
    folder->lock_fd = fd;
    return folder;
}

void bot_folder_close(BotFolder *folder)
{
    close(folder->lock_fd);
    g_free(folder->path);
    g_free(folder->config_path);
    g_free(folder);
}

bool bot_folder_keep_config(BotFolder *folder, const BotConfig *config, GError **error)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, config->document);
    g_autofree char *text = json_to_string(node, TRUE);
    return g_file_set_contents_full(folder->config_path, text, -1,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                    0600, error);
}

BotConfig *bot_folder_load_config(BotFolder *folder, GError **error)
{
    g_autofree char *text = NULL;
    gsize length;
    if (!g_file_get_contents(folder->config_path, &text, &length, error)) {
        return NULL;
    }
    return bot_config_new_from_data(text, (gssize)length, error);
}

void bot_folder_forget_config(BotFolder *folder)
{
    (void)g_unlink(folder->config_path);
}
