// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

/*
 * The machine-readable band at the top of every picture: one row of 32 black and white cells
 * over the full width, a fifteenth of the height. docs/test-meeting.md has the layout;
 * band.py reads it. Pure.
 */

#define MEETING_BAND_N_CELLS 32
#define MEETING_BAND_SCREEN 128 /* added to the person's number for a shared screen */

/* The 32 cells, the leftmost in the highest bit. @person 0..255, @counter 0..4095. */
uint32_t meeting_band_cells(unsigned person, unsigned counter);

/* Height of the band in a picture of @height lines; even. */
int meeting_band_height(int height);

/* Draws the band over an I420 picture. */
void meeting_band_draw(uint8_t *const planes[3], const int strides[3], int width, int height,
                       unsigned person, unsigned counter);
