/* SPDX-License-Identifier: Apache-2.0 */
#include "media/wav_file.h"

#include "media/frame.h"
#include "media/resampler.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define HEADER_SIZE 44

struct MediaWavFile {
    int fd;
    char *path;                /* owned */
    MediaResampler *resampler; /* owned */
    GArray *ready;             /* of int16_t, little-endian: not on the disk yet */
};

static void put_le(uint8_t *to, uint32_t value, int n_bytes)
{
    for (int i = 0; i < n_bytes; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

/* RIFF/WAVE, format 1 (PCM). */
static void make_header(uint8_t header[HEADER_SIZE], uint32_t data_bytes)
{
    memcpy(header, "RIFF\0\0\0\0WAVEfmt ", 16);
    put_le(header + 4, data_bytes + HEADER_SIZE - 8, 4);
    put_le(header + 16, 16, 4);
    put_le(header + 20, 1, 2);
    put_le(header + 22, 1, 2);
    put_le(header + 24, MEDIA_WAV_RATE_HZ, 4);
    put_le(header + 28, MEDIA_WAV_RATE_HZ * 2, 4);
    put_le(header + 32, 2, 2);
    put_le(header + 34, 16, 2);
    memcpy(header + 36, "data", 4);
    put_le(header + 40, data_bytes, 4);
}

static bool write_all(int fd, const char *path, const void *data, size_t size, GError **error)
{
    int number = media_write_all(fd, data, size);
    return number == 0 || media_set_errno(error, path, number);
}

MediaWavFile *media_wav_file_new(const char *work_dir, GError **error)
{
    g_autoptr(MediaWavFile) file = g_new0(MediaWavFile, 1);
    uint8_t header[HEADER_SIZE];
    file->path = g_build_filename(work_dir, MEDIA_WAV_NAME, NULL);
    file->ready = g_array_new(FALSE, FALSE, sizeof(int16_t));
    file->resampler = media_resampler_new(MEDIA_AUDIO_RATE_HZ, MEDIA_WAV_RATE_HZ);
    file->fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file->fd < 0) {
        media_set_errno(error, file->path, errno);
        return NULL;
    }
    make_header(header, 0);
    return write_all(file->fd, file->path, header, sizeof header, error) ? g_steal_pointer(&file)
                                                                         : NULL;
}

void media_wav_file_free(MediaWavFile *file)
{
    if (file->fd >= 0) {
        close(file->fd);
    }
    media_resampler_free(file->resampler);
    g_array_unref(file->ready);
    g_free(file->path);
    g_free(file);
}

void media_wav_file_push(MediaWavFile *file, const float *samples, int64_t n)
{
    int16_t block[480];
    for (int64_t at = 0; at < n;) {
        int64_t step = MIN(n - at, (int64_t)G_N_ELEMENTS(block));
        for (int64_t i = 0; i < step; i++) {
            block[i] = (int16_t)lrintf(CLAMP(samples[at + i], -1.0f, 1.0f) * 32767.0f);
        }
        media_resampler_push(file->resampler, block, (gsize)step, file->ready);
        at += step;
    }
}

bool media_wav_file_flush(MediaWavFile *file, GError **error)
{
    for (guint i = 0; G_BYTE_ORDER == G_BIG_ENDIAN && i < file->ready->len; i++) {
        int16_t *sample = &g_array_index(file->ready, int16_t, i);
        *sample = (int16_t)GINT16_TO_LE(*sample);
    }
    bool ok = write_all(file->fd, file->path, file->ready->data, file->ready->len * sizeof(int16_t),
                        error);
    g_array_set_size(file->ready, 0);
    return ok;
}

bool media_wav_file_finish(MediaWavFile *file, GError **error)
{
    media_resampler_drain(file->resampler, file->ready);
    return media_wav_file_flush(file, error);
}

bool media_wav_file_publish(const char *work_dir, const char *output_dir, GError **error)
{
    g_autofree char *from = g_build_filename(work_dir, MEDIA_WAV_NAME, NULL);
    g_autofree char *to = g_build_filename(output_dir, MEDIA_WAV_NAME, NULL);
    uint8_t header[HEADER_SIZE];
    int fd = open(from, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT || media_set_errno(error, from, errno);
    }
    off_t size = lseek(fd, 0, SEEK_END);
    off_t data = MAX(size - HEADER_SIZE, 0) & ~(off_t)1; /* a sample may have been cut in two */
    make_header(header, (uint32_t)MIN(data, (off_t)(G_MAXUINT32 - HEADER_SIZE)));
    bool ok = lseek(fd, 0, SEEK_SET) == 0 && write_all(fd, from, header, sizeof header, error);
    if (ok && (ftruncate(fd, HEADER_SIZE + data) != 0 || (fsync(fd) != 0 && errno != EINVAL) ||
               g_rename(from, to) != 0)) {
        ok = media_set_errno(error, to, errno);
    }
    close(fd);
    return ok;
}
