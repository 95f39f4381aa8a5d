/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/mp3.h"

#include <gio/gio.h>
#include <mpg123.h>
#include <stdbool.h>

#define BLOCK_BYTES 16384

G_DEFINE_AUTOPTR_CLEANUP_FUNC(mpg123_handle, mpg123_delete)

static mpg123_handle *open_decoder(GError **error)
{
    g_autoptr(mpg123_handle) decoder = mpg123_new(NULL, NULL);
    bool good =
        decoder != NULL &&
        mpg123_param(decoder, MPG123_ADD_FLAGS, MPG123_MONO_MIX | MPG123_QUIET, 0) == MPG123_OK &&
        mpg123_format_none(decoder) == MPG123_OK;
    const long *rates = NULL;
    size_t n_rates = 0;
    mpg123_rates(&rates, &n_rates);
    for (size_t i = 0; good && i < n_rates; i++) {
        good = mpg123_format(decoder, rates[i], MPG123_MONO, MPG123_ENC_SIGNED_16) == MPG123_OK;
    }
    if (!good || mpg123_open_feed(decoder) != MPG123_OK) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the MP3 decoder does not start");
        return NULL;
    }
    return g_steal_pointer(&decoder);
}

/* One sample rate for all of it: speech that changes it half way is no proper file. */
static bool take_format(mpg123_handle *decoder, guint *rate_hz)
{
    long rate = 0;
    int channels = 0;
    int encoding = 0;
    bool good = mpg123_getformat(decoder, &rate, &channels, &encoding) == MPG123_OK &&
                (*rate_hz == 0 || *rate_hz == (guint)rate);
    *rate_hz = (guint)rate;
    return good;
}

GBytes *orch_mp3_decode(GBytes *mp3, gsize max_bytes, guint *ret_rate_hz, GError **error)
{
    g_autoptr(mpg123_handle) decoder = open_decoder(error);
    if (decoder == NULL) {
        return NULL;
    }
    g_autoptr(GByteArray) pcm = g_byte_array_new();
    guint8 block[BLOCK_BYTES];
    guint rate_hz = 0;
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(mp3, &size);
    int result = mpg123_feed(decoder, data, size);
    while (result == MPG123_OK || result == MPG123_NEW_FORMAT) {
        size_t done = 0;
        result = mpg123_read(decoder, block, sizeof block, &done);
        if (result == MPG123_NEW_FORMAT && !take_format(decoder, &rate_hz)) {
            result = MPG123_ERR;
        }
        if (pcm->len + done > max_bytes) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "it is too long");
            return NULL;
        }
        g_byte_array_append(pcm, block, (guint)done);
    }
    if (result == MPG123_ERR || pcm->len == 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "it is no MP3");
        return NULL;
    }
    *ret_rate_hz = rate_hz;
    return g_byte_array_free_to_bytes(g_steal_pointer(&pcm));
}
