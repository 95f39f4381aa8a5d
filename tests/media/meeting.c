/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/media/meeting.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static void on_pcm(const int16_t *samples, size_t n_samples, uint64_t first_sample,
                   gpointer user_data)
{
    Meeting *meeting = user_data;
    g_assert_cmpuint(first_sample, ==, meeting->n_forgotten + meeting->pcm->len);
    g_array_append_vals(meeting->pcm, samples, (guint)n_samples);
}

static void on_speech(const MediaSpeech *speech, gpointer user_data)
{
    Meeting *meeting = user_data;
    g_array_append_val(meeting->speech_events, *speech);
}

static void on_recording(MediaRecordingOp op, int64_t recording_ns, gpointer user_data)
{
    static const char *const names[] = {"started", "paused", "resumed", "stopped"};
    Meeting *meeting = user_data;
    g_ptr_array_add(meeting->recording_ops,
                    g_strdup_printf("%s %" G_GINT64_FORMAT, names[op], recording_ns / MEETING_MS));
}

static void on_warning(const char *code, const char *message, gpointer user_data)
{
    Meeting *meeting = user_data;
    g_ptr_array_add(meeting->warnings, g_strdup_printf("%s: %s", code, message));
}

static void on_error(const GError *error, gpointer user_data)
{
    Meeting *meeting = user_data;
    g_assert_null(meeting->error);
    meeting->error = g_error_copy(error);
}

static const MediaEngineEvents events = {.on_pcm = on_pcm,
                                         .on_speech = on_speech,
                                         .on_recording = on_recording,
                                         .on_warning = on_warning,
                                         .on_error = on_error};

MediaEngineConfig meeting_config(void)
{
    return (MediaEngineConfig){.mode = MEDIA_MODE_SPEAKER_VIEW,
                               .width = 640,
                               .height = 360,
                               .fps = 25,
                               .encoder = "auto",
                               .stream_frame_ms = 20};
}

Meeting *meeting_new(const MediaEngineConfig *config)
{
    static const char *const names[] = {NULL, "Alice Martin", "Bob Ōtani", "Carla Núñez"};
    Meeting *meeting = g_new0(Meeting, 1);
    meeting->camera_width = 320;
    meeting->camera_noise_bits = 1;
    g_autoptr(GError) error = NULL;
    MediaEngineConfig with_dir = *config;
    meeting->output_dir = config->output_dir != NULL ? g_strdup(config->output_dir)
                                                     : g_dir_make_tmp("steno-media-XXXXXX", &error);
    g_assert_no_error(error);
    with_dir.output_dir = meeting->output_dir;
    meeting->recording_ops = g_ptr_array_new_with_free_func(g_free);
    meeting->warnings = g_ptr_array_new_with_free_func(g_free);
    meeting->speech_events = g_array_new(FALSE, FALSE, sizeof(MediaSpeech));
    meeting->pcm = g_array_new(FALSE, FALSE, sizeof(int16_t));
    meeting->engine =
        media_engine_new_manual(&with_dir, &events, meeting, MEETING_START_NS, &error);
    g_assert_no_error(error);
    for (uint32_t p = 1; p <= MEETING_PEOPLE; p++) {
        meeting->voices[p] = synth_voice_new(10 + p, 100 + p, 48000, false);
        meeting->fps[p] = 25;
        media_engine_set_participant(meeting->engine, p, names[p], true, false);
        media_engine_bind_audio(meeting->engine, 100 + p, p);
        media_engine_bind_video(meeting->engine, 20 + p, p, false, true);
    }
    return meeting;
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    g_remove(path);
}

void meeting_free(Meeting *meeting)
{
    g_clear_pointer(&meeting->engine, media_engine_free);
    for (int p = 1; p <= MEETING_PEOPLE; p++) {
        synth_voice_free(meeting->voices[p]);
        g_clear_pointer(&meeting->cameras[p], synth_camera_free);
    }
    remove_tree(meeting->output_dir);
    g_free(meeting->output_dir);
    g_ptr_array_unref(meeting->recording_ops);
    g_ptr_array_unref(meeting->warnings);
    g_array_unref(meeting->speech_events);
    g_array_unref(meeting->pcm);
    g_clear_error(&meeting->error);
    g_free(meeting);
}

static bool inside(const MeetingSpan *spans, int64_t at_ms)
{
    for (; spans != NULL && spans->to_ms > 0; spans++) {
        if (at_ms >= spans->from_ms && at_ms < spans->to_ms) {
            return true;
        }
    }
    return false;
}

static uint32_t chance(Meeting *meeting, uint32_t of)
{
    meeting->seed = meeting->seed * 1664525u + 1013904223u;
    return (meeting->seed >> 8) % of;
}

static int64_t jitter_ns(Meeting *meeting)
{
    uint32_t ms = chance(meeting, MAX(meeting->jitter_ms, 1));
    return meeting->jitter_ms > 0 ? (int64_t)ms * MEETING_MS : 0;
}

int64_t meeting_clock_ns(const Meeting *meeting, int64_t at_ms)
{
    int64_t since_ns = at_ms * MEETING_MS;
    return MEETING_START_NS + since_ns - since_ns / 1000000 * meeting->drift_ppm;
}

/* Over a network as bad as the test wants it. */
static void transmit(Meeting *meeting, MediaEncodedFrame *frame, int64_t at_ms)
{
    frame->ssrc += meeting->ssrc;
    frame->receive_ns = meeting_clock_ns(meeting, at_ms) + jitter_ns(meeting);
    if (meeting->loss_percent > 0 && chance(meeting, 100) < meeting->loss_percent) {
        return;
    }
    media_engine_push(meeting->engine, frame);
    if (meeting->double_percent > 0 && chance(meeting, 100) < meeting->double_percent) {
        media_engine_push(meeting->engine, frame);
    }
}

/* A packet that is sent at @at_ms holds the 20 ms before. */
static void send_sound(Meeting *meeting, int p, int64_t at_ms)
{
    float samples[960];
    int64_t from = (at_ms - 20) * 48;
    double loud = inside(meeting->speech[p], at_ms - 20) ? 0.3 : 0;
    if (meeting->clapper) {
        loud = p == 1 && at_ms >= 1000 && (at_ms - 20) % 1000 < 100 ? 0.5 : 0;
    }
    synth_tone(samples, from, 960, 200.0 * p, loud);
    if (loud == 0.0 && !meeting->clapper) {
        synth_tone(samples, from, 960, 60, 0.0002);
    }
    int64_t at_ns = MEETING_START_NS + at_ms * MEETING_MS;
    g_autoptr(MediaEncodedFrame) frame = synth_voice_encode(meeting->voices[p], samples, at_ns);
    transmit(meeting, frame, at_ms);
}

static void send_picture(Meeting *meeting, int p, int64_t at_ms)
{
    if (inside(meeting->camera_off[p], at_ms)) {
        return;
    }
    if (meeting->cameras[p] == NULL) {
        meeting->cameras[p] =
            synth_camera_new((uint32_t)(20 + p), MEDIA_CODEC_VP8, meeting->camera_width,
                             meeting->camera_width * 9 / 16, 50);
        synth_camera_set_noise(meeting->cameras[p], meeting->camera_noise_bits);
    }
    int64_t at_ns = MEETING_START_NS + at_ms * MEETING_MS;
    g_autoptr(MediaEncodedFrame) frame =
        synth_camera_encode(meeting->cameras[p], (unsigned)p, meeting->n_pictures[p]++, at_ns);
    frame->rtp_timestamp += meeting->rtp_offset;
    transmit(meeting, frame, at_ms);
}

void meeting_run(Meeting *meeting, int64_t to_ms)
{
    while (meeting->now_ms < to_ms) {
        meeting->now_ms += 5;
        for (int p = 1; p <= MEETING_PEOPLE; p++) {
            if (meeting->now_ms % 20 == 0) {
                send_sound(meeting, p, meeting->now_ms);
            }
            if (meeting->fps[p] > 0 && meeting->now_ms % (1000 / meeting->fps[p]) == 0) {
                send_picture(meeting, p, meeting->now_ms);
            }
        }
        if (meeting->now_ms % 20 == 0) {
            media_engine_advance(meeting->engine, meeting_clock_ns(meeting, meeting->now_ms));
            meeting_dispatch(meeting);
        }
    }
}

void meeting_idle(Meeting *meeting, int64_t to_ms)
{
    for (; meeting->now_ms < to_ms; meeting->now_ms += 20) {
        media_engine_advance(meeting->engine, meeting_clock_ns(meeting, meeting->now_ms + 20));
        meeting_dispatch(meeting);
    }
}

void meeting_dispatch(Meeting *meeting)
{
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

void meeting_forget(Meeting *meeting)
{
    meeting->n_forgotten += meeting->pcm->len;
    g_array_set_size(meeting->pcm, 0);
    g_array_set_size(meeting->speech_events, 0);
}

void meeting_finish(Meeting *meeting, Playback *ret_playback, MediaFinalized *ret_finalized)
{
    g_autoptr(GError) error = NULL;
    media_engine_stop_recording(meeting->engine, false);
    meeting_idle(meeting, meeting->now_ms + 1000);
    g_assert_cmpuint(meeting->recording_ops->len, >, 0);
    const char *last = g_ptr_array_index(meeting->recording_ops, meeting->recording_ops->len - 1);
    g_assert_true(g_str_has_prefix(last, "stopped"));
    media_finalize(meeting->output_dir, &(MediaFinalizeOptions){.title = "A meeting"},
                   ret_finalized, &error);
    g_assert_no_error(error);
    playback_load(ret_playback, ret_finalized->path);
}
