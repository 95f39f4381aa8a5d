/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/engine.h"

/*
 * The same engine on a clock that its caller moves: no threads, everything happens inside
 * media_engine_advance. Four hours of meeting take seconds, and every run is the same.
 */

/** As media_engine_new, at @now_ns of the caller's clock. */
MediaEngine *media_engine_new_manual(const MediaEngineConfig *config,
                                     const MediaEngineEvents *events, gpointer user_data,
                                     int64_t now_ns, GError **error);

/** The clock is at @now_ns; does what the playout threads would do by then. */
void media_engine_advance(MediaEngine *engine, int64_t now_ns);
