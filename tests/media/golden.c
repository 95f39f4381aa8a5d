/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/media/golden.h"

#include "media/composer.h"

#include <cairo.h>
#include <unistd.h>

/* Another version of a font or of FreeType moves edges by a fraction of a pixel. */
#define LIKE 0.99

static double ssim_window(const uint8_t *a, int stride_a, const uint8_t *b, int stride_b)
{
    double sum_a = 0, sum_b = 0, sum_aa = 0, sum_bb = 0, sum_ab = 0;
    for (int y = 0; y < 8; y++) {
        for (int x = 0; x < 8; x++) {
            double p = a[y * stride_a + x], q = b[y * stride_b + x];
            sum_a += p;
            sum_b += q;
            sum_aa += p * p;
            sum_bb += q * q;
            sum_ab += p * q;
        }
    }
    double mean_a = sum_a / 64, mean_b = sum_b / 64;
    double var_a = sum_aa / 64 - mean_a * mean_a, var_b = sum_bb / 64 - mean_b * mean_b;
    double cov = sum_ab / 64 - mean_a * mean_b;
    const double c1 = 6.5025, c2 = 58.5225;
    return (2 * mean_a * mean_b + c1) * (2 * cov + c2) /
           ((mean_a * mean_a + mean_b * mean_b + c1) * (var_a + var_b + c2));
}

double golden_ssim(const uint8_t *a, int stride_a, const uint8_t *b, int stride_b, int width,
                   int height)
{
    double sum = 0;
    int n = 0;
    for (int y = 0; y + 8 <= height; y += 4) {
        for (int x = 0; x + 8 <= width; x += 4) {
            sum += ssim_window(a + y * stride_a + x, stride_a, b + y * stride_b + x, stride_b);
            n++;
        }
    }
    return sum / MAX(n, 1);
}

/* The luma of a PNG; also its size. */
static uint8_t *read_luma(const char *path, int *ret_width, int *ret_height)
{
    cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        g_error("%s: %s", path, cairo_status_to_string(cairo_surface_status(surface)));
    }
    int width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface);
    int stride = cairo_image_surface_get_stride(surface);
    const uint8_t *data = cairo_image_surface_get_data(surface);
    uint8_t *luma = g_malloc((gsize)width * (gsize)height);
    for (int y = 0; y < height; y++) {
        const uint32_t *row = (const uint32_t *)(const void *)(data + (gsize)y * (gsize)stride);
        for (int x = 0; x < width; x++) {
            int r = (int)(row[x] >> 16 & 255), g = (int)(row[x] >> 8 & 255), b = row[x] & 255;
            luma[y * width + x] = (uint8_t)((r * 77 + g * 150 + b * 29) >> 8);
        }
    }
    cairo_surface_destroy(surface);
    *ret_width = width;
    *ret_height = height;
    return luma;
}

void golden_compare(const GstVideoInfo *info, GstBuffer *picture, const char *name)
{
    g_autofree char *file = g_strconcat(name, ".png", NULL);
    g_autofree char *wanted_path =
        g_test_build_filename(G_TEST_DIST, "media", "golden", file, NULL);
    g_autofree char *seen_path =
        g_strdup_printf("%s/steno-golden-%d-%s", g_get_tmp_dir(), (int)getpid(), file);
    g_autoptr(GError) error = NULL;
    bool write = g_getenv("STENO_GOLDEN_WRITE") != NULL;
    media_composer_write_png(info, picture, write ? wanted_path : seen_path, &error);
    g_assert_no_error(error);
    if (write) {
        return;
    }
    int width, height, seen_width, seen_height;
    g_autofree uint8_t *wanted = read_luma(wanted_path, &width, &height);
    g_autofree uint8_t *seen = read_luma(seen_path, &seen_width, &seen_height);
    g_assert_cmpint(width, ==, seen_width);
    g_assert_cmpint(height, ==, seen_height);
    double ssim = golden_ssim(wanted, width, seen, width, width, height);
    g_test_message("%s: SSIM %.4f", name, ssim);
    if (ssim < LIKE) {
        g_error("%s does not look like %s: SSIM %.4f", seen_path, wanted_path, ssim);
    }
    unlink(seen_path);
}
