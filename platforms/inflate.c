/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/inflate.h"

#include "platforms/platform.h"

#include <zlib.h>

#define CHUNK_BYTES 16384
#define RAW_DEFLATE (-MAX_WBITS)
#define GZIP_OR_ZLIB (MAX_WBITS + 32)

typedef enum { INFLATE_DONE, INFLATE_DAMAGED, INFLATE_TOO_LARGE } InflateResult;

static InflateResult run(const void *data, size_t size, int window_bits, size_t max_bytes,
                         GByteArray *out)
{
    z_stream stream = {.next_in = (Bytef *)data, .avail_in = (uInt)size};
    if (inflateInit2(&stream, window_bits) != Z_OK) {
        return INFLATE_DAMAGED;
    }
    int status = Z_OK;
    while (status == Z_OK && out->len <= max_bytes) {
        guint old = out->len;
        g_byte_array_set_size(out, old + CHUNK_BYTES);
        stream.next_out = out->data + old;
        stream.avail_out = CHUNK_BYTES;
        status = inflate(&stream, Z_NO_FLUSH);
        g_byte_array_set_size(out, old + CHUNK_BYTES - stream.avail_out);
    }
    inflateEnd(&stream);
    if (out->len > max_bytes) {
        return INFLATE_TOO_LARGE;
    }
    return status == Z_STREAM_END ? INFLATE_DONE : INFLATE_DAMAGED;
}

static bool has_gzip_or_zlib_header(const uint8_t *data, size_t size)
{
    return size >= 2 && ((data[0] == 0x1f && data[1] == 0x8b) ||
                         ((data[0] & 0x0f) == 8 && (data[0] << 8 | data[1]) % 31 == 0));
}

GBytes *platform_inflate(const void *data, size_t size, size_t max_bytes, GError **error)
{
    static const int formats[] = {GZIP_OR_ZLIB, RAW_DEFLATE};
    InflateResult result = INFLATE_DAMAGED;
    if (size > max_bytes) {
        result = INFLATE_TOO_LARGE;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(formats) && result == INFLATE_DAMAGED; i++) {
        if (formats[i] == GZIP_OR_ZLIB && !has_gzip_or_zlib_header(data, size)) {
            continue;
        }
        GByteArray *out = g_byte_array_new();
        result = run(data, size, formats[i], max_bytes, out);
        if (result == INFLATE_DONE) {
            return g_byte_array_free_to_bytes(out);
        }
        g_byte_array_unref(out);
    }
    if (result == INFLATE_TOO_LARGE) {
        g_set_error(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL,
                    "compressed data larger than %zu bytes", max_bytes);
        return NULL;
    }
    if (size >= 2 && ((const uint8_t *)data)[0] == 0x1f && ((const uint8_t *)data)[1] == 0x8b) {
        g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_PROTOCOL, "damaged gzip data");
        return NULL;
    }
    return g_bytes_new(data, size);
}
