/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/s3_answer.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(BotS3Answer) answer = bot_s3_answer_parse((const char *)data, size, &error);
    g_assert_true((answer == NULL) == (error != NULL));
    if (answer == NULL) {
        return 0;
    }
    for (guint i = 0; i < answer->parts->len; i++) {
        const BotS3Part *part = &g_array_index(answer->parts, BotS3Part, i);
        g_assert_true(part->number >= 1 && part->number <= BOT_S3_MAX_PARTS);
        g_assert_true(part->bytes >= 0 && part->etag != NULL);
    }
    g_assert_cmpuint(answer->objects->len, <=, BOT_S3_MAX_OBJECTS);
    for (guint i = 0; i < answer->objects->len; i++) {
        g_assert_nonnull(g_array_index(answer->objects, BotS3Object, i).key);
    }
    /* What we send is a document that our own reader understands. */
    g_autofree char *document = bot_s3_complete_document(answer->parts);
    g_autoptr(BotS3Answer) again = bot_s3_answer_parse(document, strlen(document), NULL);
    g_assert_true(again != NULL || strlen(document) > BOT_S3_MAX_ANSWER);
    return 0;
}
