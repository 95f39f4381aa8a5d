/* SPDX-License-Identifier: Apache-2.0 */
#include "media/card.h"
#include "media/composer.h"
#include "tests/media/leaks.h"

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <string.h>

static MediaPicture *plain_picture(int width, int height, uint8_t luma)
{
    GstVideoInfo info;
    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, (guint)width, (guint)height);
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
    gst_buffer_memset(buffer, 0, 128, info.size);
    gst_buffer_memset(buffer, 0, luma, info.offset[1]);
    MediaPicture *picture = media_picture_new(buffer, &info, 0);
    gst_buffer_unref(buffer);
    return picture;
}

static uint8_t luma_at(const MediaComposer *composer, GstBuffer *buffer, int x, int y)
{
    GstVideoFrame frame;
    g_assert_true(gst_video_frame_map(&frame, media_composer_info(composer), buffer, GST_MAP_READ));
    const uint8_t *plane = GST_VIDEO_FRAME_PLANE_DATA(&frame, 0);
    uint8_t value = plane[y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0) + x];
    gst_video_frame_unmap(&frame);
    return value;
}

static void pictures_are_fitted_with_black_beside(void)
{
    static const struct {
        int width, height, black_x, black_y;
    } cases[] = {{400, 400, 100, 360}, {1600, 400, 640, 50}, {200, 700, 200, 360}};
    g_autoptr(MediaComposer) composer = media_composer_new(1280, 720);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MediaPicture) picture = plain_picture(cases[i].width, cases[i].height, 200);
        MediaTile tile = {
            .rect = {0, 0, 1280, 720}, .picture = picture, .name = "Ana", .label = true};
        g_autoptr(GstBuffer) buffer = media_composer_compose(composer, &tile, 1);
        g_assert_cmpint(luma_at(composer, buffer, 640, 360), ==, 200);
        g_assert_cmpint(luma_at(composer, buffer, cases[i].black_x, cases[i].black_y), ==, 16);
    }
}

static void label_leaves_the_top_alone(void)
{
    g_autoptr(MediaComposer) composer = media_composer_new(640, 360);
    g_autoptr(MediaPicture) picture = plain_picture(640, 360, 90);
    MediaTile tile = {.rect = {0, 0, 640, 360},
                      .picture = picture,
                      .name =
                          "A name much longer than the label can be, by far, and then some more",
                      .label = true};
    g_autoptr(GstBuffer) buffer = media_composer_compose(composer, &tile, 1);
    for (int y = 0; y < 30; y++) {
        for (int x = 0; x < 640; x++) {
            g_assert_cmpint(luma_at(composer, buffer, x, y), ==, 90);
        }
    }
    int changed = 0;
    for (int x = 0; x < 640; x++) {
        changed += luma_at(composer, buffer, x, 342) != 90;
        g_assert_true(x < 500 || luma_at(composer, buffer, x, 342) == 90);
    }
    g_assert_cmpint(changed, >, 100);
}

/* Whatever its size, a picture is drawn where its tile is and nowhere else. */
static void nothing_is_drawn_beside_a_tile(void)
{
    for (int width = 16; width <= 200; width += 2) {
        g_autoptr(MediaComposer) composer = media_composer_new(256, 128);
        g_autoptr(MediaPicture) picture = plain_picture(320, 180, 200);
        MediaTile tile = {.rect = {8, 8, width, 100}, .picture = picture, .name = "Ana"};
        g_autoptr(GstBuffer) buffer = media_composer_compose(composer, &tile, 1);
        GstMapInfo map;
        gst_buffer_map(buffer, &map, GST_MAP_READ);
        for (int y = 0; y < 128; y++) {
            for (int x = 0; x < 256; x++) {
                bool inside = x >= 8 && x < 8 + width && y >= 8 && y < 108;
                g_assert_true(inside || map.data[y * 256 + x] == 16);
            }
        }
        gst_buffer_unmap(buffer, &map);
    }
}

static void any_name_can_be_drawn(void)
{
    static const char *const names[] = {"",
                                        " ",
                                        "Zoë",
                                        "大谷 翔平",
                                        "محمد عبد الله",
                                        "שָׁלוֹם",
                                        "👩‍🚀 Ada",
                                        "\xff\xfe broken",
                                        "x\n\ny",
                                        "अमिताभ बच्चन",
                                        "ก็ที่",
                                        "Ｆｕｌｌ",
                                        "<b>&amp;",
                                        "ŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒŒ"};
    g_autoptr(MediaComposer) composer = media_composer_new(320, 180);
    g_autoptr(MediaPicture) picture = plain_picture(64, 64, 120);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        MediaTile tiles[2] = {
            {.rect = {0, 0, 320, 180}, .name = names[i]},
            {.rect = {20, 20, 40, 22}, .name = names[i], .picture = picture, .label = true},
        };
        g_autoptr(GstBuffer) buffer = media_composer_compose(composer, tiles, 2);
        g_assert_nonnull(buffer);
    }
    MediaTile nobody = {.rect = {0, 0, 320, 180}};
    g_autoptr(GstBuffer) waiting = media_composer_compose(composer, &nobody, 1);
    g_assert_nonnull(waiting);
}

static void initials_are_of_first_and_last_name(void)
{
    static const char *const cases[][2] = {{"Alice Martin", "AM"},
                                           {"bob", "B"},
                                           {"Jean-Luc de la Tour", "JT"},
                                           {"", "?"},
                                           {"(guest) 7", "G7"},
                                           {"大谷 翔平", "大翔"},
                                           {"🦊", "🦊"},
                                           {"👩‍🚀 !", "👩‍🚀"},
                                           {"🎉 party", "P"},
                                           {"कि राम", "किरा"},
                                           {"محمد عبد", "م\u200cع"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *initials = media_card_initials(cases[i][0]);
        g_assert_cmpstr(initials, ==, cases[i][1]);
    }
}

static void screenshot_is_a_png(void)
{
    g_autoptr(MediaComposer) composer = media_composer_new(64, 36);
    MediaTile tile = {.rect = {0, 0, 64, 36}, .name = "Ada"};
    g_autoptr(GstBuffer) buffer = media_composer_compose(composer, &tile, 1);
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("steno-png-XXXXXX", &error);
    g_autofree char *path = g_build_filename(dir, "a.png", NULL);
    g_autofree char *data = NULL;
    gsize size;
    g_assert_true(media_composer_write_png(media_composer_info(composer), buffer, path, &error));
    g_assert_true(g_file_get_contents(path, &data, &size, &error));
    g_assert_cmpmem(data, 8, "\x89PNG\r\n\x1a\n", 8);
    g_assert_false(media_composer_write_png(media_composer_info(composer), buffer,
                                            "/nonexistent/a.png", &error));
    g_assert_error(error, MEDIA_ERROR, MEDIA_ERROR_IO);
    g_unlink(path);
    g_rmdir(dir);
}

static void grid_fits_any_number(void)
{
    static const int sizes[][2] = {{1280, 720}, {1920, 1080}, {640, 360}, {720, 1280}};
    for (gsize s = 0; s < G_N_ELEMENTS(sizes); s++) {
        int width = sizes[s][0], height = sizes[s][1];
        for (int n = 1; n <= MEDIA_LAYOUT_MAX_TILES; n++) {
            MediaRect tiles[MEDIA_LAYOUT_MAX_TILES];
            g_assert_cmpint(media_layout_grid(width, height, n, tiles), ==, n);
            for (int i = 0; i < n; i++) {
                const MediaRect *t = &tiles[i];
                g_assert_true(t->x >= 0 && t->y >= 0 && t->x + t->width <= width &&
                              t->y + t->height <= height && t->width >= 2 && t->height >= 2);
                g_assert_cmpint((t->x | t->y | t->width | t->height) & 1, ==, 0);
                for (int k = 0; k < i; k++) {
                    const MediaRect *o = &tiles[k];
                    g_assert_true(t->x >= o->x + o->width || o->x >= t->x + t->width ||
                                  t->y >= o->y + o->height || o->y >= t->y + t->height);
                }
            }
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/composer/pictures_are_fitted_with_black_beside",
                    pictures_are_fitted_with_black_beside);
    g_test_add_func("/composer/label_leaves_the_top_alone", label_leaves_the_top_alone);
    g_test_add_func("/composer/nothing_is_drawn_beside_a_tile", nothing_is_drawn_beside_a_tile);
    g_test_add_func("/composer/any_name_can_be_drawn", any_name_can_be_drawn);
    g_test_add_func("/composer/initials_are_of_first_and_last_name",
                    initials_are_of_first_and_last_name);
    g_test_add_func("/composer/screenshot_is_a_png", screenshot_is_a_png);
    g_test_add_func("/composer/grid_fits_any_number", grid_fits_any_number);
    return leaks_test_run();
}
