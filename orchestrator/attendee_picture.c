/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/attendee_read.h"

#include "bot/config.h"
#include "orchestrator/json.h"

#include <string.h>

/* What the worker takes (docs/worker.md). */
#define MAX_BYTES (8 * 1024 * 1024)

static bool refuse(GError **error, const char *sentence)
{
    g_set_error(error, BOT_CONFIG_ERROR, BOT_CONFIG_ERROR_FIELD, "$.bot_image%s", sentence);
    return false;
}

/* GLib's decoder leaves out what it does not know. */
static bool is_base64(const char *text)
{
    gsize length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    gsize padding = strspn(text + length, "=");
    return text[length + padding] == '\0' && padding <= 2 && (length + padding) % 4 == 0;
}

/* By its first bytes, as the worker tells it. */
static bool is_picture(const guchar *data, gsize size)
{
    static const guchar png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static const guchar jpeg[] = {0xff, 0xd8, 0xff};
    return (size > sizeof png && memcmp(data, png, sizeof png) == 0) ||
           (size > sizeof jpeg && memcmp(data, jpeg, sizeof jpeg) == 0) ||
           (size > 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0);
}

bool orch_attendee_read_picture(JsonObject *body, GBytes **ret_picture, GError **error)
{
    JsonObject *image = orch_json_object(body, "bot_image");
    if (image == NULL) {
        return true;
    }
    const char *text = orch_json_string(image, "data");
    if (text == NULL || !is_base64(text)) {
        return refuse(error, ".data: is not base64, which a picture comes in");
    }
    gsize size = 0;
    guchar *data = g_base64_decode(text, &size);
    g_autoptr(GBytes) picture = g_bytes_new_take(data, size);
    if (size > MAX_BYTES) {
        return refuse(error, ".data: is larger than 8 MiB");
    }
    if (!is_picture(data, size)) {
        return refuse(error, ".data: is neither PNG nor JPEG nor WebP");
    }
    *ret_picture = g_steal_pointer(&picture);
    return true;
}
