/* SPDX-License-Identifier: Apache-2.0 */
#include "media/record_playout.h"

#include "media/dominant.h"
#include "media/mixer.h"
#include "media/recorder.h"
#include "media/speech.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>

#define MS INT64_C(1000000)
#define SOUND_DEPTH_NS (400 * MS)
#define PICTURE_DEPTH_NS (600 * MS)
#define GRID_SAMPLES 480
/* Sources whose packets stopped fall silent; the sound is complete by then. */
#define PENDING_NS (40 * MS)
/* So far behind, pictures are left out until the encoder has caught up. */
#define OVERLOAD_NS (1500 * MS)
#define OVERLOAD_GAP_NS (500 * MS)
#define AUTO_WIDTH 1920
#define AUTO_HEIGHT 1080
#define DEFAULT_WIDTH 1280
#define DEFAULT_HEIGHT 720
/* A picture of automatic size waits so long for somebody's first one, to know its size. */
#define AUTO_WAIT_NS (1500 * MS)

typedef enum {
    COMMAND_PARTICIPANT,
    COMMAND_ROOM,
    COMMAND_BIND,
    COMMAND_END_TRACK,
    COMMAND_END_ALL_TRACKS
} CommandKind;

typedef struct {
    CommandKind kind;
    int64_t at_ns;
    uint32_t participant_id, room_id, track_id;
    char *name; /* owned */
    bool present, muted, is_screen, active;
} Command;

struct MediaRecordPlayout {
    const MediaEngineConfig *config; /* borrowed */
    MediaLedger *ledger;             /* borrowed */
    const MediaRecordPlayoutEvents *events;
    gpointer user_data;

    MediaMixer *mixer;           /* owned */
    MediaSpeechTracker *tracker; /* owned */
    MediaDominant *dominant;     /* owned */
    MediaStage *stage;           /* owned; NULL for audio only */
    MediaComposer *composer;     /* owned; while recording, once the size is known */
    MediaRecorder *recorder;     /* owned; while recording */
    GQueue commands;             /* owned Command, by time */
    int64_t picture_ns;          /* the pictures have got so far; on the grid */
    int64_t now_ns;              /* of the last advance */

    int64_t start_ns;                  /* of the recording, on the clock */
    int64_t next_screenshot_ns;        /* on the recording's time */
    int64_t frame_gap_ns, next_due_ns; /* pictures a second are limited */
    int64_t last_capture_ns;           /* of the newest picture that was recorded */
    bool primed;                       /* no picture since the one of the start */
    int64_t stop_ns;                   /* INT64_MAX: goes on */
    MediaRecordPlayoutStats stats;
    double mean_square;
};

static void on_level(uint32_t source, int64_t time_ns, int64_t duration_ns, double level_db,
                     gpointer user_data)
{
    MediaRecordPlayout *playout = user_data;
    bool speaking =
        media_speech_tracker_feed(playout->tracker, source, time_ns, duration_ns, level_db);
    media_dominant_feed(playout->dominant, source, time_ns, level_db, speaking);
}

static void give_up(MediaRecordPlayout *playout, GError *error);

/* A packet that is heard at @position goes into its participant's own file. */
static void on_packet(uint32_t source, int64_t position, const uint8_t *data, size_t size,
                      gpointer user_data)
{
    MediaRecordPlayout *playout = user_data;
    int64_t at_ns = media_samples_to_ns(position);
    if (playout->recorder == NULL || !media_ledger_records(playout->ledger, at_ns)) {
        return;
    }
    GError *error = NULL;
    uint32_t who = media_ledger_participant(playout->ledger, source, at_ns);
    int64_t recording_ns = media_ledger_to_recording(playout->ledger, at_ns);
    if (!media_recorder_push_packet(playout->recorder, source, who, MAX(recording_ns, 0), data,
                                    size, &error)) {
        give_up(playout, error);
    }
}

static void on_speech(uint32_t source, bool speaking, int64_t at_ns, gpointer user_data)
{
    MediaRecordPlayout *playout = user_data;
    media_ledger_speech(playout->ledger, source, speaking, at_ns);
    if (playout->stage != NULL) {
        uint32_t who = media_ledger_participant(playout->ledger, source, at_ns);
        media_stage_set_speaking(playout->stage, who, speaking);
    }
    playout->events->on_speech(source, speaking, at_ns, playout->user_data);
}

static void on_key_frame_wanted(uint32_t track_id, gpointer user_data)
{
    MediaRecordPlayout *playout = user_data;
    playout->events->on_key_frame_wanted(track_id, playout->user_data);
}

MediaRecordPlayout *media_record_playout_new(const MediaEngineConfig *config, MediaLedger *ledger,
                                             int64_t now_ns, const MediaRecordPlayoutEvents *events,
                                             gpointer user_data)
{
    MediaRecordPlayout *playout = g_new0(MediaRecordPlayout, 1);
    int64_t origin_ns = now_ns / MEDIA_GRID_NS * MEDIA_GRID_NS;
    playout->config = config;
    playout->ledger = ledger;
    playout->events = events;
    playout->user_data = user_data;
    playout->mixer = media_mixer_new(false, origin_ns - SOUND_DEPTH_NS, on_level, playout);
    if (config->separate_audio) {
        media_mixer_set_packet_func(playout->mixer, on_packet);
    }
    playout->tracker = media_speech_tracker_new(on_speech, playout);
    playout->dominant = media_dominant_new();
    if (config->mode != MEDIA_MODE_AUDIO_ONLY) {
        playout->stage = media_stage_new(config->mode);
        media_stage_set_key_frame_func(playout->stage, on_key_frame_wanted, playout);
    }
    playout->picture_ns = origin_ns - PICTURE_DEPTH_NS;
    playout->now_ns = now_ns;
    playout->frame_gap_ns = GST_SECOND / config->fps;
    playout->stop_ns = INT64_MAX;
    playout->stats.last_speech_ns = now_ns;
    g_queue_init(&playout->commands);
    return playout;
}

static void command_free(Command *command)
{
    g_free(command->name);
    g_free(command);
}

void media_record_playout_free(MediaRecordPlayout *playout)
{
    g_clear_pointer(&playout->recorder, media_recorder_free);
    g_clear_pointer(&playout->composer, media_composer_free);
    g_clear_pointer(&playout->stage, media_stage_free);
    media_mixer_free(playout->mixer);
    media_speech_tracker_free(playout->tracker);
    media_dominant_free(playout->dominant);
    g_queue_clear_full(&playout->commands, (GDestroyNotify)command_free);
    g_free(playout);
}

void media_record_playout_push(MediaRecordPlayout *playout, MediaEncodedFrame *frame,
                               int64_t arrival_ns)
{
    if (!media_codec_is_video(frame->codec)) {
        media_mixer_push(playout->mixer, frame, arrival_ns);
    } else if (playout->stage != NULL) {
        media_stage_push(playout->stage, frame);
    }
}

static void queue_command(MediaRecordPlayout *playout, const Command *command)
{
    if (playout->stage != NULL) {
        g_queue_push_tail(&playout->commands, g_memdup2(command, sizeof *command));
    }
}

void media_record_playout_set_participant(MediaRecordPlayout *playout, int64_t at_ns,
                                          uint32_t participant_id, const char *name, bool present,
                                          bool muted)
{
    Command command = {.kind = COMMAND_PARTICIPANT,
                       .at_ns = at_ns,
                       .participant_id = participant_id,
                       .name = playout->stage != NULL ? g_strdup(name) : NULL,
                       .present = present,
                       .muted = muted};
    queue_command(playout, &command);
}

void media_record_playout_set_room(MediaRecordPlayout *playout, int64_t at_ns,
                                   uint32_t participant_id, uint32_t room_id)
{
    Command command = {
        .kind = COMMAND_ROOM, .at_ns = at_ns, .participant_id = participant_id, .room_id = room_id};
    queue_command(playout, &command);
}

void media_record_playout_bind_video(MediaRecordPlayout *playout, int64_t at_ns, uint32_t track_id,
                                     uint32_t participant_id, bool is_screen, bool active)
{
    Command command = {.kind = COMMAND_BIND,
                       .at_ns = at_ns,
                       .track_id = track_id,
                       .participant_id = participant_id,
                       .is_screen = is_screen,
                       .active = active};
    if (track_id == 0) {
        return; /* a source whose track is not known yet: there will be another word on it */
    }
    if (playout->stage != NULL && !media_stage_is_bound(playout->stage, track_id)) {
        /* The first word on a track holds for the frames that came before it. */
        media_stage_bind(playout->stage, track_id, participant_id, is_screen, active);
        return;
    }
    queue_command(playout, &command);
}

void media_record_playout_end_track(MediaRecordPlayout *playout, int64_t at_ns, uint32_t track_id)
{
    Command command = {.kind = COMMAND_END_TRACK, .at_ns = at_ns, .track_id = track_id};
    media_mixer_end_track(playout->mixer, track_id);
    queue_command(playout, &command);
}

void media_record_playout_end_all_tracks(MediaRecordPlayout *playout, int64_t at_ns)
{
    Command command = {.kind = COMMAND_END_ALL_TRACKS, .at_ns = at_ns};
    media_mixer_end_all_tracks(playout->mixer);
    queue_command(playout, &command);
}

void media_record_playout_hint(MediaRecordPlayout *playout, int64_t at_ns, uint32_t source)
{
    media_dominant_hint(playout->dominant, source, at_ns);
}

static void run_commands(MediaRecordPlayout *playout, int64_t to_ns)
{
    Command *command;
    while ((command = g_queue_peek_head(&playout->commands)) != NULL && command->at_ns <= to_ns) {
        g_queue_pop_head(&playout->commands);
        switch (command->kind) {
        case COMMAND_PARTICIPANT:
            media_stage_set_participant(playout->stage, command->participant_id, command->name,
                                        command->present, command->muted);
            break;
        case COMMAND_ROOM:
            media_stage_set_room(playout->stage, command->participant_id, command->room_id);
            break;
        case COMMAND_BIND:
            media_stage_bind(playout->stage, command->track_id, command->participant_id,
                             command->is_screen, command->active);
            break;
        case COMMAND_END_TRACK:
            media_stage_end_track(playout->stage, command->track_id);
            break;
        case COMMAND_END_ALL_TRACKS:
            media_stage_end_all_tracks(playout->stage);
            break;
        }
        command_free(command);
    }
}

/* False: automatic, and no picture has come yet. */
static bool choose_size(const MediaRecordPlayout *playout, int *ret_width, int *ret_height)
{
    int width = playout->config->width, height = playout->config->height;
    bool known = width != 0 && height != 0;
    if (!known) {
        width = DEFAULT_WIDTH;
        height = DEFAULT_HEIGHT;
        known = media_stage_get_largest(playout->stage, &width, &height);
        if (width > AUTO_WIDTH || height > AUTO_HEIGHT) {
            MediaRect most = {0, 0, AUTO_WIDTH, AUTO_HEIGHT};
            MediaRect fitted = media_layout_fit(most, width, height);
            width = fitted.width;
            height = fitted.height;
        }
    }
    *ret_width = MAX(width & ~1, 16);
    *ret_height = MAX(height & ~1, 16);
    return known;
}

/* The first picture is what shows at @at_ns: killed a moment later, there is a recording. With a
 * size that is not known yet the pictures begin a little later than the sound; not @at_once. */
static bool begin_video(MediaRecordPlayout *playout, int64_t at_ns, bool at_once, GError **error)
{
    int width, height;
    int64_t next_ns;
    if (playout->stage == NULL || playout->composer != NULL ||
        (!choose_size(playout, &width, &height) && !at_once)) {
        return true;
    }
    run_commands(playout, at_ns); /* who is here by now is known, if early, not a stranger */
    playout->composer = media_composer_new(width, height);
    GstBuffer *picture = media_stage_compose(playout->stage, playout->composer, at_ns);
    if (picture == NULL) {
        g_set_error(error, MEDIA_ERROR, MEDIA_ERROR_FAILED, "there is no memory for a picture");
        return false;
    }
    if (!media_recorder_begin_video(playout->recorder, media_composer_info(playout->composer),
                                    picture, &next_ns, error)) {
        return false;
    }
    playout->next_due_ns = playout->start_ns + next_ns;
    playout->primed = true;
    return true;
}

bool media_record_playout_start(MediaRecordPlayout *playout, int64_t at_ns, GError **error)
{
    MediaRecorderConfig config = {
        .mode = playout->config->mode,
        .output_dir = playout->config->output_dir,
        .fps = playout->config->fps,
        .video_bitrate_bps = playout->config->video_bitrate_bps,
        .video_quantizer = playout->config->video_quantizer,
        .encoder = playout->config->encoder,
        .audio_wav = playout->config->audio_wav,
        .separate_audio = playout->config->separate_audio,
        .warn = playout->events->on_warning,
        .user_data = playout->user_data,
    };
    playout->stop_ns = INT64_MAX;
    playout->start_ns = at_ns;
    playout->next_screenshot_ns = 0;
    playout->recorder = media_recorder_new(&config, error);
    if (playout->recorder == NULL || !media_recorder_prime(playout->recorder, error) ||
        !begin_video(playout, at_ns, false, error)) {
        g_clear_pointer(&playout->recorder, media_recorder_free);
        g_clear_pointer(&playout->composer, media_composer_free);
        return false;
    }
    return true;
}

static void end_recorder(MediaRecordPlayout *playout)
{
    playout->stats.n_pictures_encoded += media_recorder_n_pictures(playout->recorder);
    g_clear_pointer(&playout->recorder, media_recorder_free);
}

/* The files keep what is in them; nothing more is added. Takes @error. */
static void give_up(MediaRecordPlayout *playout, GError *error)
{
    end_recorder(playout);
    playout->events->on_error(error, playout->user_data);
    g_error_free(error);
}

static void decide_speaker(MediaRecordPlayout *playout, int64_t at_ns)
{
    uint32_t source;
    if (!media_dominant_step(playout->dominant, at_ns) && playout->stats.active_speaker != 0) {
        return;
    }
    if (media_dominant_get(playout->dominant, &source)) {
        uint32_t who = media_ledger_participant(playout->ledger, source, at_ns);
        playout->stats.active_speaker = who;
        if (playout->stage != NULL && who != 0) {
            media_stage_set_speaker(playout->stage, who);
        }
    }
}

static void measure(MediaRecordPlayout *playout, const float *samples)
{
    double sum = 0;
    for (int i = 0; i < GRID_SAMPLES; i++) {
        sum += (double)samples[i] * (double)samples[i];
    }
    playout->mean_square += (sum / GRID_SAMPLES - playout->mean_square) * 0.1;
    playout->stats.level_db = fmax(10.0 * log10(playout->mean_square + 1e-10), -96.0);
}

/* One grid step of sound, recorded if it belongs into the recording. */
static void step_sound(MediaRecordPlayout *playout)
{
    float samples[GRID_SAMPLES];
    int64_t at_ns = media_samples_to_ns(media_mixer_position(playout->mixer));
    media_mixer_render(playout->mixer, samples, GRID_SAMPLES);
    measure(playout, samples);
    media_speech_tracker_elapse(playout->tracker, at_ns - PENDING_NS);
    decide_speaker(playout, at_ns);
    if (media_speech_tracker_any(playout->tracker)) {
        playout->stats.last_speech_ns = at_ns;
    }
    if (playout->recorder == NULL || !media_ledger_records(playout->ledger, at_ns)) {
        return;
    }
    GError *error = NULL;
    if (!media_recorder_push_audio(playout->recorder, samples, GRID_SAMPLES, &error)) {
        give_up(playout, error);
    }
}

/* Pictures of a source at exactly the limit wander about their places: one may come so much early,
 * so that none is dropped for that. The recorder puts each on the nearest place of its grid. */
static bool is_due(const MediaRecordPlayout *playout, int64_t at_ns, int64_t capture_ns)
{
    if (playout->primed) {
        /* Not the rest of the pictures that the first one stands for: they would come late, and all
         * after them. */
        return capture_ns >= playout->next_due_ns ||
               at_ns >= playout->next_due_ns + playout->frame_gap_ns + MEDIA_GRID_NS;
    }
    /* An encoder that can't keep up gets fewer pictures, never later sound. */
    bool overloaded = playout->now_ns - at_ns > PICTURE_DEPTH_NS + OVERLOAD_NS;
    int64_t slack_ns = overloaded ? -OVERLOAD_GAP_NS : playout->frame_gap_ns / 2;
    return at_ns >= playout->next_due_ns - slack_ns;
}

static bool record_picture(MediaRecordPlayout *playout, int64_t grid_ns, int64_t capture_ns,
                           GError **error)
{
    /* A picture keeps its own time; what was drawn for another reason has that of the grid. */
    bool fresh = capture_ns > MAX(playout->last_capture_ns, grid_ns - MEDIA_GRID_NS * 5) &&
                 capture_ns <= grid_ns;
    int64_t at_ns = fresh ? capture_ns : grid_ns;
    int64_t recording_ns = media_ledger_to_recording(playout->ledger, at_ns);
    GstBuffer *picture = media_stage_compose(playout->stage, playout->composer, grid_ns);
    playout->last_capture_ns = capture_ns;
    int64_t slack_ns = playout->frame_gap_ns / 2;
    playout->next_due_ns = MAX(playout->next_due_ns, at_ns - slack_ns) + playout->frame_gap_ns;
    playout->primed = false;
    if (picture == NULL) {
        playout->stats.n_pictures_dropped++;
        return true;
    }
    return media_recorder_push_video(playout->recorder, picture, MAX(recording_ns, 0), error);
}

/* A screenshot that can't be written is a pity, not an end. */
static void take_screenshot(MediaRecordPlayout *playout)
{
    int64_t now_ns = playout->stats.recorded_ns;
    GstBuffer *picture = media_recorder_last_picture(playout->recorder);
    if (playout->config->screenshots_s == 0 || now_ns < playout->next_screenshot_ns ||
        picture == NULL) {
        return;
    }
    playout->next_screenshot_ns =
        (now_ns / GST_SECOND + playout->config->screenshots_s) * (int64_t)GST_SECOND;
    g_autofree char *dir = g_build_filename(playout->config->output_dir, "screenshots", NULL);
    g_autofree char *path =
        g_strdup_printf("%s/at-%06d.png", dir, (int)(now_ns / (int64_t)GST_SECOND));
    g_autofree char *partial = g_strconcat(path, ".partial", NULL);
    g_autoptr(GError) error = NULL;
    g_mkdir_with_parents(dir, 0755);
    if (!media_composer_write_png(media_composer_info(playout->composer), picture, partial,
                                  &error) ||
        g_rename(partial, path) != 0) {
        playout->events->on_warning("screenshot_not_written",
                                    error != NULL ? error->message : g_strerror(errno),
                                    playout->user_data);
        playout->next_screenshot_ns = INT64_MAX;
    }
}

/* What the recording takes of one grid step of pictures. */
static bool record_step(MediaRecordPlayout *playout, int64_t at_ns, bool changed,
                        int64_t capture_ns, GError **error)
{
    if (!begin_video(playout, at_ns, at_ns - playout->start_ns >= AUTO_WAIT_NS, error)) {
        return false;
    }
    if (playout->composer != NULL && changed && is_due(playout, at_ns, capture_ns) &&
        !record_picture(playout, at_ns, capture_ns, error)) {
        return false;
    }
    playout->stats.recorded_ns = media_ledger_to_recording(playout->ledger, at_ns);
    take_screenshot(playout);
    return media_recorder_tick(playout->recorder, playout->stats.recorded_ns, error);
}

/* One grid step of pictures. */
static void step_pictures(MediaRecordPlayout *playout)
{
    int64_t at_ns = playout->picture_ns;
    int64_t capture_ns = 0;
    bool changed = false;
    if (playout->stage != NULL) {
        run_commands(playout, at_ns);
        changed = media_stage_advance(playout->stage, at_ns, &capture_ns);
    }
    playout->picture_ns += MEDIA_GRID_NS;
    if (playout->recorder == NULL || !media_ledger_records(playout->ledger, at_ns)) {
        return;
    }
    GError *error = NULL;
    if (!record_step(playout, at_ns, changed, capture_ns, &error)) {
        give_up(playout, error);
    }
}

static void finish(MediaRecordPlayout *playout)
{
    GError *error = NULL;
    int64_t recorded_ns = media_ledger_to_recording(playout->ledger, playout->stop_ns);
    playout->stats.recorded_ns = recorded_ns;
    if (playout->recorder != NULL) {
        if (begin_video(playout, playout->picture_ns, true, &error) &&
            media_recorder_finish(playout->recorder, recorded_ns, &error)) {
            end_recorder(playout);
        } else {
            give_up(playout, error);
        }
    }
    playout->stop_ns = INT64_MAX;
    playout->events->on_stopped(recorded_ns, playout->user_data);
}

void media_record_playout_stop(MediaRecordPlayout *playout, int64_t at_ns, bool at_once)
{
    playout->stop_ns = at_ns;
    if (!at_once) {
        return;
    }
    while (media_samples_to_ns(media_mixer_position(playout->mixer)) < at_ns) {
        step_sound(playout);
    }
    while (playout->picture_ns < at_ns) {
        step_pictures(playout);
    }
    finish(playout);
}

void media_record_playout_advance(MediaRecordPlayout *playout, int64_t now_ns)
{
    playout->now_ns = now_ns;
    /* In step, so that pictures follow decisions taken a fixed time ahead of them. */
    while (playout->picture_ns + MEDIA_GRID_NS <= now_ns - PICTURE_DEPTH_NS) {
        int64_t lead_ns = playout->picture_ns + PICTURE_DEPTH_NS - SOUND_DEPTH_NS;
        while (media_samples_to_ns(media_mixer_position(playout->mixer)) <= lead_ns) {
            step_sound(playout);
        }
        step_pictures(playout);
        if (playout->picture_ns >= playout->stop_ns) {
            finish(playout);
        }
    }
}

void media_record_playout_get_stats(const MediaRecordPlayout *playout,
                                    MediaRecordPlayoutStats *ret_stats)
{
    MediaMixerStats mixer;
    media_mixer_get_stats(playout->mixer, &mixer);
    *ret_stats = playout->stats;
    ret_stats->n_frames_late = mixer.n_late;
    ret_stats->n_frames_concealed = mixer.n_concealed;
    ret_stats->n_frames_lost = mixer.n_lost;
    if (playout->recorder != NULL) {
        ret_stats->n_pictures_encoded += media_recorder_n_pictures(playout->recorder);
    }
    if (playout->stage != NULL) {
        ret_stats->n_frames_lost += media_stage_n_lost(playout->stage);
    }
}

GstBuffer *media_record_playout_dup_picture(MediaRecordPlayout *playout, GstVideoInfo *ret_info)
{
    if (playout->recorder == NULL || media_recorder_last_picture(playout->recorder) == NULL) {
        return NULL;
    }
    *ret_info = *media_composer_info(playout->composer);
    return gst_buffer_ref(media_recorder_last_picture(playout->recorder));
}
