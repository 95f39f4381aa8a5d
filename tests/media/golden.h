/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gst/video/video.h>
#include <stdint.h>

/*
 * Compares composed pictures with references that this code drew before and a person looked at:
 * tests/media/golden/NAME.png. STENO_GOLDEN_WRITE=1 writes them anew.
 */

/** Asserts that @picture looks like the reference @name (SSIM of the luma); else it is left in the
 *  folder for temporary files and named. */
void golden_compare(const GstVideoInfo *info, GstBuffer *picture, const char *name);

/** Mean structural similarity (Wang et al., 2004) over windows of 8x8, steps of 4; 1: the same. */
double golden_ssim(const uint8_t *a, int stride_a, const uint8_t *b, int stride_b, int width,
                   int height);
