// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/band.h"

#include <string.h>

enum { BLACK = 20, WHITE = 230 };

/* CRC-6 with the polynomial x^6 + x + 1 over the 20 bits of person and counter. */
static uint32_t crc6(uint32_t bits)
{
    uint32_t crc = 0;
    for (int i = 19; i >= 0; i--) {
        uint32_t top = ((crc >> 5) ^ (bits >> i)) & 1;
        crc = (crc << 1) & 0x3f;
        if (top)
            crc ^= 0x03;
    }
    return crc;
}

uint32_t meeting_band_cells(unsigned person, unsigned counter)
{
    uint32_t payload = (person & 0xff) << 12 | (counter & 0xfff);
    /* The checksum is turned over so that an all-black row does not pass. */
    return 5u << 29 | payload << 9 | (crc6(payload) ^ 0x2a) << 3 | 2u;
}

int meeting_band_height(int height)
{
    int band = height / 15 & ~1;
    return band < 4 ? 4 : band;
}

void meeting_band_draw(uint8_t *const planes[3], const int strides[3], int width, int height,
                       unsigned person, unsigned counter)
{
    uint32_t cells = meeting_band_cells(person, counter);
    int band = meeting_band_height(height);
    for (int i = 0; i < MEETING_BAND_N_CELLS; i++) {
        int from = width * i / MEETING_BAND_N_CELLS, to = width * (i + 1) / MEETING_BAND_N_CELLS;
        memset(planes[0] + from, cells >> (31 - i) & 1 ? WHITE : BLACK, (size_t)(to - from));
    }
    for (int y = 1; y < band; y++)
        memcpy(planes[0] + y * strides[0], planes[0], (size_t)width);
    for (int y = 0; y < band / 2; y++) {
        memset(planes[1] + y * strides[1], 128, (size_t)width / 2);
        memset(planes[2] + y * strides[2], 128, (size_t)width / 2);
    }
}
