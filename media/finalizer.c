/* SPDX-License-Identifier: Apache-2.0 */
#include "media/finalizer.h"

#include "media/track_files.h"
#include "media/wav_file.h"
#include "media/work_state.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <libavformat/avformat.h>
#include <string.h>
#include <unistd.h>

#define VIDEO_SCALE 90000
#define FRAME_TICKS (VIDEO_SCALE / 25)
#define AAC_FRAME 1024
#define LAME_DELAY 1105 /* samples: of the encoder and a decoder together */
#define FINAL_MP4 "recording.mp4"
#define FINAL_MP3 "recording.mp3"
#define PARTIAL ".recording.partial"
/* The working files of a recording that has been delivered, on their way out. */
#define DONE_DIR ".work.done"
#define MS INT64_C(1000000)
/* Sound and pictures alternate in stretches of this length: long ones make the index short. */
#define INTERLEAVE_MS 500

/* One working file being read. */
typedef struct {
    AVFormatContext *context; /* owned; NULL: there is none */
    AVPacket *packet;         /* owned: the next one, in the output's units */
    bool at_end;
    AVRational scale;
    int64_t shift; /* added to all times, in @scale */
    bool started;
    int out_index;
    int64_t end; /* of what was written, in @scale */
    int64_t file_size;
} Input;

typedef struct {
    Input video, audio;
    AVPacket *held; /* owned: the last video packet, whose duration is not known yet */
    AVFormatContext *out;
    MediaWorkState state;
    bool reserve; /* room for the index */
} Join;

void media_finalized_clear(MediaFinalized *finalized)
{
    g_clear_pointer(&finalized->path, g_free);
}

static bool fail(int code, const char *what, GError **error)
{
    int number = AVUNERROR(code);
    bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, text, sizeof text);
    g_set_error(error, MEDIA_ERROR, full ? MEDIA_ERROR_DISK_FULL : MEDIA_ERROR_IO, "%s: %s", what,
                text);
    return false;
}

/* --- reading --------------------------------------------------------------------------------- */

/* Reads the next whole packet; what a kill cut off counts as the end. */
static void read_next(Input *input)
{
    if (input->context == NULL || input->at_end) {
        input->at_end = true;
        return;
    }
    AVPacket *packet = input->packet;
    int code;
    do {
        av_packet_unref(packet);
        code = av_read_frame(input->context, packet);
    } while (code >= 0 && packet->stream_index != 0);
    bool cut = code < 0 || (packet->flags & AV_PKT_FLAG_CORRUPT) != 0 || packet->size <= 0 ||
               packet->dts == AV_NOPTS_VALUE || packet->pts == AV_NOPTS_VALUE ||
               (packet->pos >= 0 && packet->pos + packet->size > input->file_size);
    if (cut) {
        av_packet_unref(packet);
        input->at_end = true;
        return;
    }
    av_packet_rescale_ts(packet, input->context->streams[0]->time_base, input->scale);
    if (!input->started) {
        input->started = true;
        input->shift -= packet->pts; /* the first packet is the recording's time zero */
    }
    packet->pts += input->shift;
    packet->dts += input->shift;
}

static void open_input(Input *input, const char *work_dir, const char *name, int scale,
                       int64_t shift)
{
    g_autofree char *path = g_build_filename(work_dir, name, NULL);
    GStatBuf status;
    input->scale = (AVRational){1, scale};
    input->shift = shift;
    input->packet = av_packet_alloc();
    input->at_end = true;
    if (g_stat(path, &status) != 0 || status.st_size == 0) {
        return;
    }
    input->file_size = status.st_size;
    if (avformat_open_input(&input->context, path, NULL, NULL) < 0) {
        return;
    }
    bool needs_probe = strcmp(name, MEDIA_WORK_MP3) == 0;
    if (input->context->nb_streams == 0 ||
        (needs_probe && avformat_find_stream_info(input->context, NULL) < 0)) {
        avformat_close_input(&input->context);
        return;
    }
    input->at_end = false;
    read_next(input);
}

static void close_input(Input *input)
{
    avformat_close_input(&input->context);
    av_packet_free(&input->packet);
}

/* --- writing --------------------------------------------------------------------------------- */

static void add_stream(Join *join, Input *input)
{
    if (input->at_end) {
        input->out_index = -1;
        return;
    }
    AVStream *stream = avformat_new_stream(join->out, NULL);
    avcodec_parameters_copy(stream->codecpar, input->context->streams[0]->codecpar);
    stream->codecpar->codec_tag = 0;
    stream->time_base = input->scale;
    if (stream->codecpar->codec_id == AV_CODEC_ID_AAC) {
        stream->codecpar->initial_padding = (int)join->state.audio_priming;
        stream->codecpar->frame_size = AAC_FRAME;
    } else if (stream->codecpar->codec_id == AV_CODEC_ID_MP3) {
        stream->codecpar->initial_padding = LAME_DELAY;
    }
    input->out_index = stream->index;
}

static int write_packet(Join *join, Input *input, AVPacket *packet)
{
    packet->stream_index = input->out_index;
    packet->pos = -1;
    input->end = MAX(input->end, packet->pts + packet->duration);
    av_packet_rescale_ts(packet, input->scale, join->out->streams[input->out_index]->time_base);
    return av_write_frame(join->out, packet);
}

/* Where the recording ends, in @scale. */
static int64_t end_of(const Join *join, int scale)
{
    if (join->state.ended) {
        return av_rescale(join->state.duration_ns, scale, 1000000000);
    }
    if (join->audio.out_index >= 0) {
        return av_rescale(join->audio.end, scale, join->audio.scale.den);
    }
    return 0;
}

/* A video packet lasts until the next one; the last one as long as there is sound. */
static int write_held(Join *join, int64_t next_pts)
{
    if (join->held->size == 0) {
        return 0;
    }
    int64_t until = next_pts != AV_NOPTS_VALUE ? next_pts : end_of(join, VIDEO_SCALE);
    join->held->duration = until > join->held->pts ? until - join->held->pts : FRAME_TICKS;
    return write_packet(join, &join->video, join->held);
}

static int step_video(Join *join)
{
    int code = write_held(join, join->video.packet->pts);
    av_packet_unref(join->held);
    av_packet_move_ref(join->held, join->video.packet);
    read_next(&join->video);
    return code;
}

static int step_audio(Join *join)
{
    Input *audio = &join->audio;
    int code = 0;
    if (audio->packet->duration == 0 && join->state.mode != MEDIA_MODE_AUDIO_ONLY) {
        audio->packet->duration = AAC_FRAME; /* which a fragment's last packet does not say */
    }
    if (!join->state.ended || audio->packet->pts < end_of(join, audio->scale.den)) {
        code = write_packet(join, audio, audio->packet);
    }
    read_next(audio);
    return code;
}

static bool is_before(const Input *input, int64_t end_ms)
{
    return !input->at_end &&
           av_compare_ts(input->packet->dts, input->scale, end_ms, (AVRational){1, 1000}) < 0;
}

static int copy_packets(Join *join)
{
    int code = 0;
    for (int64_t end_ms = INTERLEAVE_MS; !join->video.at_end || !join->audio.at_end;
         end_ms += INTERLEAVE_MS) {
        while (code >= 0 && is_before(&join->audio, end_ms)) {
            code = step_audio(join);
        }
        while (code >= 0 && is_before(&join->video, end_ms)) {
            code = step_video(join);
        }
        if (code < 0) {
            return code;
        }
    }
    return write_held(join, AV_NOPTS_VALUE);
}

/* Room for the index in front of the media, so that nothing has to be moved when it is known: a
 * picture has its size (4 bytes), its length (8) and may be a key frame (4); a packet of sound its
 * size; a stretch its place and length in either track. 0: not known (then it is moved). */
static int64_t index_size(const Join *join, const MediaFinalizeOptions *options)
{
    const MediaWorkState *state = &join->state;
    bool known = state->ended && state->n_audio_packets > 0;
    int64_t n_stretches = state->duration_ns / MS / INTERLEAVE_MS + 2;
    int64_t n_chapters =
        options != NULL && options->chapters != NULL ? (int64_t)options->chapters->len : 0;
    int64_t size = state->n_video_packets * 16 + state->n_audio_packets * 4 + n_stretches * 2 * 24 +
                   n_chapters * 512 + 16384;
    return known && size < G_MAXINT32 ? size : 0;
}

static void set_metadata(Join *join, const MediaFinalizeOptions *options)
{
    if (options != NULL && options->title != NULL) {
        av_dict_set(&join->out->metadata, "title", options->title, 0);
    }
    if (options != NULL && options->created_unix_ms > 0) {
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(options->created_unix_ms / 1000);
        g_autofree char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
        av_dict_set(&join->out->metadata, "creation_time", text, 0);
    }
}

/* Where the recording will end, as far as is known before its packets are copied; in ms. */
static int64_t expected_end_ms(const Join *join)
{
    if (join->state.ended) {
        return join->state.duration_ns / MS;
    }
    const AVFormatContext *audio = join->audio.context;
    return audio != NULL && audio->duration > 0 ? audio->duration / 1000 : INT64_MAX;
}

static int add_chapters(Join *join, GArray *chapters)
{
    AVFormatContext *out = join->out;
    int64_t end_ms = expected_end_ms(join);
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

static int write_file(Join *join, const MediaFinalizeOptions *options, const char *path)
{
    set_metadata(join, options);
    AVDictionary *muxer = NULL;
    bool mp3 = join->state.mode == MEDIA_MODE_AUDIO_ONLY;
    int64_t reserved = join->reserve ? index_size(join, options) : 0;
    if (!mp3 && reserved > 0) {
        av_dict_set_int(&muxer, "moov_size", reserved, 0);
    } else if (!mp3) {
        av_dict_set(&muxer, "movflags", "+faststart", 0);
    }
    join->out->url = av_strdup(path); /* read again when the index is moved to the front */
    int code = add_chapters(join, options != NULL ? options->chapters : NULL);
    if (code >= 0) {
        code = avio_open(&join->out->pb, path, AVIO_FLAG_READ_WRITE);
    }
    if (code >= 0) {
        code = avformat_write_header(join->out, &muxer);
    }
    av_dict_free(&muxer);
    if (code >= 0) {
        code = copy_packets(join);
        int ended = av_write_trailer(join->out);
        code = code < 0 ? code : ended;
    }
    if (join->out->pb != NULL) {
        int written = join->out->pb->error;
        int closed = avio_closep(&join->out->pb);
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

static void measure(const Join *join, MediaFinalized *ret)
{
    ret->video_s = join->video.out_index >= 0 ? (double)join->video.end / VIDEO_SCALE : 0;
    ret->audio_s = join->audio.out_index >= 0 ? (double)join->audio.end / join->audio.scale.den : 0;
    ret->duration_s = MAX(ret->video_s, ret->audio_s);
    ret->recovered = !join->state.ended;
}

/* Killed in its first moment, a recording has no sound but the lead: then that is the sound. */
static void keep_lead_if_alone(Join *join, const char *work_dir)
{
    Input scan = {0};
    int64_t end = 0;
    if (join->state.ended || join->audio.at_end) {
        return;
    }
    open_input(&scan, work_dir, MEDIA_WORK_AUDIO, MEDIA_AUDIO_RATE_HZ, 0);
    while (!scan.at_end && end <= join->state.audio_priming) {
        end = scan.packet->pts + AAC_FRAME;
        read_next(&scan);
    }
    close_input(&scan);
    if (end <= join->state.audio_priming) {
        join->audio.packet->pts += join->state.audio_priming;
        join->audio.packet->dts += join->state.audio_priming;
        join->audio.shift += join->state.audio_priming;
        join->state.audio_priming = 0;
    }
}

static bool join_files(Join *join, const char *output_dir, const char *work_dir,
                       const MediaFinalizeOptions *options, MediaFinalized *ret, GError **error)
{
    bool mp3 = join->state.mode == MEDIA_MODE_AUDIO_ONLY;
    g_autofree char *final = g_build_filename(output_dir, mp3 ? FINAL_MP3 : FINAL_MP4, NULL);
    g_autofree char *partial = g_build_filename(output_dir, PARTIAL, NULL);
    if (!mp3) {
        open_input(&join->video, work_dir, MEDIA_WORK_VIDEO, VIDEO_SCALE, 0);
    } else {
        join->video.at_end = true;
    }
    open_input(&join->audio, work_dir, mp3 ? MEDIA_WORK_MP3 : MEDIA_WORK_AUDIO, MEDIA_AUDIO_RATE_HZ,
               mp3 ? 0 : -join->state.audio_priming);
    if (!mp3) {
        keep_lead_if_alone(join, work_dir);
    }
    if (join->video.at_end && join->audio.at_end) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_NOTHING_RECORDED,
                    "the recording in %s ended before anything was written", output_dir);
        return false;
    }
    avformat_alloc_output_context2(&join->out, NULL, mp3 ? "mp3" : "mp4", NULL);
    add_stream(join, &join->video);
    add_stream(join, &join->audio);
    int code = write_file(join, options, partial);
    if (code < 0) {
        g_unlink(partial);
        return fail(code, partial, error);
    }
    if (!publish(output_dir, partial, final, error)) {
        return false;
    }
    measure(join, ret);
    ret->path = g_steal_pointer(&final);
    return true;
}

/* Finalized before: tell again what there is. */
static bool describe(const char *output_dir, MediaFinalized *ret, GError **error)
{
    static const char *const names[] = {FINAL_MP4, FINAL_MP3};
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
        {MEDIA_WORK_DIR "/" MEDIA_WORK_MP3, FINAL_MP3},
        {MEDIA_WORK_DIR "/" MEDIA_WAV_NAME, MEDIA_WAV_NAME},
        {NULL, NULL},
    };
    return files;
}

static bool join_work(const char *output_dir, const char *work_dir,
                      const MediaFinalizeOptions *options, bool reserve, MediaFinalized *ret,
                      GError **error)
{
    Join join = {.held = av_packet_alloc(), .reserve = reserve};
    bool done = media_work_state_load(work_dir, &join.state, error) &&
                join_files(&join, output_dir, work_dir, options, ret, error);
    close_input(&join.video);
    close_input(&join.audio);
    av_packet_free(&join.held);
    avformat_free_context(join.out);
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
