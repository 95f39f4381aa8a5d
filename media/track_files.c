/* SPDX-License-Identifier: Apache-2.0 */
#include "media/track_files.h"

#include "media/ogg_writer.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <libavformat/avformat.h>
#include <stdlib.h>
#include <string.h>

/* A page is a hostile peer: it may name any number of sources. */
#define MAX_FILES 256
#define OWNER_SUFFIX ".owner"

typedef struct {
    MediaOggWriter *writer; /* owned */
    uint32_t owner;         /* as the file beside it says; 0: there is none */
} File;

struct MediaTrackFiles {
    char *dir;         /* owned */
    GHashTable *files; /* source -> owned File */
};

static void file_free(gpointer data)
{
    File *file = data;
    media_ogg_writer_free(file->writer);
    g_free(file);
}

MediaTrackFiles *media_track_files_new(const char *work_dir, GError **error)
{
    g_autoptr(MediaTrackFiles) files = g_new0(MediaTrackFiles, 1);
    files->dir = g_build_filename(work_dir, MEDIA_TRACKS_DIR, NULL);
    files->files = g_hash_table_new_full(NULL, NULL, NULL, file_free);
    if (g_mkdir_with_parents(files->dir, 0755) != 0) {
        media_set_errno(error, files->dir, errno);
        return NULL;
    }
    return g_steal_pointer(&files);
}

void media_track_files_free(MediaTrackFiles *files)
{
    g_hash_table_unref(files->files);
    g_free(files->dir);
    g_free(files);
}

static bool save_owner(const MediaTrackFiles *files, uint32_t source, uint32_t owner,
                       GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/%u" OWNER_SUFFIX, files->dir, source);
    g_autofree char *text = g_strdup_printf("%u\n", owner);
    g_autoptr(GError) problem = NULL;
    if (!g_file_set_contents(path, text, -1, &problem)) {
        bool full = g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
        g_set_error_literal(error, MEDIA_ERROR, full ? MEDIA_ERROR_DISK_FULL : MEDIA_ERROR_IO,
                            problem->message);
        return false;
    }
    return true;
}

/* NULL without @error: there are too many already. */
static File *get_file(MediaTrackFiles *files, uint32_t source, GError **error)
{
    File *file = g_hash_table_lookup(files->files, GUINT_TO_POINTER(source));
    if (file != NULL || g_hash_table_size(files->files) >= MAX_FILES) {
        return file;
    }
    g_autofree char *path = g_strdup_printf("%s/%u.ogg", files->dir, source);
    MediaOggWriter *writer = media_ogg_writer_new(path, error);
    if (writer == NULL) {
        return NULL;
    }
    file = g_new0(File, 1);
    file->writer = writer;
    g_hash_table_insert(files->files, GUINT_TO_POINTER(source), file);
    return file;
}

bool media_track_files_write(MediaTrackFiles *files, uint32_t source, uint32_t participant_id,
                             int64_t at_samples, const uint8_t *data, size_t size, GError **error)
{
    GError *problem = NULL;
    File *file = get_file(files, source, &problem);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    if (file == NULL) {
        return true;
    }
    if (participant_id != 0 && participant_id != file->owner) {
        if (!save_owner(files, source, participant_id, error)) {
            return false;
        }
        file->owner = participant_id;
    }
    return media_ogg_writer_write(file->writer, at_samples, data, size, error);
}

bool media_track_files_flush(MediaTrackFiles *files, GError **error)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, files->files);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (!media_ogg_writer_flush(((File *)value)->writer, error)) {
            return false;
        }
    }
    return true;
}

/* --- the end --------------------------------------------------------------------------------- */

/* One of the files of a participant being read. */
typedef struct {
    AVFormatContext *context; /* owned */
    AVPacket *packet;         /* owned: the next one */
    int64_t next;             /* where it stands; files have no gaps */
    int64_t length;           /* of the packet, in samples */
} Input;

static void input_free(gpointer data)
{
    Input *input = data;
    avformat_close_input(&input->context);
    av_packet_free(&input->packet);
    g_free(input);
}

/* False: at its end. */
static bool read_next(Input *input)
{
    input->next += input->length;
    av_packet_unref(input->packet);
    if (av_read_frame(input->context, input->packet) < 0 || input->packet->size <= 0) {
        return false;
    }
    AVRational samples = {1, MEDIA_AUDIO_RATE_HZ};
    input->length =
        av_rescale_q(input->packet->duration, input->context->streams[0]->time_base, samples);
    return true;
}

static Input *open_input(const char *path)
{
    Input *input = g_new0(Input, 1);
    input->packet = av_packet_alloc();
    if (avformat_open_input(&input->context, path, NULL, NULL) < 0 ||
        input->context->nb_streams == 0 || !read_next(input)) {
        input_free(input); /* killed before its first page */
        return NULL;
    }
    return input;
}

/* Whether it is nothing but a silent filler. */
static bool is_filler(const AVPacket *packet)
{
    return packet->size >= 3 && packet->data[packet->size - 1] == 0xfe &&
           packet->data[packet->size - 2] == 0xff && packet->size <= 14;
}

/* What was heard on several sources (a person who came again) is put in order of time. */
static bool join_inputs(GPtrArray *inputs, const char *path, GError **error)
{
    g_autofree char *partial = g_strconcat(path, ".partial", NULL);
    g_autoptr(MediaOggWriter) writer = media_ogg_writer_new(partial, error);
    bool ok = writer != NULL;
    while (ok && inputs->len > 0) {
        guint first = 0;
        for (guint i = 1; i < inputs->len; i++) {
            const Input *a = g_ptr_array_index(inputs, i), *b = g_ptr_array_index(inputs, first);
            first = a->next < b->next ? i : first;
        }
        Input *input = g_ptr_array_index(inputs, first);
        if (!is_filler(input->packet)) {
            ok = media_ogg_writer_write(writer, input->next, input->packet->data,
                                        (size_t)input->packet->size, error);
        }
        if (!read_next(input)) {
            g_ptr_array_remove_index(inputs, first);
        }
    }
    ok = ok && media_ogg_writer_close(writer, error);
    if (ok && g_rename(partial, path) != 0) {
        ok = media_set_errno(error, path, errno);
    }
    if (!ok) {
        g_unlink(partial);
    }
    return ok;
}

static uint32_t read_owner(const char *dir, const char *source)
{
    g_autofree char *path = g_strdup_printf("%s/%s" OWNER_SUFFIX, dir, source);
    g_autofree char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

/* Names of the files to be made (char*) -> paths of what goes into each (GPtrArray of char*). */
static GHashTable *plan(const char *dir)
{
    GHashTable *targets =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    g_autoptr(GDir) listing = g_dir_open(dir, 0, NULL);
    const char *name;
    while (listing != NULL && (name = g_dir_read_name(listing)) != NULL) {
        if (!g_str_has_suffix(name, ".ogg")) {
            continue;
        }
        g_autofree char *source = g_strndup(name, strlen(name) - strlen(".ogg"));
        uint32_t owner = read_owner(dir, source);
        g_autofree char *target = owner != 0 ? g_strdup_printf("%u.ogg", owner)
                                             : g_strdup_printf("source-%s.ogg", source);
        GPtrArray *paths = g_hash_table_lookup(targets, target);
        if (paths == NULL) {
            paths = g_ptr_array_new_with_free_func(g_free);
            g_hash_table_insert(targets, g_steal_pointer(&target), paths);
        }
        g_ptr_array_add(paths, g_build_filename(dir, name, NULL));
    }
    return targets;
}

static bool publish_one(GPtrArray *paths, const char *path, GError **error)
{
    g_autoptr(GPtrArray) inputs = g_ptr_array_new_with_free_func(input_free);
    for (guint i = 0; i < paths->len; i++) {
        Input *input = open_input(g_ptr_array_index(paths, i));
        if (input != NULL) {
            g_ptr_array_add(inputs, input);
        }
    }
    return inputs->len == 0 || join_inputs(inputs, path, error);
}

bool media_track_files_publish(const char *work_dir, const char *output_dir, GError **error)
{
    g_autofree char *from = g_build_filename(work_dir, MEDIA_TRACKS_DIR, NULL);
    g_autofree char *to = g_build_filename(output_dir, MEDIA_TRACKS_DIR, NULL);
    g_autoptr(GHashTable) targets = plan(from);
    if (g_hash_table_size(targets) > 0 && g_mkdir_with_parents(to, 0755) != 0) {
        return media_set_errno(error, to, errno);
    }
    GHashTableIter iter;
    gpointer name, paths;
    g_hash_table_iter_init(&iter, targets);
    while (g_hash_table_iter_next(&iter, &name, &paths)) {
        g_autofree char *path = g_build_filename(to, name, NULL);
        if (!publish_one(paths, path, error)) {
            return false;
        }
    }
    return true;
}
