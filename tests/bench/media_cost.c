/* SPDX-License-Identifier: Apache-2.0 */
#include "media/engine_priv.h"
#include "tests/media/synth.h"
#include "tests/meeting/picture.h"

#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/*
 * What the media side alone costs: frames that were encoded before are fed through the engine on a
 * clock of its own, and the processor time is counted. Usage:
 *
 *   media-cost MODE PEOPLE WIDTH HEIGHT SECONDS [FPS [ENCODER]]
 *
 * MODE: speaker, gallery, slide (a share that stands still, one camera off), audio. Prints JSON.
 */

#define MS INT64_C(1000000)
#define START_NS INT64_C(5000000000000)
#define LOOP 100 /* pictures, the first a key frame */

typedef struct {
    const char *mode, *encoder;
    int n_people, width, height, seconds, fps;
} Options;

typedef struct {
    MediaEncodedFrame *pictures[LOOP], *packets[LOOP];
} Person;

static const MediaEngineEvents no_events;

typedef struct {
    MeetingPictures *pictures;
    int width;
} Painter;

static void paint(uint8_t *const planes[3], unsigned number, gpointer user_data)
{
    const Painter *painter = user_data;
    const int strides[3] = {painter->width, painter->width / 2, painter->width / 2};
    g_autoptr(GError) error = NULL;
    meeting_pictures_draw(painter->pictures, number, planes, strides, &error);
    g_assert_no_error(error);
}

static void prepare(Person *people, const Options *options, bool with_video)
{
    for (int p = 0; p < options->n_people; p++) {
        SynthVoice *voice =
            synth_voice_new((uint32_t)(100 + p), (uint32_t)(1000 + p), 32000, false);
        SynthCamera *camera = with_video ? synth_camera_new((uint32_t)(1 + p), MEDIA_CODEC_VP8,
                                                            options->width, options->height, LOOP)
                                         : NULL;
        MeetingCamera source = {(char *)"pattern:webcam", MEETING_CODEC_VP8, options->width,
                                options->height,          options->fps,      LOOP / options->fps};
        Painter painter = {NULL, options->width};
        g_autoptr(GError) error = NULL;
        if (camera != NULL) {
            painter.pictures = meeting_pictures_new(&source, (unsigned)p + 1, &error);
            g_assert_no_error(error);
            synth_camera_set_painter(camera, paint, &painter);
        }
        float samples[960];
        for (int i = 0; i < LOOP; i++) {
            synth_tone(samples, i * 960, 960, 150 + 50 * p, 0.2);
            people[p].packets[i] = synth_voice_encode(voice, samples, 0);
            if (camera != NULL) {
                people[p].pictures[i] =
                    synth_camera_encode(camera, (unsigned)p + 1, (unsigned)i, 0);
            }
        }
        synth_voice_free(voice);
        g_clear_pointer(&camera, synth_camera_free);
        g_clear_pointer(&painter.pictures, meeting_pictures_free);
    }
}

static void push(MediaEngine *engine, const MediaEncodedFrame *model, uint32_t rtp, int32_t seq,
                 int64_t at_ns)
{
    g_autoptr(MediaEncodedFrame) frame = synth_copy(model);
    frame->rtp_timestamp = rtp;
    frame->sequence = seq;
    frame->receive_ns = at_ns;
    media_engine_push(engine, frame);
}

static void run(MediaEngine *engine, Person *people, const Options *options)
{
    int gap_ms = 1000 / options->fps;
    for (int64_t ms = 0; ms < options->seconds * INT64_C(1000); ms += 10) {
        int64_t now_ns = START_NS + ms * MS;
        for (int p = 0; p < options->n_people; p++) {
            int64_t packet = ms / 20;
            bool talks = ms / 5000 % options->n_people == p;
            if (ms % 20 == 0 && talks) {
                push(engine, people[p].packets[packet % LOOP], (uint32_t)(packet * 960),
                     (int32_t)(packet & 0xffff), now_ns);
            }
            int64_t picture = ms / gap_ms;
            bool sends = people[p].pictures[0] != NULL && ms % gap_ms < 10 &&
                         (g_strcmp0(options->mode, "slide") != 0 || picture == 0);
            if (sends) {
                push(engine, people[p].pictures[picture % LOOP], (uint32_t)(picture * gap_ms * 90),
                     -1, now_ns);
            }
        }
        media_engine_advance(engine, now_ns);
    }
}

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void report(MediaEngine *engine, const Options *options, double spent_s)
{
    MediaEngineStats stats;
    struct rusage usage;
    media_engine_get_stats(engine, &stats);
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"mode\": \"%s\", \"people\": %d, \"width\": %d, \"height\": %d, \"fps\": %d, "
           "\"seconds\": %d, \"cores\": %.4f, \"pictures\": %" G_GUINT64_FORMAT
           ", \"max_rss_mb\": %.1f}\n",
           options->mode, options->n_people, options->width, options->height, options->fps,
           options->seconds, spent_s / options->seconds, stats.n_pictures_encoded,
           (double)usage.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: media-cost MODE PEOPLE WIDTH HEIGHT SECONDS [FPS [ENCODER]]\n");
        return 2;
    }
    Options options = {
        argv[1],       argc > 7 ? argv[7] : "auto",  atoi(argv[2]), atoi(argv[3]), atoi(argv[4]),
        atoi(argv[5]), argc > 6 ? atoi(argv[6]) : 25};
    bool audio_only = g_strcmp0(options.mode, "audio") == 0;
    g_autoptr(GError) error = NULL;
    const char *dir = g_getenv("STENO_KEEP");
    MediaEngineConfig config = {
        .mode = audio_only                                ? MEDIA_MODE_AUDIO_ONLY
                : g_strcmp0(options.mode, "gallery") == 0 ? MEDIA_MODE_GALLERY_VIEW
                                                          : MEDIA_MODE_SPEAKER_VIEW,
        .output_dir = dir != NULL ? g_strdup(dir) : g_dir_make_tmp("steno-cost-XXXXXX", &error),
        .width = 1280,
        .height = 720,
        .fps = 25,
        .encoder = options.encoder,
        .stream_frame_ms = 20,
    };
    MediaEngine *engine = media_engine_new_manual(&config, &no_events, NULL, START_NS, &error);
    if (engine == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    g_autofree Person *people = g_new0(Person, options.n_people);
    prepare(people, &options, !audio_only);
    for (int p = 0; p < options.n_people; p++) {
        g_autofree char *name = g_strdup_printf("Person %d", p + 1);
        media_engine_set_participant(engine, (uint32_t)p + 1, name, true, false);
        media_engine_bind_audio(engine, (uint32_t)(1000 + p), (uint32_t)p + 1);
        media_engine_bind_video(engine, (uint32_t)p + 1, (uint32_t)p + 1,
                                p == 0 && g_strcmp0(options.mode, "slide") == 0, true);
    }
    if (!media_engine_start_recording(engine, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    double before_s = cpu_s();
    run(engine, people, &options);
    report(engine, &options, cpu_s() - before_s);
    media_engine_stop_recording(engine, true);
    media_engine_free(engine);
    return 0;
}
