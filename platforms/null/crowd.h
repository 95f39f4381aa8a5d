/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "platforms/null/document.h"
#include "platforms/null/sender.h"

/*
 * The people of a described meeting: what each does now, reported as a platform's events and sent
 * as media. Its events come from inside its own calls; it must not be freed in one of them, but
 * null_crowd_stop may be called, after which there are no more. Main thread only.
 */

typedef struct NullCrowd NullCrowd;

/** All borrowed for the crowd's life. */
typedef struct {
    const NullDocument *document;
    NullSender *sender;
    bool want_video;
    const PlatformEvents *events;
    gpointer user_data;
} NullCrowdConfig;

NullCrowd *null_crowd_new(const NullCrowdConfig *config);
void null_crowd_free(NullCrowd *crowd);

/** Somebody does something, at @at_us of the monotonic clock. Before null_crowd_begin it is only
 * remembered. */
void null_crowd_step(NullCrowd *crowd, const NullStep *step, int64_t at_us);

/** The bot is in: everybody who is there is reported, and from now on everything is. */
void null_crowd_begin(NullCrowd *crowd);

/** Whether the bot hears and sees them. */
void null_crowd_set_heard(NullCrowd *crowd, bool heard);

/** Nothing is reported or sent any more. */
void null_crowd_stop(NullCrowd *crowd);
