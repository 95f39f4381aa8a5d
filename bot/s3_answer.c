/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/s3_answer.h"

#include <string.h>

#define MAX_DEPTH 8
#define MAX_TEXT 4096
#define MAX_ETAG 256

typedef struct {
    BotS3Answer *answer;
    GString *text; /* of the element under way */
    BotS3Part part;
    BotS3Object object;
    guint depth;
    bool in_part, in_object;
} Reader;

static void clear_part(gpointer data)
{
    BotS3Part *part = data;
    g_clear_pointer(&part->etag, g_free);
}

GArray *bot_s3_parts_new(void)
{
    GArray *parts = g_array_new(FALSE, TRUE, sizeof(BotS3Part));
    g_array_set_clear_func(parts, clear_part);
    return parts;
}

static void clear_object(gpointer data)
{
    BotS3Object *object = data;
    g_clear_pointer(&object->key, g_free);
    g_clear_pointer(&object->upload_id, g_free);
}

static void refuse(GError **error, const char *what)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the store's answer %s", what);
}

static void on_start(GMarkupParseContext *context, const char *name, const char **names,
                     const char **values, gpointer user_data, GError **error)
{
    Reader *reader = user_data;
    if (++reader->depth > MAX_DEPTH) {
        refuse(error, "is nested too deeply");
        return;
    }
    if (reader->depth == 1 && reader->answer->root != NULL) {
        refuse(error, "is more than one document");
    } else if (reader->depth == 1) {
        reader->answer->root = g_strdup(name);
    } else if (reader->depth == 2 && strcmp(name, "Part") == 0) {
        reader->in_part = true;
        reader->part = (BotS3Part){0};
    } else if (reader->depth == 2 &&
               (strcmp(name, "Contents") == 0 || strcmp(name, "Upload") == 0)) {
        reader->in_object = true;
    }
    g_string_truncate(reader->text, 0);
}

static void on_text(GMarkupParseContext *context, const char *text, gsize length,
                    gpointer user_data, GError **error)
{
    Reader *reader = user_data;
    if (reader->text->len + length <= MAX_TEXT) {
        g_string_append_len(reader->text, text, (gssize)length);
    }
}

static void set_once(char **member, const char *text)
{
    if (*member == NULL) {
        *member = g_strdup(text);
    }
}

static bool read_number(const char *text, guint64 max, guint64 *ret_number, GError **error)
{
    return g_ascii_string_to_unsigned(text, 10, 0, max, ret_number, error);
}

static char *without_quotes(const char *text)
{
    gsize length = strlen(text);
    bool quoted = length >= 2 && text[0] == '"' && text[length - 1] == '"';
    return quoted ? g_strndup(text + 1, length - 2) : g_strdup(text);
}

static bool end_in_part(Reader *reader, const char *name, const char *text, GError **error)
{
    guint64 number;
    if (strcmp(name, "PartNumber") == 0) {
        if (!read_number(text, BOT_S3_MAX_PARTS, &number, error)) {
            return false;
        }
        reader->part.number = (guint)number;
    } else if (strcmp(name, "Size") == 0) {
        if (!read_number(text, G_MAXINT64, &number, error)) {
            return false;
        }
        reader->part.bytes = (gint64)number;
    } else if (strcmp(name, "ETag") == 0 && reader->part.etag == NULL) {
        reader->part.etag = without_quotes(text);
    }
    return true;
}

/* It goes back into a document and into comparisons: plain printable ASCII, as every store has. */
static bool is_etag(const char *etag)
{
    gsize length = 0;
    while (g_ascii_isgraph(etag[length])) {
        length++;
    }
    return etag[length] == '\0' && length > 0 && length <= MAX_ETAG;
}

static bool end_part(Reader *reader, GError **error)
{
    reader->in_part = false;
    GArray *parts = reader->answer->parts;
    bool whole = reader->part.number > 0 && reader->part.etag != NULL && is_etag(reader->part.etag);
    if (!whole || parts->len >= BOT_S3_MAX_PARTS) {
        clear_part(&reader->part);
        refuse(error, whole ? "has too many parts" : "has a part without number or ETag");
        return false;
    }
    g_array_append_val(parts, reader->part);
    reader->part = (BotS3Part){0};
    return true;
}

static void end_in_object(Reader *reader, const char *name, const char *text)
{
    if (strcmp(name, "Key") == 0) {
        set_once(&reader->object.key, text);
    } else if (strcmp(name, "UploadId") == 0) {
        set_once(&reader->object.upload_id, text);
    }
}

static void end_object(Reader *reader, GError **error)
{
    reader->in_object = false;
    GArray *objects = reader->answer->objects;
    bool named = reader->object.key != NULL && reader->object.key[0] != '\0';
    if (!named || objects->len >= BOT_S3_MAX_OBJECTS) {
        clear_object(&reader->object);
        refuse(error, named ? "has too many objects" : "has an object without a key");
        return;
    }
    g_array_append_val(objects, reader->object);
    reader->object = (BotS3Object){0};
}

static bool end_of_document(Reader *reader, const char *name, const char *text, GError **error)
{
    BotS3Answer *answer = reader->answer;
    guint64 number;
    if (strcmp(name, "Code") == 0) {
        set_once(&answer->code, text);
    } else if (strcmp(name, "Message") == 0) {
        set_once(&answer->message, text);
    } else if (strcmp(name, "UploadId") == 0) {
        set_once(&answer->upload_id, text);
    } else if (strcmp(name, "IsTruncated") == 0) {
        answer->truncated = strcmp(text, "true") == 0;
    } else if (strcmp(name, "NextPartNumberMarker") == 0) {
        if (!read_number(text, BOT_S3_MAX_PARTS, &number, error)) {
            return false;
        }
        answer->next_marker = (guint)number;
    }
    return true;
}

static void on_end(GMarkupParseContext *context, const char *name, gpointer user_data,
                   GError **error)
{
    Reader *reader = user_data;
    const char *text = reader->text->str;
    if (reader->depth == 3 && reader->in_part) {
        (void)end_in_part(reader, name, text, error);
    } else if (reader->depth == 2 && reader->in_part) {
        (void)end_part(reader, error);
    } else if (reader->depth == 3 && reader->in_object) {
        end_in_object(reader, name, text);
    } else if (reader->depth == 2 && reader->in_object) {
        end_object(reader, error);
    } else if (reader->depth == 2) {
        (void)end_of_document(reader, name, text, error);
    }
    reader->depth--;
    g_string_truncate(reader->text, 0);
}

BotS3Answer *bot_s3_answer_parse(const char *text, gsize length, GError **error)
{
    static const GMarkupParser parser = {on_start, on_end, on_text, NULL, NULL};
    if (length > BOT_S3_MAX_ANSWER) {
        refuse(error, "is too long");
        return NULL;
    }
    g_autoptr(BotS3Answer) answer = g_new0(BotS3Answer, 1);
    answer->parts = bot_s3_parts_new();
    answer->objects = g_array_new(FALSE, TRUE, sizeof(BotS3Object));
    g_array_set_clear_func(answer->objects, clear_object);
    Reader reader = {.answer = answer, .text = g_string_new(NULL)};
    g_autoptr(GMarkupParseContext) context =
        g_markup_parse_context_new(&parser, (GMarkupParseFlags)0, &reader, NULL);
    bool parsed = g_markup_parse_context_parse(context, text, (gssize)length, error) &&
                  g_markup_parse_context_end_parse(context, error);
    clear_part(&reader.part);
    clear_object(&reader.object);
    g_string_free(reader.text, TRUE);
    return parsed ? g_steal_pointer(&answer) : NULL;
}

void bot_s3_answer_free(BotS3Answer *answer)
{
    g_free(answer->root);
    g_free(answer->code);
    g_free(answer->message);
    g_free(answer->upload_id);
    g_clear_pointer(&answer->parts, g_array_unref);
    g_clear_pointer(&answer->objects, g_array_unref);
    g_free(answer);
}

char *bot_s3_complete_document(GArray *parts)
{
    g_autoptr(GString) text = g_string_new("<CompleteMultipartUpload>");
    for (guint i = 0; i < parts->len; i++) {
        const BotS3Part *part = &g_array_index(parts, BotS3Part, i);
        g_autofree char *etag = g_markup_escape_text(part->etag, -1);
        g_string_append_printf(
            text, "<Part><PartNumber>%u</PartNumber><ETag>&quot;%s&quot;</ETag></Part>",
            part->number, etag);
    }
    g_string_append(text, "</CompleteMultipartUpload>");
    return g_string_free(g_steal_pointer(&text), FALSE);
}
