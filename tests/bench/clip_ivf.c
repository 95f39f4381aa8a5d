/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clip-ivf SCENARIO FOLDER: writes the VP8 pictures that each camera of a scenario sends, as
 * FOLDER/<band number>.ivf, so that a recording can be compared with its source. The
 * file begins with a key frame; each picture's band tells its place in the loop.
 */
#include "tests/meeting/clip.h"

#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

#define VP8_DESCRIPTOR_BYTES 4 /* RFC 7741 with a 15-bit picture id */

static void write_le(FILE *file, guint64 value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++) {
        fputc((int)(value >> (8 * i) & 0xff), file);
    }
}

static void write_frame(FILE *file, const MeetingClipFrame *frame, guint number)
{
    gsize length = 0;
    for (guint i = 0; i < frame->payloads->len; i++) {
        length += g_bytes_get_size(frame->payloads->pdata[i]) - VP8_DESCRIPTOR_BYTES;
    }
    write_le(file, length, 4);
    write_le(file, number, 8);
    for (guint i = 0; i < frame->payloads->len; i++) {
        gsize size;
        const guint8 *data = g_bytes_get_data(frame->payloads->pdata[i], &size);
        fwrite(data + VP8_DESCRIPTOR_BYTES, 1, size - VP8_DESCRIPTOR_BYTES, file);
    }
}

static bool write_clip(const MeetingCamera *camera, unsigned number, const char *folder,
                       GError **error)
{
    g_autofree char *cache = g_build_filename(g_get_user_cache_dir(), "steno-meeting", NULL);
    g_autoptr(MeetingClip) clip = meeting_clip_new(camera, number, cache, error);
    if (clip == NULL) {
        return false;
    }
    g_autofree char *path = g_strdup_printf("%s/%u.ivf", folder, number);
    FILE *file = fopen(path, "wbe");
    if (file == NULL) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s can't be written", path);
        return false;
    }
    fwrite("DKIF\0\0 \0VP80", 1, 12, file); /* version 0, header of 32 bytes */
    write_le(file, (guint64)clip->width, 2);
    write_le(file, (guint64)clip->height, 2);
    write_le(file, (guint64)clip->fps, 4);
    write_le(file, 1, 4);
    write_le(file, clip->n_frames, 4);
    write_le(file, 0, 4);
    guint first = 0; /* a loop may begin between key frames */
    while (first < clip->n_frames && !clip->frames[first].key) {
        first++;
    }
    for (guint i = 0; i < clip->n_frames; i++) {
        write_frame(file, &clip->frames[(first + i) % clip->n_frames], i);
    }
    return fclose(file) == 0;
}

static bool write_all(const char *scenario_path, const char *folder, GError **error)
{
    g_autofree char *json = NULL;
    gsize length;
    if (!g_file_get_contents(scenario_path, &json, &length, error)) {
        return false;
    }
    g_autofree char *base = g_path_get_dirname(scenario_path);
    g_autoptr(MeetingScenario) scenario =
        meeting_scenario_parse(json, (gssize)length, base, NULL, error);
    for (guint i = 0; scenario != NULL && i < scenario->people->len; i++) {
        const MeetingPerson *person = scenario->people->pdata[i];
        bool vp8 = person->camera != NULL && person->camera->codec == MEETING_CODEC_VP8;
        if (vp8 && !write_clip(person->camera, (unsigned)person->number, folder, error)) {
            return false;
        }
    }
    return scenario != NULL;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (argc != 3) {
        fprintf(stderr, "usage: clip-ivf SCENARIO FOLDER\n");
        return 2;
    }
    gst_init(NULL, NULL);
    if (!write_all(argv[1], argv[2], &error)) {
        fprintf(stderr, "clip-ivf: %s\n", error->message);
        return 1;
    }
    return 0;
}
