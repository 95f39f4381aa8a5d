/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/last_words.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *words = orch_last_words_of((const char *)data, size);
    if (words != NULL) {
        g_assert_true(g_utf8_validate(words, -1, NULL));
        g_assert_cmpint(g_utf8_strlen(words, -1), <=, 301);
    }
    return 0;
}
