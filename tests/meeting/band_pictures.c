// SPDX-License-Identifier: Apache-2.0
/* Writes noisy raw I420 pictures with the band to stdout, for test_band.py. */
#include "tests/meeting/band.h"

#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 640, HEIGHT = 360, N_FRAMES = 60 };

int main(void)
{
    static uint8_t data[WIDTH * HEIGHT * 3 / 2];
    uint8_t *planes[] = {data, data + WIDTH * HEIGHT, data + WIDTH * HEIGHT * 5 / 4};
    const int strides[] = {WIDTH, WIDTH / 2, WIDTH / 2};
    uint32_t random = 1;
    for (unsigned n = 0; n < N_FRAMES; n++) {
        for (size_t i = 0; i < sizeof data; i++) {
            random = random * 1664525 + 1013904223;
            int drift = (int)(i / WIDTH + n * 3) & 63;
            data[i] = (uint8_t)(90 + drift + (int)(random >> 28));
        }
        meeting_band_draw(planes, strides, WIDTH, HEIGHT, n % 140, 3990 + n);
        if (fwrite(data, 1, sizeof data, stdout) != sizeof data)
            return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
