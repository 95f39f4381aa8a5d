/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/null/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NullDocument) document = null_document_parse((const char *)data, size, &error);
    if (document == NULL) {
        g_assert_error(error, PLATFORM_ERROR, PLATFORM_ERROR_RULES);
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        return 0;
    }
    g_assert_no_error(error);
    for (guint i = 0; i < document->steps->len; i++) {
        const NullStep *step = &g_array_index(document->steps, NullStep, i);
        g_assert_cmpint(step->at_us, >=, i > 0 ? (step - 1)->at_us : 0);
        g_assert_true(step->person == 0 || step->person < document->people->len);
    }
    return 0;
}
