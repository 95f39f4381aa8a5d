/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/platform.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *url = NULL;
    const char *name = NULL;
    g_autoptr(GError) error = NULL;
    if (!platform_check_url(text, &name, &url, &error)) {
        g_assert_error(error, PLATFORM_ERROR, PLATFORM_ERROR_URL);
        return 0;
    }
    /* Whatever came in, what goes on is a URL of this one shape. */
    g_assert_true(g_str_has_prefix(url, "https://meet.google.com/"));
    g_assert_cmpuint(strlen(url), ==, strlen("https://meet.google.com/abc-defg-hij"));
    return 0;
}
