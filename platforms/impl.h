/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/platform.h"

/*
 * What an adapter provides. Its struct begins with a Platform; slots left NULL answer
 * PLATFORM_ERROR_UNSUPPORTED. The contract of each slot is that of the platform_ function.
 */

typedef struct {
    const char *name; /* as in meeting_url.c, which knows its links */
    Platform *(*create)(const PlatformConfig *config, const char *url, const PlatformEvents *events,
                        gpointer user_data, GError **error);
    void (*destroy)(Platform *platform);
    void (*join)(Platform *platform);
    void (*leave)(Platform *platform);
    void (*send_chat)(Platform *platform, const char *text, GTask *task); /* task: transfer full */
    void (*request_key_frame)(Platform *platform, uint32_t track_id);
    void (*set_microphone)(Platform *platform, bool open);
    bool (*speak)(Platform *platform, const int16_t *samples, size_t n_samples, GError **error);
    void (*stop_speaking)(Platform *platform);
    void (*show_picture)(Platform *platform, GBytes *jpeg);
    void (*screenshot)(Platform *platform, const char *path, GTask *task); /* task: transfer full */
} PlatformImpl;

struct Platform {
    const PlatformImpl *impl;
};

extern const PlatformImpl meet_impl;
extern const PlatformImpl null_impl;
extern const PlatformImpl teams_impl;
extern const PlatformImpl zoom_impl;
