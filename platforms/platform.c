/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/platform.h"

#include "platforms/impl.h"

#include <string.h>

static const PlatformImpl *const registry[] = {&meet_impl, &null_impl, &teams_impl, &zoom_impl};

static const PlatformImpl *find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(registry); i++) {
        if (strcmp(registry[i]->name, name) == 0) {
            return registry[i];
        }
    }
    return NULL;
}

Platform *platform_new(const PlatformConfig *config, const PlatformEvents *events,
                       gpointer user_data, GError **error)
{
    g_autofree char *url = NULL;
    const char *name = NULL;
    if (!platform_check_url(config->meeting_url, &name, &url, error)) {
        return NULL;
    }
    const PlatformImpl *impl = find(name);
    g_assert(impl != NULL);
    return impl->create(config, url, events, user_data, error);
}

void platform_free(Platform *platform)
{
    if (platform != NULL) {
        platform->impl->destroy(platform);
    }
}

const char *platform_get_name(Platform *platform)
{
    return platform->impl->name;
}

void platform_join(Platform *platform)
{
    platform->impl->join(platform);
}

void platform_leave(Platform *platform)
{
    platform->impl->leave(platform);
}

static void return_unsupported(GTask *task, const char *what)
{
    g_task_return_new_error(task, PLATFORM_ERROR, PLATFORM_ERROR_UNSUPPORTED,
                            "this platform has no %s", what);
    g_object_unref(task);
}

/* The finish functions look at the result alone: it may come after platform_free. */
void platform_send_chat_async(Platform *platform, const char *text, GAsyncReadyCallback callback,
                              gpointer user_data)
{
    GTask *task = g_task_new(NULL, NULL, callback, user_data);
    g_task_set_source_tag(task, platform_send_chat_async);
    if (platform->impl->send_chat == NULL) {
        return_unsupported(task, "chat");
        return;
    }
    platform->impl->send_chat(platform, text, task);
}

bool platform_send_chat_finish(Platform *platform, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

void platform_request_key_frame(Platform *platform, uint32_t track_id)
{
    if (platform->impl->request_key_frame != NULL) {
        platform->impl->request_key_frame(platform, track_id);
    }
}

void platform_set_microphone(Platform *platform, bool open)
{
    if (platform->impl->set_microphone != NULL) {
        platform->impl->set_microphone(platform, open);
    }
}

bool platform_speak(Platform *platform, const int16_t *samples, size_t n_samples, GError **error)
{
    if (platform->impl->speak == NULL) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_UNSUPPORTED,
                            "this platform has no microphone");
        return false;
    }
    return platform->impl->speak(platform, samples, n_samples, error);
}

void platform_stop_speaking(Platform *platform)
{
    if (platform->impl->stop_speaking != NULL) {
        platform->impl->stop_speaking(platform);
    }
}

void platform_show_picture(Platform *platform, GBytes *jpeg)
{
    if (platform->impl->show_picture != NULL) {
        platform->impl->show_picture(platform, jpeg);
    }
}

void platform_screenshot_async(Platform *platform, const char *path, GAsyncReadyCallback callback,
                               gpointer user_data)
{
    GTask *task = g_task_new(NULL, NULL, callback, user_data);
    g_task_set_source_tag(task, platform_screenshot_async);
    if (platform->impl->screenshot == NULL) {
        return_unsupported(task, "screenshots");
        return;
    }
    platform->impl->screenshot(platform, path, task);
}

bool platform_screenshot_finish(Platform *platform, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}
