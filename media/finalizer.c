/* SPDX-License-Identifier: Apache-2.0 */
#include "media/finalizer.h"

#include "media/join.h"
#include "media/track_files.h"
#include "media/wav_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define LAME_DELAY 1105 /* samples: of the encoder and a decoder together */
#define FINAL_MP3 "recording.mp3"
#define PARTIAL ".recording.partial"
/* The working files of a recording that has been delivered, on their way out. */
#define DONE_DIR ".work.done"
#define MS INT64_C(1000000)

typedef struct {
    MediaJoin join;       /* first: its write gets this */
    AVFormatContext *out; /* owned */
    bool reserve;         /* room for the index */
} Output;

void media_finalized_clear(MediaFinalized *finalized)
{
    g_clear_pointer(&finalized->path, g_free);
}

static bool fail(int code, const char *what, GError **error)
{
    int number = AVUNERROR(code);
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, text, sizeof text);
    g_set_error(error, MEDIA_ERROR, media_error_from_errno(number), "%s: %s", what, text);
    return false;
}

/* --- writing --------------------------------------------------------------------------------- */

static void add_stream(Output *output, MediaJoinInput *input)
{
    if (input->at_end) {
        input->out_index = -1;
        return;
    }
    AVStream *stream = avformat_new_stream(output->out, NULL);
    avcodec_parameters_copy(stream->codecpar, input->context->streams[0]->codecpar);
    stream->codecpar->codec_tag = 0;
    stream->time_base = input->scale;
    if (stream->codecpar->codec_id == AV_CODEC_ID_AAC) {
        stream->codecpar->initial_padding = (int)output->join.state.audio_priming;
        stream->codecpar->frame_size = MEDIA_JOIN_AAC_FRAME;
    } else if (stream->codecpar->codec_id == AV_CODEC_ID_MP3) {
        stream->codecpar->initial_padding = LAME_DELAY;
    }
    input->out_index = stream->index;
}

static int write_packet(MediaJoin *join, MediaJoinInput *input, AVPacket *packet)
{
    AVFormatContext *out = ((Output *)join)->out;
    packet->stream_index = input->out_index;
    packet->pos = -1;
    av_packet_rescale_ts(packet, input->scale, out->streams[input->out_index]->time_base);
    return av_write_frame(out, packet);
}

/* Room for the index in front of the media, so that nothing has to be moved when it is known: a
 * picture has its size (4 bytes), its length (8) and may be a key frame (4); a packet of sound its
 * size; a stretch its place and length in either track. 0: not known (then it is moved). */
static int64_t index_size(const Output *output, const MediaFinalizeOptions *options)
{
    const MediaWorkState *state = &output->join.state;
    bool known = state->ended && state->n_audio_packets > 0;
    int64_t n_stretches = state->duration_ns / MS / MEDIA_JOIN_INTERLEAVE_MS + 2;
    int64_t n_chapters =
        options != NULL && options->chapters != NULL ? (int64_t)options->chapters->len : 0;
    int64_t size = state->n_video_packets * 16 + state->n_audio_packets * 4 + n_stretches * 2 * 24 +
                   n_chapters * 512 + 16384;
    return known && size < G_MAXINT32 ? size : 0;
}

static void set_metadata(Output *output, const MediaFinalizeOptions *options)
{
    if (options != NULL && options->title != NULL) {
        av_dict_set(&output->out->metadata, "title", options->title, 0);
    }
    if (options != NULL && options->created_unix_ms > 0) {
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(options->created_unix_ms / 1000);
        g_autofree char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
        av_dict_set(&output->out->metadata, "creation_time", text, 0);
    }
}

/* Where the recording will end, as far as is known before its packets are copied; in ms. */
static int64_t expected_end_ms(const Output *output)
{
    if (output->join.state.ended) {
        return output->join.state.duration_ns / MS;
    }
    const AVFormatContext *audio = output->join.audio.context;
    return audio != NULL && audio->duration > 0 ? audio->duration / 1000 : INT64_MAX;
}

static int add_chapters(Output *output, GArray *chapters)
{
    AVFormatContext *out = output->out;
    int64_t end_ms = expected_end_ms(output);
    guint n = chapters != NULL ? chapters->len : 0;
    if (n == 0) {
        return 0;
    }
    out->chapters = av_calloc(n, sizeof *out->chapters);
    for (guint i = 0; out->chapters != NULL && i < n; i++) {
        const MediaChapter *chapter = &g_array_index(chapters, MediaChapter, i);
        int64_t start_ms = chapter->start_ns / MS;
        int64_t next_ms =
            i + 1 < n ? g_array_index(chapters, MediaChapter, i + 1).start_ns / MS : end_ms;
        next_ms = MIN(next_ms, end_ms == INT64_MAX ? start_ms + 1000 : end_ms);
        if (next_ms <= start_ms) {
            continue;
        }
        AVChapter *added = av_mallocz(sizeof *added);
        if (added == NULL) {
            return AVERROR(ENOMEM);
        }
        *added =
            (AVChapter){.id = (int)i, .time_base = {1, 1000}, .start = start_ms, .end = next_ms};
        av_dict_set(&added->metadata, "title", chapter->title != NULL ? chapter->title : "", 0);
        out->chapters[out->nb_chapters++] = added;
    }
    return out->chapters != NULL ? 0 : AVERROR(ENOMEM);
}

static int write_file(Output *output, const MediaFinalizeOptions *options, const char *path)
{
    set_metadata(output, options);
    AVDictionary *muxer = NULL;
    bool mp3 = output->join.state.mode == MEDIA_MODE_AUDIO_ONLY;
    int64_t reserved = output->reserve ? index_size(output, options) : 0;
    if (!mp3 && reserved > 0) {
        av_dict_set_int(&muxer, "moov_size", reserved, 0);
    } else if (!mp3) {
        av_dict_set(&muxer, "movflags", "+faststart", 0);
    }
    output->out->url = av_strdup(path); /* read again when the index is moved to the front */
    int code = add_chapters(output, options != NULL ? options->chapters : NULL);
    if (code >= 0) {
        code = avio_open(&output->out->pb, path, AVIO_FLAG_READ_WRITE);
    }
    if (code >= 0) {
        code = avformat_write_header(output->out, &muxer);
    }
    av_dict_free(&muxer);
    if (code >= 0) {
        code = media_join_copy(&output->join);
        int ended = av_write_trailer(output->out);
        code = code < 0 ? code : ended;
    }
    if (output->out->pb != NULL) {
        int written = output->out->pb->error;
        int closed = avio_closep(&output->out->pb);
        code = code < 0 ? code : written < 0 ? written : closed;
    }
    return code;
}

static bool sync_path(const char *path, int flags, GError **error)
{
    int fd = open(path, flags | O_CLOEXEC);
    int code = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL) ? 0 : AVERROR(errno);
    if (fd >= 0) {
        close(fd);
    }
    return code == 0 || fail(code, path, error);
}

/* --- the whole ------------------------------------------------------------------------------- */

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        bool is_dir =
            g_file_test(child, G_FILE_TEST_IS_DIR) && !g_file_test(child, G_FILE_TEST_IS_SYMLINK);
        if (is_dir) {
            remove_tree(child);
        } else {
            g_unlink(child);
        }
    }
    g_rmdir(path);
}

/* In one step: a finalizer that is killed while it deletes must not leave half a recording that the
 * next would take for the whole. */
static void remove_work(const char *output_dir, const char *work_dir)
{
    g_autofree char *done = g_build_filename(output_dir, DONE_DIR, NULL);
    remove_tree(done);
    if (g_rename(work_dir, done) == 0) {
        remove_tree(done);
    }
}

static bool publish(const char *output_dir, const char *partial, const char *final, GError **error)
{
    if (!sync_path(partial, O_RDONLY, error)) {
        return false;
    }
    if (g_rename(partial, final) != 0) {
        return fail(AVERROR(errno), final, error);
    }
    return sync_path(output_dir, O_RDONLY | O_DIRECTORY, error);
}

static void measure(const Output *output, MediaFinalized *ret)
{
    ret->video_s = output->join.video.out_index >= 0
                       ? (double)output->join.video.end / MEDIA_JOIN_VIDEO_SCALE
                       : 0;
    ret->audio_s = output->join.audio.out_index >= 0
                       ? (double)output->join.audio.end / output->join.audio.scale.den
                       : 0;
    ret->duration_s = MAX(ret->video_s, ret->audio_s);
    ret->recovered = !output->join.state.ended;
}

static bool join_files(Output *output, const char *output_dir, const char *work_dir,
                       const MediaFinalizeOptions *options, MediaFinalized *ret, GError **error)
{
    bool mp3 = output->join.state.mode == MEDIA_MODE_AUDIO_ONLY;
    g_autofree char *final = g_build_filename(output_dir, mp3 ? FINAL_MP3 : MEDIA_FINAL_MP4, NULL);
    g_autofree char *partial = g_build_filename(output_dir, PARTIAL, NULL);
    media_join_open(&output->join, work_dir);
    if (output->join.video.at_end && output->join.audio.at_end) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_NOTHING_RECORDED,
                    "the recording in %s ended before anything was written", output_dir);
        return false;
    }
    avformat_alloc_output_context2(&output->out, NULL, mp3 ? "mp3" : "mp4", NULL);
    add_stream(output, &output->join.video);
    add_stream(output, &output->join.audio);
    int code = write_file(output, options, partial);
    if (code < 0) {
        g_unlink(partial);
        return fail(code, partial, error);
    }
    if (!publish(output_dir, partial, final, error)) {
        return false;
    }
    measure(output, ret);
    ret->path = g_steal_pointer(&final);
    return true;
}

/* Finalized before: tell again what there is. */
static bool describe(const char *output_dir, MediaFinalized *ret, GError **error)
{
    static const char *const names[] = {MEDIA_FINAL_MP4, FINAL_MP3};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(output_dir, names[i], NULL);
        AVFormatContext *context = NULL;
        if (avformat_open_input(&context, path, NULL, NULL) < 0) {
            continue;
        }
        avformat_find_stream_info(context, NULL);
        MediaFinalized found = {.duration_s = (double)context->duration / AV_TIME_BASE};
        for (unsigned s = 0; s < context->nb_streams; s++) {
            const AVStream *stream = context->streams[s];
            double length = stream->duration != AV_NOPTS_VALUE
                                ? (double)stream->duration * av_q2d(stream->time_base)
                                : found.duration_s;
            if (stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
                found.video_s = length;
            } else {
                found.audio_s = length;
            }
        }
        avformat_close_input(&context);
        found.path = g_steal_pointer(&path);
        *ret = found;
        return true;
    }
    g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_NOTHING_RECORDED, "nothing was recorded in %s",
                output_dir);
    return false;
}

bool media_has_unfinished(const char *output_dir)
{
    g_autofree char *path = g_build_filename(output_dir, MEDIA_WORK_DIR, NULL);
    return g_file_test(path, G_FILE_TEST_IS_DIR);
}

const MediaGrowingFile *media_growing_files(void)
{
    static const MediaGrowingFile files[] = {
        {MEDIA_WORK_DIR "/" MEDIA_WORK_MP3, FINAL_MP3, false},
        {MEDIA_WORK_DIR "/" MEDIA_WAV_NAME, MEDIA_WAV_NAME, true},
        {NULL, NULL, false},
    };
    return files;
}

static bool join_work(const char *output_dir, const char *work_dir,
                      const MediaFinalizeOptions *options, bool reserve, MediaFinalized *ret,
                      GError **error)
{
    Output output = {.join = {.write = write_packet}, .reserve = reserve};
    bool done = media_work_state_load(work_dir, &output.join.state, error) &&
                join_files(&output, output_dir, work_dir, options, ret, error);
    media_join_close(&output.join);
    avformat_free_context(output.out);
    return done;
}

bool media_finalize(const char *output_dir, const MediaFinalizeOptions *options,
                    MediaFinalized *ret_finalized, GError **error)
{
    if (!media_init(error)) {
        return false;
    }
    g_autofree char *done_dir = g_build_filename(output_dir, DONE_DIR, NULL);
    remove_tree(done_dir);
    if (!media_has_unfinished(output_dir)) {
        return describe(output_dir, ret_finalized, error);
    }
    g_autofree char *work_dir = g_build_filename(output_dir, MEDIA_WORK_DIR, NULL);
    MediaFinalized result = {0};
    GError *problem = NULL;
    bool done = join_work(output_dir, work_dir, options, true, &result, &problem);
    if (!done && g_error_matches(problem, MEDIA_ERROR, MEDIA_ERROR_IO)) {
        /* Perhaps the index is larger than was thought. */
        g_info("finalizing again: %s", problem->message);
        g_clear_error(&problem);
        done = join_work(output_dir, work_dir, options, false, &result, &problem);
    }
    done = done && media_wav_file_publish(work_dir, output_dir, &problem) &&
           media_track_files_publish(work_dir, output_dir, &problem);
    if (done) {
        remove_work(output_dir, work_dir);
        *ret_finalized = result;
    } else {
        media_finalized_clear(&result);
        g_propagate_error(error, problem);
    }
    return done;
}
