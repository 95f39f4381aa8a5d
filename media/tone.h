/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A tone as a browser would have received it: Opus packets without a browser, for platforms/null.
 * Thread: any.
 */

#define MEDIA_TONE_PACKET_MS 20
#define MEDIA_TONE_PACKETS 50 /* one second, which can be repeated without a seam */

/**
 * media_tone_new:
 * @hz: a whole number, 20 to 8000
 *
 * Returns (transfer full) (element-type GBytes): MEDIA_TONE_PACKETS packets of Opus, 48 kHz mono,
 * with an amplitude of a quarter of full scale. Takes some milliseconds: made once, sent often.
 */
GPtrArray *media_tone_new(unsigned hz);
