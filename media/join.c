/* SPDX-License-Identifier: Apache-2.0 */
#include "media/join.h"

#include <glib/gstdio.h>

#define FRAME_TICKS (MEDIA_JOIN_VIDEO_SCALE / 25)

/* --- reading --------------------------------------------------------------------------------- */

static int read_packet(MediaJoinInput *input)
{
    AVPacket *packet = input->packet;
    int code;
    do {
        av_packet_unref(packet);
        code = av_read_frame(input->context, packet);
    } while (code >= 0 && packet->stream_index != 0);
    if (code >= 0) {
        av_packet_rescale_ts(packet, input->context->streams[0]->time_base, input->scale);
    }
    return code;
}

/* Reads the next whole packet; what a kill cut off counts as the end. */
static void read_next(MediaJoinInput *input)
{
    AVPacket *packet = input->packet;
    if (input->at_end) {
        return;
    }
    int code = input->next != NULL ? input->next(input->source, packet) : read_packet(input);
    bool cut = code < 0 || (packet->flags & AV_PKT_FLAG_CORRUPT) != 0 || packet->size <= 0 ||
               packet->dts == AV_NOPTS_VALUE || packet->pts == AV_NOPTS_VALUE ||
               (packet->pos >= 0 && packet->pos + packet->size > input->file_size);
    if (cut) {
        av_packet_unref(packet);
        input->at_end = true;
        return;
    }
    if (!input->started) {
        input->started = true;
        input->shift -= packet->pts; /* the first packet is the recording's time zero */
    }
    packet->pts += input->shift;
    packet->dts += input->shift;
}

/* False: there is nothing to be read. */
static bool open_context(MediaJoinInput *input, const char *path)
{
    GStatBuf status;
    if (g_stat(path, &status) != 0 || status.st_size == 0 ||
        avformat_open_input(&input->context, path, NULL, NULL) < 0) {
        return false;
    }
    input->file_size = status.st_size;
    bool needs_probe = g_str_has_suffix(path, ".mp3");
    if (input->context->nb_streams == 0 ||
        (needs_probe && avformat_find_stream_info(input->context, NULL) < 0)) {
        avformat_close_input(&input->context);
        return false;
    }
    return true;
}

static void open_input(MediaJoinInput *input, const char *path, int scale, int64_t shift)
{
    input->scale = (AVRational){1, scale};
    input->shift = shift;
    input->packet = av_packet_alloc();
    input->file_size = INT64_MAX;
    input->at_end = input->next == NULL && !open_context(input, path);
    read_next(input);
}

static void close_input(MediaJoinInput *input)
{
    avformat_close_input(&input->context);
    av_packet_free(&input->packet);
}

/* Killed in its first moment, a recording has no sound but the lead: then that is the sound. */
static void keep_lead_if_alone(MediaJoin *join, const char *audio_path)
{
    MediaJoinInput scan = {0};
    int64_t end = 0;
    if (join->state.ended || join->audio.at_end || join->audio.next != NULL) {
        return;
    }
    open_input(&scan, audio_path, MEDIA_AUDIO_RATE_HZ, 0);
    while (!scan.at_end && end <= join->state.audio_priming) {
        end = scan.packet->pts + MEDIA_JOIN_AAC_FRAME;
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

void media_join_open(MediaJoin *join, const char *work_dir)
{
    bool mp3 = join->state.mode == MEDIA_MODE_AUDIO_ONLY;
    g_autofree char *video_path = g_build_filename(work_dir, MEDIA_WORK_VIDEO, NULL);
    g_autofree char *audio_path =
        g_build_filename(work_dir, mp3 ? MEDIA_WORK_MP3 : MEDIA_WORK_AUDIO, NULL);
    join->held = av_packet_alloc();
    if (!mp3) {
        open_input(&join->video, video_path, MEDIA_JOIN_VIDEO_SCALE, 0);
    } else {
        join->video.at_end = true;
    }
    open_input(&join->audio, audio_path, MEDIA_AUDIO_RATE_HZ, mp3 ? 0 : -join->state.audio_priming);
    if (!mp3) {
        keep_lead_if_alone(join, audio_path);
    }
}

void media_join_close(MediaJoin *join)
{
    close_input(&join->video);
    close_input(&join->audio);
    av_packet_free(&join->held);
}

/* --- joining --------------------------------------------------------------------------------- */

static int write_packet(MediaJoin *join, MediaJoinInput *input, AVPacket *packet)
{
    input->end = MAX(input->end, packet->pts + packet->duration);
    return join->write(join, input, packet);
}

/* Where the recording ends, in @scale. */
static int64_t end_of(const MediaJoin *join, int scale)
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
static int write_held(MediaJoin *join, int64_t next_pts)
{
    if (join->held->size == 0) {
        return 0;
    }
    int64_t until = next_pts != AV_NOPTS_VALUE ? next_pts : end_of(join, MEDIA_JOIN_VIDEO_SCALE);
    join->held->duration = until > join->held->pts ? until - join->held->pts : FRAME_TICKS;
    return write_packet(join, &join->video, join->held);
}

static int step_video(MediaJoin *join)
{
    int code = write_held(join, join->video.packet->pts);
    av_packet_unref(join->held);
    av_packet_move_ref(join->held, join->video.packet);
    read_next(&join->video);
    return code;
}

static int step_audio(MediaJoin *join)
{
    MediaJoinInput *audio = &join->audio;
    int code = 0;
    if (audio->packet->duration == 0 && join->state.mode != MEDIA_MODE_AUDIO_ONLY) {
        /* A fragment's last packet does not say. */
        audio->packet->duration = MEDIA_JOIN_AAC_FRAME;
    }
    if (!join->state.ended || audio->packet->pts < end_of(join, audio->scale.den)) {
        code = write_packet(join, audio, audio->packet);
    }
    read_next(audio);
    return code;
}

static bool is_before(const MediaJoinInput *input, int64_t end_ms)
{
    return !input->at_end &&
           av_compare_ts(input->packet->dts, input->scale, end_ms, (AVRational){1, 1000}) < 0;
}

int media_join_copy(MediaJoin *join)
{
    int code = 0;
    for (int64_t end_ms = MEDIA_JOIN_INTERLEAVE_MS; !join->video.at_end || !join->audio.at_end;
         end_ms += MEDIA_JOIN_INTERLEAVE_MS) {
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
