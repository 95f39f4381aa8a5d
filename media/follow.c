/* SPDX-License-Identifier: Apache-2.0 */
#include "media/follow.h"

#include "base/backoff.h"
#include "media/fragment.h"
#include "media/join.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* One working file, which grows. */
typedef struct {
    GCancellable *cancellable; /* borrowed */
    guint poll_ms;
    int fd;
    int64_t offset;  /* of the next box */
    GArray *samples; /* MediaFragmentSample: of the fragment before it */
    guint n_read;
    bool failed;
} Growing;

/* A stretch of one of them. */
typedef struct {
    int fd;
    int64_t offset, size;
} Range;

typedef struct {
    MediaJoin join; /* first: its write gets this */
    Growing video, audio;
    const MediaFollowConfig *config;
    MediaFollowFunc on_part;
    gpointer user_data;
    GCancellable *cancellable;
    GArray *ranges; /* of Range: what was not told yet */
    int64_t bytes;  /* in them */
} Follow;

/* Whether the file has so many bytes by now, or will have them. */
static bool await_bytes(const Growing *growing, int64_t n)
{
    struct stat status;
    while (fstat(growing->fd, &status) == 0) {
        if (status.st_size >= n) {
            return true;
        }
        if (!base_backoff_wait(growing->poll_ms, growing->cancellable)) {
            return false;
        }
    }
    return false;
}

static bool read_at(int fd, int64_t offset, uint8_t *to, int64_t size)
{
    int64_t done = 0;
    while (done < size) {
        ssize_t n = pread(fd, to + done, (size_t)(size - done), offset + done);
        if (n <= 0) {
            return false;
        }
        done += n;
    }
    return true;
}

static bool read_index(Growing *growing, int64_t offset, int64_t size)
{
    if (size > MEDIA_FRAGMENT_MAX_INDEX) {
        return false;
    }
    g_autofree uint8_t *data = g_malloc((gsize)size);
    return read_at(growing->fd, offset, data, size) &&
           media_fragment_parse(data, (size_t)size, growing->offset, growing->samples);
}

/* The next box, once it is whole. What stands in an "mdat" is only looked at by its packets. */
static bool read_box(Growing *growing)
{
    uint8_t data[16];
    uint32_t type;
    int header;
    /* No box of ours ends a file with less than this behind its header. */
    if (!await_bytes(growing, growing->offset + (int64_t)sizeof data) ||
        !read_at(growing->fd, growing->offset, data, sizeof data)) {
        return false;
    }
    int64_t size = media_fragment_box(data, &type, &header);
    if (size == 0 || !await_bytes(growing, growing->offset + size)) {
        return false;
    }
    bool read = type != MEDIA_FRAGMENT_TYPE('m', 'o', 'o', 'f') ||
                read_index(growing, growing->offset + header, size - header);
    growing->offset += size;
    return read;
}

/* An index comes first, and then its media. */
static bool read_fragment(Growing *growing)
{
    g_array_set_size(growing->samples, 0);
    growing->n_read = 0;
    while (growing->samples->len == 0) {
        if (!read_box(growing)) {
            return false;
        }
    }
    const MediaFragmentSample *last =
        &g_array_index(growing->samples, MediaFragmentSample, growing->samples->len - 1);
    return await_bytes(growing, last->offset + last->size);
}

static int next_packet(gpointer source, AVPacket *packet)
{
    Growing *growing = source;
    if (growing->n_read == growing->samples->len && !read_fragment(growing)) {
        growing->failed = true;
        return AVERROR_EXIT;
    }
    const MediaFragmentSample *sample =
        &g_array_index(growing->samples, MediaFragmentSample, growing->n_read++);
    packet->pos = sample->offset;
    packet->size = sample->size;
    packet->dts = sample->dts;
    packet->pts = sample->pts;
    return 0;
}

static bool open_growing(Follow *follow, Growing *growing, const char *work_dir, const char *name)
{
    g_autofree char *path = g_build_filename(work_dir, name, NULL);
    growing->cancellable = follow->cancellable;
    growing->poll_ms = follow->config->poll_ms;
    growing->samples = g_array_new(FALSE, FALSE, sizeof(MediaFragmentSample));
    do {
        growing->fd = open(path, O_RDONLY | O_CLOEXEC);
    } while (growing->fd < 0 && errno == ENOENT &&
             base_backoff_wait(growing->poll_ms, follow->cancellable));
    return growing->fd >= 0;
}

/* --- telling --------------------------------------------------------------------------------- */

/* NULL: it can't be read. */
static GBytes *take_part(Follow *follow)
{
    int64_t wanted = (int64_t)follow->config->part_bytes, done = 0;
    g_autofree uint8_t *data = g_malloc((gsize)wanted);
    guint n_used = 0;
    while (done < wanted) {
        Range *range = &g_array_index(follow->ranges, Range, n_used);
        int64_t size = MIN(range->size, wanted - done);
        if (!read_at(range->fd, range->offset, data + done, size)) {
            return NULL;
        }
        done += size;
        range->offset += size;
        range->size -= size;
        n_used += range->size == 0;
    }
    g_array_remove_range(follow->ranges, 0, n_used);
    follow->bytes -= wanted;
    return g_bytes_new_take(g_steal_pointer(&data), (gsize)wanted);
}

static bool tell_part(Follow *follow)
{
    g_autoptr(GBytes) part = take_part(follow);
    return part != NULL && follow->on_part(part, follow->user_data);
}

static void add_range(Follow *follow, Range range)
{
    Range *last = follow->ranges->len > 0
                      ? &g_array_index(follow->ranges, Range, follow->ranges->len - 1)
                      : NULL;
    if (last != NULL && last->fd == range.fd && last->offset + last->size == range.offset) {
        last->size += range.size;
    } else {
        g_array_append_val(follow->ranges, range);
    }
    follow->bytes += range.size;
}

static int write_packet(MediaJoin *join, MediaJoinInput *input, AVPacket *packet)
{
    Follow *follow = (Follow *)join;
    const Growing *growing = input == &join->video ? &follow->video : &follow->audio;
    /* Where one file ends for a reason of its own, the order is no longer the finalizer's. */
    if (follow->video.failed || follow->audio.failed || packet->pos < 0) {
        return AVERROR_EXIT;
    }
    add_range(follow, (Range){growing->fd, packet->pos, packet->size});
    while (follow->bytes >=
           (int64_t)follow->config->part_bytes + (int64_t)follow->config->margin_bytes) {
        if (!tell_part(follow)) {
            return AVERROR_EXIT;
        }
    }
    return 0;
}

/* --- the whole ------------------------------------------------------------------------------- */

static void follow_files(Follow *follow, const char *work_dir)
{
    follow->join.video.next = follow->join.audio.next = next_packet;
    follow->join.video.source = &follow->video;
    follow->join.audio.source = &follow->audio;
    media_join_open(&follow->join, work_dir);
    if (!follow->join.video.at_end && !follow->join.audio.at_end) {
        (void)media_join_copy(&follow->join);
    }
    media_join_close(&follow->join);
}

/* False: there is nothing to follow. */
static bool await_recording(Follow *follow, const char *work_dir)
{
    while (!media_work_state_load(work_dir, &follow->join.state, NULL)) {
        if (!base_backoff_wait(follow->config->poll_ms, follow->cancellable)) {
            return false;
        }
    }
    return follow->join.state.mode != MEDIA_MODE_AUDIO_ONLY &&
           open_growing(follow, &follow->audio, work_dir, MEDIA_WORK_AUDIO) &&
           open_growing(follow, &follow->video, work_dir, MEDIA_WORK_VIDEO);
}

static void close_growing(Growing *growing)
{
    g_clear_pointer(&growing->samples, g_array_unref);
    if (growing->fd >= 0) {
        close(growing->fd);
    }
}

void media_follow(const char *output_dir, const MediaFollowConfig *config, MediaFollowFunc on_part,
                  gpointer user_data, GCancellable *cancellable)
{
    g_autofree char *work_dir = g_build_filename(output_dir, MEDIA_WORK_DIR, NULL);
    Follow follow = {.join = {.write = write_packet},
                     .video = {.fd = -1},
                     .audio = {.fd = -1},
                     .config = config,
                     .on_part = on_part,
                     .user_data = user_data,
                     .cancellable = cancellable};
    follow.ranges = g_array_new(FALSE, FALSE, sizeof(Range));
    if (await_recording(&follow, work_dir)) {
        follow_files(&follow, work_dir);
    }
    close_growing(&follow.video);
    close_growing(&follow.audio);
    g_array_unref(follow.ranges);
}
