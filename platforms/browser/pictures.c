/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/browser/pictures.h"

#include "platforms/browser/screen.h"
#include "platforms/browser/screencast.h"

#include <math.h>

#define CALL_TIMEOUT_MS 5000
/* Nothing smaller is a stage. */
#define LEAST_SIDE 64.0

struct BrowserPictures {
    BrowserPipe *pipe; /* borrowed */
    char *session;     /* owned */
    BrowserPicturesConfig config;
    BrowserScreen *screen;         /* owned; or */
    BrowserScreencast *screencast; /* owned */
    BrowserStage stage;
};

static void on_pixels(GBytes *pixels, int width, int height, int64_t at_ns, gpointer user_data)
{
    BrowserPictures *pictures = user_data;
    BrowserPicture picture = {pixels, false, width, height, at_ns};
    pictures->config.on_picture(&picture, pictures->config.user_data);
}

static void on_jpeg(GBytes *jpeg, int64_t at_ns, gpointer user_data)
{
    BrowserPictures *pictures = user_data;
    BrowserPicture picture = {jpeg, true, pictures->config.width, pictures->config.height, at_ns};
    pictures->config.on_picture(&picture, pictures->config.user_data);
}

BrowserPictures *browser_pictures_new(BrowserPipe *pipe, const char *session,
                                      const BrowserXvfb *xvfb, const BrowserPicturesConfig *config,
                                      GError **error)
{
    g_autoptr(BrowserPictures) pictures = g_new0(BrowserPictures, 1);
    pictures->pipe = pipe;
    pictures->session = g_strdup(session);
    pictures->config = *config;
    if (xvfb != NULL) {
        pictures->screen = browser_screen_new(xvfb, config->fps, on_pixels, pictures, error);
        return pictures->screen != NULL ? g_steal_pointer(&pictures) : NULL;
    }
    BrowserScreencastConfig screencast = {config->width, config->height, config->fps, on_jpeg,
                                          pictures};
    pictures->screencast = browser_screencast_new(pipe, session, &screencast);
    return g_steal_pointer(&pictures);
}

void browser_pictures_free(BrowserPictures *pictures)
{
    if (pictures == NULL) {
        return;
    }
    g_clear_pointer(&pictures->screen, browser_screen_free);
    g_clear_pointer(&pictures->screencast, browser_screencast_free);
    g_free(pictures->session);
    g_free(pictures);
}

/* The stage with as much around it as makes it the window's shape, drawn as large as the window.
 * Only the compositor knows of it, the page does not. */
static void view_stage(BrowserPictures *pictures, const BrowserStage *stage)
{
    double scale = MIN(stage->window_width / stage->width, stage->window_height / stage->height);
    double width = stage->window_width / scale, height = stage->window_height / scale;
    double x = stage->x - (width - stage->width) / 2;
    double y = stage->y - (height - stage->height) / 2;
    browser_pipe_call(
        pictures->pipe, pictures->session, "Emulation.setDeviceMetricsOverride",
        g_variant_new_parsed("{'width': <0>, 'height': <0>, 'deviceScaleFactor': <0>, "
                             "'mobile': <false>, 'viewport': <{'x': <%d>, 'y': <%d>, "
                             "'width': <%d>, 'height': <%d>, 'scale': <%d>}>}",
                             x, y, width, height, scale),
        CALL_TIMEOUT_MS, NULL, NULL);
}

static bool is_same(const BrowserStage *a, const BrowserStage *b)
{
    const double *from = &a->x, *to = &b->x;
    for (size_t i = 0; i < sizeof *a / sizeof *from; i++) {
        if (fabs(from[i] - to[i]) >= 1) {
            return false;
        }
    }
    return true;
}

void browser_pictures_set_stage(BrowserPictures *pictures, const BrowserStage *stage)
{
    BrowserStage sane = *stage; /* a page is a hostile peer */
    sane.window_width = CLAMP(sane.window_width, LEAST_SIDE, 8192);
    sane.window_height = CLAMP(sane.window_height, LEAST_SIDE, 8192);
    sane.width = CLAMP(sane.width, LEAST_SIDE, sane.window_width);
    sane.height = CLAMP(sane.height, LEAST_SIDE, sane.window_height);
    sane.x = CLAMP(sane.x, 0, sane.window_width);
    sane.y = CLAMP(sane.y, 0, sane.window_height);
    sane.frame_height = CLAMP(sane.frame_height, 0, sane.window_height);
    if (is_same(&sane, &pictures->stage)) {
        return;
    }
    pictures->stage = sane;
    if (pictures->screencast != NULL) {
        view_stage(pictures, &sane);
    } else {
        BrowserScreenRect rect = {(int)sane.x, (int)(sane.y + sane.frame_height), (int)sane.width,
                                  (int)sane.height};
        browser_screen_set_rect(pictures->screen, rect);
    }
}

void browser_pictures_take(BrowserPictures *pictures, JsonObject *params)
{
    if (pictures->screencast != NULL) {
        browser_screencast_take(pictures->screencast, params);
    }
}
