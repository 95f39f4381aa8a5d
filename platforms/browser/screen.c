/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/browser/screen.h"

#include "platforms/platform.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/mman.h>
#include <xcb/damage.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>
#include <xcb/xcbext.h>

#define BYTES_A_PIXEL 4

struct BrowserScreen {
    xcb_connection_t *connection; /* owned */
    xcb_window_t root;
    int width, height;
    uint8_t damage_event;
    xcb_damage_damage_t damage;
    xcb_shm_seg_t segment;
    uint8_t *memory; /* mapped: width * height pixels */
    unsigned source, timer;
    unsigned fps;
    int64_t next_us; /* not before */
    BrowserScreenRect rect;
    bool dirty;           /* something changed since the last picture was asked for */
    unsigned int request; /* sequence number of the picture under way; 0: none */
    BrowserScreenRect asked;
    int64_t asked_ns;
    BrowserScreenPicture on_picture;
    gpointer user_data;
};

static void ask(BrowserScreen *screen)
{
    screen->dirty = false;
    screen->asked = screen->rect;
    screen->asked_ns = g_get_monotonic_time() * 1000;
    screen->next_us = g_get_monotonic_time() + G_USEC_PER_SEC / screen->fps;
    /* What is damaged from here on is told again. */
    xcb_damage_subtract(screen->connection, screen->damage, XCB_NONE, XCB_NONE);
    screen->request = xcb_shm_get_image(screen->connection, screen->root, (int16_t)screen->rect.x,
                                        (int16_t)screen->rect.y, (uint16_t)screen->rect.width,
                                        (uint16_t)screen->rect.height, ~0u,
                                        XCB_IMAGE_FORMAT_Z_PIXMAP, screen->segment, 0)
                          .sequence;
    xcb_flush(screen->connection);
}

static gboolean on_timer(gpointer data)
{
    BrowserScreen *screen = data;
    screen->timer = 0;
    if (screen->dirty && screen->request == 0) {
        ask(screen);
    }
    return G_SOURCE_REMOVE;
}

static void ask_soon(BrowserScreen *screen)
{
    if (!screen->dirty || screen->request != 0 || screen->timer != 0) {
        return;
    }
    int64_t wait_us = screen->next_us - g_get_monotonic_time();
    screen->timer = g_timeout_add((guint)(MAX(wait_us, 0) / 1000), on_timer, screen);
}

/* Returns whether the picture that was asked for is here; it is in @ret_pixels unless the server
 * refused, as it does for a rectangle beyond the display. */
static bool take_reply(BrowserScreen *screen, GBytes **ret_pixels)
{
    void *reply = NULL;
    xcb_generic_error_t *refusal = NULL;
    *ret_pixels = NULL;
    if (screen->request == 0 ||
        !xcb_poll_for_reply(screen->connection, screen->request, &reply, &refusal)) {
        return false;
    }
    screen->request = 0;
    if (reply != NULL) {
        gsize size = (gsize)screen->asked.width * (gsize)screen->asked.height * BYTES_A_PIXEL;
        *ret_pixels = g_bytes_new(screen->memory, size);
    } else if (refusal != NULL) {
        g_debug("the display gave no picture: error %u", refusal->error_code);
    }
    free(reply);
    free(refusal);
    return true;
}

static void take_events(BrowserScreen *screen)
{
    xcb_generic_event_t *event;
    while ((event = xcb_poll_for_event(screen->connection)) != NULL) {
        screen->dirty |= (event->response_type & 0x7f) == screen->damage_event;
        free(event);
    }
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer data)
{
    BrowserScreen *screen = data;
    g_autoptr(GBytes) pixels = NULL;
    take_events(screen);
    take_reply(screen, &pixels);
    if (xcb_connection_has_error(screen->connection) != 0) {
        g_message("the virtual display is gone");
        screen->source = 0;
        return G_SOURCE_REMOVE;
    }
    ask_soon(screen);
    if (pixels != NULL) {
        screen->on_picture(pixels, screen->asked.width, screen->asked.height, screen->asked_ns,
                           screen->user_data);
    }
    return G_SOURCE_CONTINUE;
}

static bool fail(GError **error, const char *what)
{
    g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_BROWSER,
                "the virtual display can't be photographed: %s", what);
    return false;
}

static bool connect_to(BrowserScreen *screen, const BrowserXvfb *xvfb, GError **error)
{
    static char name[] = "MIT-MAGIC-COOKIE-1";
    gsize size;
    const void *cookie = g_bytes_get_data(browser_xvfb_get_cookie(xvfb), &size);
    xcb_auth_info_t auth = {.namelen = sizeof name - 1,
                            .name = name,
                            .datalen = (int)size,
                            .data = (char *)(uintptr_t)cookie};
    screen->connection =
        xcb_connect_to_display_with_auth_info(browser_xvfb_get_display(xvfb), &auth, NULL);
    if (xcb_connection_has_error(screen->connection) != 0) {
        return fail(error, "it can't be connected to");
    }
    const xcb_screen_t *root = xcb_setup_roots_iterator(xcb_get_setup(screen->connection)).data;
    screen->root = root->root;
    screen->width = root->width_in_pixels;
    screen->height = root->height_in_pixels;
    screen->rect = (BrowserScreenRect){0, 0, screen->width, screen->height};
    return root->root_depth == 24 ? true : fail(error, "its depth is not 24");
}

/* At its start only: the few answers are waited for. */
static bool watch_damage(BrowserScreen *screen, GError **error)
{
    xcb_connection_t *c = screen->connection;
    const xcb_query_extension_reply_t *extension = xcb_get_extension_data(c, &xcb_damage_id);
    if (extension == NULL || !extension->present) {
        return fail(error, "it has no DAMAGE extension");
    }
    screen->damage_event = extension->first_event + XCB_DAMAGE_NOTIFY;
    g_autofree xcb_damage_query_version_reply_t *version =
        xcb_damage_query_version_reply(c, xcb_damage_query_version(c, 1, 1), NULL);
    screen->damage = xcb_generate_id(c);
    xcb_damage_create(c, screen->damage, screen->root, XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY);
    return version != NULL ? true : fail(error, "its DAMAGE extension does not answer");
}

static bool share_memory(BrowserScreen *screen, GError **error)
{
    xcb_connection_t *c = screen->connection;
    const xcb_query_extension_reply_t *extension = xcb_get_extension_data(c, &xcb_shm_id);
    if (extension == NULL || !extension->present) {
        return fail(error, "it has no MIT-SHM extension");
    }
    gsize size = (gsize)screen->width * (gsize)screen->height * BYTES_A_PIXEL;
    screen->segment = xcb_generate_id(c);
    g_autofree xcb_shm_create_segment_reply_t *reply = xcb_shm_create_segment_reply(
        c, xcb_shm_create_segment(c, screen->segment, (uint32_t)size, 0), NULL);
    if (reply == NULL || reply->nfd != 1) {
        return fail(error, "it shares no memory");
    }
    int fd = xcb_shm_create_segment_reply_fds(c, reply)[0];
    void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    screen->memory = memory != MAP_FAILED ? memory : NULL;
    return screen->memory != NULL ? true : fail(error, "its memory can't be mapped");
}

BrowserScreen *browser_screen_new(const BrowserXvfb *xvfb, unsigned fps,
                                  BrowserScreenPicture on_picture, gpointer user_data,
                                  GError **error)
{
    g_autoptr(BrowserScreen) screen = g_new0(BrowserScreen, 1);
    screen->fps = fps;
    screen->on_picture = on_picture;
    screen->user_data = user_data;
    if (!connect_to(screen, xvfb, error) || !watch_damage(screen, error) ||
        !share_memory(screen, error)) {
        return NULL;
    }
    int fd = xcb_get_file_descriptor(screen->connection);
    screen->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, screen);
    screen->dirty = true; /* what is there already */
    ask_soon(screen);
    return g_steal_pointer(&screen);
}

void browser_screen_free(BrowserScreen *screen)
{
    if (screen == NULL) {
        return;
    }
    g_clear_handle_id(&screen->source, g_source_remove);
    g_clear_handle_id(&screen->timer, g_source_remove);
    if (screen->memory != NULL) {
        munmap(screen->memory, (gsize)screen->width * (gsize)screen->height * BYTES_A_PIXEL);
    }
    g_clear_pointer(&screen->connection, xcb_disconnect);
    g_free(screen);
}

void browser_screen_set_rect(BrowserScreen *screen, BrowserScreenRect rect)
{
    int x = CLAMP(rect.x, 0, screen->width - 2), y = CLAMP(rect.y, 0, screen->height - 2);
    int right = CLAMP(rect.x + rect.width, x + 2, screen->width);
    int bottom = CLAMP(rect.y + rect.height, y + 2, screen->height);
    /* Even, as the pictures of a recording are. */
    screen->rect = (BrowserScreenRect){x, y, (right - x) & ~1, (bottom - y) & ~1};
    screen->dirty = true;
    ask_soon(screen);
}
