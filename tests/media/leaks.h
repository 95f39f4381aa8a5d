/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether what a test made with GStreamer is gone after it. LeakSanitizer does not see that:
 * GStreamer itself keeps objects for the life of the process, so that its stacks have to be
 * suppressed.
 */

/**
 * leaks_test_run:
 *
 * g_test_run(), and after it a failure if an object that GStreamer's "leaks" tracer counts is still
 * there: elements, pads, buses, buffers, caps, events, messages. Each one is named. Initializes
 * GStreamer itself, so call nothing of it before. Returns the test program's exit code.
 */
int leaks_test_run(void);
