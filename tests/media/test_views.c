/* SPDX-License-Identifier: Apache-2.0 */
#include "media/card.h"
#include "media/element.h"
#include "media/raw_picture.h"
#include "media/stage.h"
#include "tests/media/golden.h"
#include "tests/media/leaks.h"
#include "tests/media/synth.h"

#include <gst/gst.h>

/*
 * What the views look like: composed pictures beside references of our own making, and what changes
 * from picture to picture while tiles move.
 */

#define MS INT64_C(1000000)
#define WIDTH 640
#define HEIGHT 360
#define MAX_PEOPLE 60

typedef struct {
    MediaStage *stage;
    MediaComposer *composer;
    SynthCamera *cameras[MAX_PEOPLE + 1];
    int64_t now_ns;
} View;

static void view_init(View *view, MediaMode mode)
{
    *view = (View){.stage = media_stage_new(mode),
                   .composer = media_composer_new(WIDTH, HEIGHT),
                   .now_ns = 1000000 * MS};
}

static void view_clear(View *view)
{
    media_stage_free(view->stage);
    media_composer_free(view->composer);
    for (int i = 0; i <= MAX_PEOPLE; i++) {
        g_clear_pointer(&view->cameras[i], synth_camera_free);
    }
}

static void join(View *view, uint32_t id, const char *name)
{
    media_stage_set_participant(view->stage, id, name, true, false);
}

/* A picture of @id's camera, or screen, on track @id; then everything is taken in. */
static void show(View *view, uint32_t id, bool is_screen)
{
    if (view->cameras[id] == NULL) {
        view->cameras[id] = synth_camera_new(id, MEDIA_CODEC_VP8, 320, 180, 100);
        synth_camera_set_plain(view->cameras[id], true);
        media_stage_bind(view->stage, id, is_screen ? id - MAX_PEOPLE / 2 : id, is_screen, true);
    }
    g_autoptr(MediaEncodedFrame) frame =
        synth_camera_encode(view->cameras[id], id, 0, view->now_ns);
    media_stage_push(view->stage, frame);
}

static GstBuffer *look(View *view, int64_t after_ms)
{
    int64_t time_ns;
    view->now_ns += after_ms * MS;
    media_stage_advance(view->stage, view->now_ns, &time_ns);
    return media_stage_compose(view->stage, view->composer, view->now_ns);
}

static void pass(View *view, int64_t ms)
{
    g_autoptr(GstBuffer) picture = look(view, ms);
    g_assert_nonnull(picture);
}

static void compare(View *view, GstBuffer *picture, const char *name)
{
    golden_compare(media_composer_info(view->composer), picture, name);
}

typedef struct {
    GstBuffer *buffer;
} Shot;

static void on_shot(const MediaElementOutput *output, gpointer user_data)
{
    ((Shot *)user_data)->buffer = gst_buffer_ref(output->buffer);
}

/* What the browser would send of a page of one colour, and a bar of another at its left. */
static MediaEncodedFrame *photograph(int width, int height, int64_t at_ns)
{
    GstVideoInfo info;
    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_RGB, (guint)width, (guint)height);
    g_autoptr(GstCaps) caps = gst_video_info_to_caps(&info);
    g_autoptr(GError) error = NULL;
    Shot shot = {NULL};
    g_autoptr(MediaElement) element =
        media_element_new("videoconvert ! video/x-raw,format=I420,colorimetry=1:4:0:0 ! "
                          "jpegenc quality=95",
                          caps, on_shot, &shot, &error);
    g_assert_no_error(error);
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    for (gsize y = 0; y < (gsize)height; y++) {
        memset(map.data + y * (gsize)info.stride[0], 200, (gsize)info.stride[0]);
        memset(map.data + y * (gsize)info.stride[0], 0, (gsize)width / 4 * 3);
    }
    gst_buffer_unmap(buffer, &map);
    g_assert_true(media_element_push(element, buffer, &error));
    g_assert_true(media_element_drain(element, &error));
    g_assert_nonnull(shot.buffer);
    GstMapInfo out;
    gst_buffer_map(shot.buffer, &out, GST_MAP_READ);
    MediaEncodedFrame *frame =
        media_encoded_frame_new(MEDIA_CODEC_JPEG, g_bytes_new(out.data, out.size));
    gst_buffer_unmap(shot.buffer, &out);
    gst_buffer_unref(shot.buffer);
    frame->track_id = MEDIA_PAGE_TRACK;
    frame->receive_ns = at_ns;
    frame->rtp_timestamp = (uint32_t)(at_ns / 1000 * 9 / 100);
    frame->key_frame = true;
    return frame;
}

static int luma_at(View *view, GstBuffer *picture, int x, int y)
{
    GstVideoFrame frame;
    g_assert_true(
        gst_video_frame_map(&frame, media_composer_info(view->composer), picture, GST_MAP_READ));
    const uint8_t *plane = GST_VIDEO_FRAME_PLANE_DATA(&frame, 0);
    int value = plane[y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0) + x];
    gst_video_frame_unmap(&frame);
    return value;
}

/* The same page as a display shows it. */
static MediaEncodedFrame *grab(int width, int height, int64_t at_ns)
{
    gsize size = (gsize)width * (gsize)height * 4;
    guint8 *pixels = g_malloc(size);
    memset(pixels, 200, size);
    for (gsize y = 0; y < (gsize)height; y++) {
        memset(pixels + y * (gsize)width * 4, 0, (gsize)width);
    }
    MediaEncodedFrame *frame =
        media_encoded_frame_new(MEDIA_CODEC_BGRX, g_bytes_new_take(pixels, size));
    frame->width = (guint16)width;
    frame->height = (guint16)height;
    frame->track_id = MEDIA_PAGE_TRACK;
    frame->receive_ns = at_ns;
    frame->rtp_timestamp = (uint32_t)(at_ns / 1000 * 9 / 100);
    frame->key_frame = true;
    return frame;
}

/* A picture that lies about its size is not looked at. */
static void wrong_sizes_are_refused(void)
{
    static const int sizes[][2] = {{0, 0}, {642, 360}, {640, 358}, {641, 360}, {9000, 2}, {2, 2}};
    g_autoptr(MediaRawConverter) converter = media_raw_converter_new();
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(MediaEncodedFrame) frame = grab(640, 360, 1);
        frame->width = (guint16)sizes[i][0];
        frame->height = (guint16)sizes[i][1];
        g_assert_null(media_raw_convert(converter, frame));
    }
}

/* In every view, from its first picture to the end of its track; black and white as in the page. */
static void page_stands_for_everything(gconstpointer data)
{
    View view;
    view_init(&view, GPOINTER_TO_UINT(data));
    join(&view, 1, "Ana");
    join(&view, 2, "Ben");
    show(&view, 1, false);
    pass(&view, 1000);
    for (int scale = 1; scale <= 3; scale++) {
        int64_t at_ns = view.now_ns + 10 * MS;
        g_autoptr(MediaEncodedFrame) frame = scale == 3
                                                 ? grab(WIDTH, HEIGHT, at_ns)
                                                 : photograph(WIDTH * scale, HEIGHT * scale, at_ns);
        media_stage_push(view.stage, frame);
        pass(&view, 20); /* it is here */
        g_autoptr(GstBuffer) picture = look(&view, 20);
        for (int x = 4; x < WIDTH; x += 9) {
            for (int y = 4; y < HEIGHT && (x < 150 || x > 170); y += 7) {
                int expected = x < WIDTH / 4 ? 16 : 188; /* 16 + 200 * 219 / 255 */
                g_assert_cmpint(ABS(luma_at(&view, picture, x, y) - expected), <=, 2);
            }
        }
    }
    media_stage_end_track(view.stage, MEDIA_PAGE_TRACK);
    pass(&view, 1000);
    g_autoptr(GstBuffer) after = look(&view, 1000);
    g_assert_cmpint(luma_at(&view, after, WIDTH - 20, HEIGHT / 2), !=, 188);
    view_clear(&view);
}

static void speaker_fills_the_picture(void)
{
    View view;
    view_init(&view, MEDIA_MODE_SPEAKER_VIEW);
    join(&view, 1, "Alice Martin");
    join(&view, 2, "Bob Ōtani");
    show(&view, 1, false);
    show(&view, 2, false);
    media_stage_set_speaker(view.stage, 2);
    g_autoptr(GstBuffer) picture = look(&view, 10);
    compare(&view, picture, "speaker");
    media_stage_bind(view.stage, 2, 2, false, false);
    g_autoptr(GstBuffer) off = look(&view, 10);
    compare(&view, off, "speaker-camera-off");
    view_clear(&view);
}

static void share_fills_the_picture_speaker_inset(void)
{
    View view;
    view_init(&view, MEDIA_MODE_SPEAKER_VIEW);
    join(&view, 1, "Alice Martin");
    join(&view, 2, "Bob Ōtani");
    show(&view, 1, false);
    show(&view, 2 + MAX_PEOPLE / 2, true);
    media_stage_set_speaker(view.stage, 1);
    g_autoptr(GstBuffer) picture = look(&view, 10);
    compare(&view, picture, "speaker-share");
    view_clear(&view);
}

static void nobody_there_is_said(void)
{
    View view;
    view_init(&view, MEDIA_MODE_SPEAKER_VIEW);
    join(&view, 1, "Alice Martin");
    media_stage_set_participant(view.stage, 1, "Alice Martin", false, false);
    g_autoptr(GstBuffer) picture = look(&view, 10);
    compare(&view, picture, "waiting");
    view_clear(&view);
}

static const char *const any_script[] = {
    "Zoë Ångström",  "大谷 翔平",
    "محمد عبد الله", "🎉 Party",
    "अमिताभ बच्चन",   "Иван Петров",
    "🦊",          "A name that is far too long for any label at all",
    "김민준"};

static void gallery_shows_everybody(void)
{
    View view;
    view_init(&view, MEDIA_MODE_GALLERY_VIEW);
    for (uint32_t p = 1; p <= 4; p++) {
        join(&view, p, any_script[p - 1]);
        show(&view, p, false);
    }
    media_stage_bind(view.stage, 3, 3, false, false);
    media_stage_set_participant(view.stage, 2, any_script[1], true, true);
    media_stage_set_speaking(view.stage, 1, true);
    g_autoptr(GstBuffer) four = look(&view, 10);
    compare(&view, four, "gallery-4");
    for (uint32_t p = 5; p <= 9; p++) {
        join(&view, p, any_script[p - 1]);
    }
    media_stage_set_participant(view.stage, 7, any_script[6], true, true);
    g_autoptr(GstBuffer) moving = look(&view, 10);
    g_autoptr(GstBuffer) under_way = look(&view, 160);
    compare(&view, under_way, "gallery-under-way");
    g_autoptr(GstBuffer) nine = look(&view, 400);
    compare(&view, nine, "gallery-9");
    show(&view, 1 + MAX_PEOPLE / 2, true);
    pass(&view, 10);
    g_autoptr(GstBuffer) share = look(&view, 400);
    compare(&view, share, "gallery-share");
    view_clear(&view);
}

static void gallery_holds_49_and_prefers_cameras(void)
{
    View view;
    view_init(&view, MEDIA_MODE_GALLERY_VIEW);
    for (uint32_t p = 1; p <= 55; p++) {
        g_autofree char *name = g_strdup_printf("%c%c Guest", 'A' + p % 26, 'a' + p / 26);
        join(&view, p, name);
    }
    for (uint32_t p = 53; p <= 55; p++) {
        show(&view, p, false); /* the last three have a camera: they are seen */
    }
    media_stage_set_speaker(view.stage, 52);
    media_stage_set_speaking(view.stage, 52, true);
    g_autoptr(GstBuffer) picture = look(&view, 10);
    compare(&view, picture, "gallery-49");
    view_clear(&view);
}

/* How much of a picture differs from another, in per mille of its pixels. */
static int difference(const View *view, GstBuffer *a, GstBuffer *b)
{
    GstMapInfo map_a, map_b;
    int n = 0;
    gst_buffer_map(a, &map_a, GST_MAP_READ);
    gst_buffer_map(b, &map_b, GST_MAP_READ);
    for (gsize i = 0; i < WIDTH * HEIGHT; i++) {
        n += ABS(map_a.data[i] - map_b.data[i]) > 12;
    }
    gst_buffer_unmap(a, &map_a);
    gst_buffer_unmap(b, &map_b);
    return n * 1000 / (WIDTH * HEIGHT);
}

/* People come: every picture on the way differs a little from the one before, none jumps, and it
 * comes to rest. */
static void gallery_glides(void)
{
    View view;
    int64_t time_ns;
    view_init(&view, MEDIA_MODE_GALLERY_VIEW);
    for (uint32_t p = 1; p <= 4; p++) {
        join(&view, p, any_script[p - 1]);
        show(&view, p, false);
    }
    g_autoptr(GstBuffer) before = look(&view, 10);
    g_assert_false(media_stage_advance(view.stage, view.now_ns + 10 * MS, &time_ns));
    join(&view, 5, "Eve");
    GstBuffer *last = gst_buffer_ref(before);
    int largest = 0, n = 0;
    while (media_stage_advance(view.stage, view.now_ns + 40 * MS, &time_ns)) {
        GstBuffer *now = look(&view, 40);
        largest = MAX(largest, difference(&view, last, now));
        gst_buffer_unref(last);
        last = now;
        n++;
        g_assert_cmpint(n, <, 20);
    }
    int whole = difference(&view, before, last);
    gst_buffer_unref(last);
    g_test_message("%d pictures, largest step %d, all of it %d per mille", n, largest, whole);
    g_assert_cmpint(n, >=, 8);
    g_assert_cmpint(largest, <, whole * 2 / 3);
    view_clear(&view);
}

/* A speaker whose camera has no picture yet does not leave a hole: the one before stays, for a
 * while; and one whose picture is there takes over at once. */
static void handover_has_no_hole(void)
{
    View view;
    view_init(&view, MEDIA_MODE_SPEAKER_VIEW);
    join(&view, 1, "Alice Martin");
    join(&view, 2, "Bob Ōtani");
    show(&view, 1, false);
    media_stage_set_speaker(view.stage, 1);
    g_autoptr(GstBuffer) alice = look(&view, 10);
    media_stage_bind(view.stage, 2, 2, false, true); /* on, but nothing has come */
    media_stage_set_speaker(view.stage, 2);
    g_autoptr(GstBuffer) still_alice = look(&view, 500);
    g_assert_cmpint(difference(&view, alice, still_alice), ==, 0);
    show(&view, 2, false);
    g_autoptr(GstBuffer) arriving = look(&view, 10);
    g_autoptr(GstBuffer) bob = look(&view, 10);
    g_assert_cmpint(difference(&view, alice, bob), >, 500);
    media_stage_set_speaker(view.stage, 1);
    g_autoptr(GstBuffer) back = look(&view, 10);
    g_assert_cmpint(difference(&view, alice, back), ==, 0);
    join(&view, 3, "Carla Núñez");
    media_stage_bind(view.stage, 3, 3, false, true);
    media_stage_set_speaker(view.stage, 3);
    pass(&view, 10);
    g_autoptr(GstBuffer) card = look(&view, 1100); /* it never came */
    g_assert_cmpint(difference(&view, alice, card), >, 100);
    view_clear(&view);
}

static bool advance(View *view, int64_t after_ms)
{
    int64_t time_ns;
    view->now_ns += after_ms * MS;
    return media_stage_advance(view->stage, view->now_ns, &time_ns);
}

/* The speaker first, the others within the next moment: the last picture stays, and no other face
 * flashes up; but who speaks then is seen at once, and who stays is seen after a second. */
static void no_face_flashes_up_when_everybody_leaves(void)
{
    for (int speaks = 0; speaks < 2; speaks++) {
        View view;
        view_init(&view, MEDIA_MODE_SPEAKER_VIEW);
        for (uint32_t p = 1; p <= 3; p++) {
            join(&view, p, any_script[p - 1]);
            show(&view, p, false);
        }
        media_stage_set_speaker(view.stage, 1);
        g_autoptr(GstBuffer) alice = look(&view, 10);
        g_assert_nonnull(alice);
        media_stage_set_participant(view.stage, 1, NULL, false, false);
        g_assert_false(advance(&view, 40));
        if (speaks == 1) {
            media_stage_set_speaker(view.stage, 3);
            g_assert_true(advance(&view, 10));
        } else {
            media_stage_set_participant(view.stage, 2, NULL, false, false);
            g_assert_false(advance(&view, 40));
            g_assert_false(advance(&view, 900));
            g_assert_true(advance(&view, 200)); /* the third stayed */
        }
        g_autoptr(GstBuffer) carla = look(&view, 10);
        g_assert_cmpint(difference(&view, alice, carla), >, 500);
        view_clear(&view);
    }
}

/* A camera that moves to another track is seen without a hole; off, it is off on both. */
static void camera_moves_to_another_track(void)
{
    View view;
    view_init(&view, MEDIA_MODE_SPEAKER_VIEW);
    join(&view, 1, "Alice Martin");
    show(&view, 1, false);
    media_stage_set_speaker(view.stage, 1);
    g_autoptr(GstBuffer) first = look(&view, 10);
    media_stage_bind(view.stage, 7, 1, false, true);
    g_autoptr(GstBuffer) meanwhile = look(&view, 300);
    g_assert_cmpint(difference(&view, first, meanwhile), ==, 0);
    view.cameras[7] = synth_camera_new(7, MEDIA_CODEC_VP8, 320, 180, 100);
    synth_camera_set_plain(view.cameras[7], true);
    show(&view, 7, false); /* looks like person 7 */
    pass(&view, 10);
    g_autoptr(GstBuffer) moved = look(&view, 10);
    g_assert_cmpint(difference(&view, first, moved), >, 500);
    show(&view, 1, false); /* a late one on the old track */
    g_autoptr(GstBuffer) same = look(&view, 10);
    g_assert_cmpint(difference(&view, moved, same), ==, 0);
    media_stage_bind(view.stage, 7, 1, false, false);
    g_autoptr(GstBuffer) off = look(&view, 10);
    g_assert_cmpint(difference(&view, off, first), >, 100);
    g_assert_cmpint(difference(&view, off, moved), >, 100);
    view_clear(&view);
}

static void on_key_frame_wanted(uint32_t track_id, gpointer user_data)
{
    g_assert_cmpuint(track_id, ==, 1);
    ++*(unsigned *)user_data;
}

/* A sender may change the codec in its track, again and again: every picture shows. */
static void codec_changes_in_a_track(void)
{
    static const MediaCodec codecs[] = {MEDIA_CODEC_VP8, MEDIA_CODEC_H264, MEDIA_CODEC_AV1,
                                        MEDIA_CODEC_VP9, MEDIA_CODEC_VP8};
    View view;
    unsigned n_wanted = 0;
    view_init(&view, MEDIA_MODE_SPEAKER_VIEW);
    media_stage_set_key_frame_func(view.stage, on_key_frame_wanted, &n_wanted);
    join(&view, 1, "Alice Martin");
    media_stage_bind(view.stage, 1, 1, false, true);
    media_stage_set_speaker(view.stage, 1);
    g_autoptr(GstBuffer) before = look(&view, 10);
    for (unsigned i = 0; i < G_N_ELEMENTS(codecs); i++) {
        g_autoptr(SynthCamera) camera = synth_camera_new(1, codecs[i], 320, 180, 100);
        synth_camera_set_plain(camera, true);
        for (int n = 0; n < 3; n++) {
            g_autoptr(MediaEncodedFrame) frame =
                synth_camera_encode(camera, i + 1, 0, view.now_ns + n * 40 * MS);
            media_stage_push(view.stage, frame);
        }
        g_autoptr(GstBuffer) after = look(&view, 200);
        g_test_message("%s: %d", media_codec_to_string(codecs[i]),
                       difference(&view, before, after));
        g_assert_cmpint(difference(&view, before, after), >, 100);
        gst_buffer_replace(&before, after);
    }
    g_assert_cmpuint(n_wanted, ==, 0);
    view_clear(&view);
}

/* Pictures that can't be shown without a key frame: one is asked for, once a second, while they are
 * to be seen, until it comes. */
static void key_frame_is_asked_for(void)
{
    View view;
    unsigned n_wanted = 0;
    view_init(&view, MEDIA_MODE_SPEAKER_VIEW);
    media_stage_set_key_frame_func(view.stage, on_key_frame_wanted, &n_wanted);
    join(&view, 1, "Alice Martin");
    media_stage_bind(view.stage, 1, 1, false, true);
    media_stage_set_speaker(view.stage, 1);
    pass(&view, 10);
    pass(&view, 2000);
    g_assert_cmpuint(n_wanted, ==, 0); /* nothing came, nothing is amiss */
    g_autoptr(SynthCamera) camera = synth_camera_new(1, MEDIA_CODEC_VP8, 320, 180, 1000);
    synth_camera_set_plain(camera, true);
    g_autoptr(MediaEncodedFrame) lost = synth_camera_encode(camera, 1, 0, view.now_ns);
    g_assert_true(lost->key_frame);
    for (int i = 0; i < 60; i++) { /* 2.4 s */
        g_autoptr(MediaEncodedFrame) frame = synth_camera_encode(camera, 1, 0, view.now_ns);
        media_stage_push(view.stage, frame);
        pass(&view, 40);
    }
    g_assert_cmpuint(n_wanted, ==, 3);
    media_stage_push(view.stage, lost);
    g_autoptr(SynthCamera) again = synth_camera_new(1, MEDIA_CODEC_VP8, 320, 180, 1000);
    synth_camera_set_plain(again, true);
    g_autoptr(MediaEncodedFrame) key = synth_camera_encode(again, 1, 0, view.now_ns);
    media_stage_push(view.stage, key);
    pass(&view, 2000);
    g_assert_cmpuint(n_wanted, ==, 3);
    view_clear(&view);
}

/* Two devices in one room: their tiles speak when the room does, and it has none itself. */
static void room_speaks_by_its_members(void)
{
    View view;
    view_init(&view, MEDIA_MODE_GALLERY_VIEW);
    for (uint32_t p = 1; p <= 3; p++) {
        join(&view, p, any_script[p - 1]);
    }
    show(&view, 2, false);
    g_autoptr(GstBuffer) silent = look(&view, 10);
    join(&view, 9, "the room");
    media_stage_set_room(view.stage, 1, 9);
    media_stage_set_room(view.stage, 2, 9);
    g_autoptr(GstBuffer) with_room = look(&view, 500);
    g_assert_cmpint(difference(&view, silent, with_room), ==, 0);
    media_stage_set_speaking(view.stage, 9, true);
    g_autoptr(GstBuffer) room = look(&view, 500);
    media_stage_set_speaking(view.stage, 9, false);
    media_stage_set_speaking(view.stage, 1, true);
    media_stage_set_speaking(view.stage, 2, true);
    g_autoptr(GstBuffer) both = look(&view, 500);
    g_assert_cmpint(difference(&view, room, both), ==, 0);
    g_assert_cmpint(difference(&view, silent, both), >, 0);
    media_stage_set_room(view.stage, 1, 0);
    media_stage_set_room(view.stage, 2, 0);
    g_autoptr(GstBuffer) apart = look(&view, 1500); /* now it is somebody beside them */
    g_assert_cmpint(difference(&view, apart, both), >, 30);
    view_clear(&view);
}

/* Who fills the picture of a speaker_view when a room speaks: a member whose camera is on. */
static void room_is_seen_by_a_members_camera(void)
{
    View view;
    view_init(&view, MEDIA_MODE_SPEAKER_VIEW);
    for (uint32_t p = 1; p <= 3; p++) {
        join(&view, p, "Alice, Bob");
    }
    show(&view, 2, false);
    show(&view, 3, false);
    media_stage_set_speaker(view.stage, 2);
    pass(&view, 10);
    g_autoptr(GstBuffer) member = look(&view, 10);
    media_stage_set_speaker(view.stage, 3);
    pass(&view, 1100);
    join(&view, 9, "Alice, Bob");
    media_stage_set_room(view.stage, 1, 9);
    media_stage_set_room(view.stage, 2, 9);
    media_stage_set_speaker(view.stage, 9);
    g_autoptr(GstBuffer) room = look(&view, 10);
    g_assert_cmpint(difference(&view, room, member), ==, 0);
    view_clear(&view);
}

/* The canvas that is only touched where something changed is the picture drawn afresh. */
static void partial_drawing_is_whole(void)
{
    View view;
    view_init(&view, MEDIA_MODE_GALLERY_VIEW);
    for (uint32_t p = 1; p <= 6; p++) {
        join(&view, p, any_script[p - 1]);
        show(&view, p, false);
    }
    pass(&view, 10);
    for (uint32_t p = 1; p <= 6; p++) {
        media_stage_set_speaking(view.stage, p, p % 2);
        media_stage_set_participant(view.stage, p, any_script[p], true, p % 3 == 0);
        g_autoptr(GstBuffer) partial = look(&view, 40);
        media_composer_free(view.composer);
        view.composer = media_composer_new(WIDTH, HEIGHT);
        g_autoptr(GstBuffer) afresh = media_stage_compose(view.stage, view.composer, view.now_ns);
        GstMapInfo a, b;
        gst_buffer_map(partial, &a, GST_MAP_READ);
        gst_buffer_map(afresh, &b, GST_MAP_READ);
        g_assert_cmpmem(a.data, a.size, b.data, b.size);
        gst_buffer_unmap(partial, &a);
        gst_buffer_unmap(afresh, &b);
    }
    view_clear(&view);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/views/wrong_sizes_are_refused", wrong_sizes_are_refused);
    g_test_add_data_func("/views/page_stands_for_everything/speaker",
                         GUINT_TO_POINTER(MEDIA_MODE_SPEAKER_VIEW), page_stands_for_everything);
    g_test_add_data_func("/views/page_stands_for_everything/gallery",
                         GUINT_TO_POINTER(MEDIA_MODE_GALLERY_VIEW), page_stands_for_everything);
    g_test_add_func("/views/speaker_fills_the_picture", speaker_fills_the_picture);
    g_test_add_func("/views/share_fills_the_picture_speaker_inset",
                    share_fills_the_picture_speaker_inset);
    g_test_add_func("/views/nobody_there_is_said", nobody_there_is_said);
    g_test_add_func("/views/gallery_shows_everybody", gallery_shows_everybody);
    g_test_add_func("/views/gallery_holds_49_and_prefers_cameras",
                    gallery_holds_49_and_prefers_cameras);
    g_test_add_func("/views/gallery_glides", gallery_glides);
    g_test_add_func("/views/handover_has_no_hole", handover_has_no_hole);
    g_test_add_func("/views/no_face_flashes_up_when_everybody_leaves",
                    no_face_flashes_up_when_everybody_leaves);
    g_test_add_func("/views/camera_moves_to_another_track", camera_moves_to_another_track);
    g_test_add_func("/views/codec_changes_in_a_track", codec_changes_in_a_track);
    g_test_add_func("/views/key_frame_is_asked_for", key_frame_is_asked_for);
    g_test_add_func("/views/room_speaks_by_its_members", room_speaks_by_its_members);
    g_test_add_func("/views/room_is_seen_by_a_members_camera", room_is_seen_by_a_members_camera);
    g_test_add_func("/views/partial_drawing_is_whole", partial_drawing_is_whole);
    return leaks_test_run();
}
