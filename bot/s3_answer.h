/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/*
 * What an S3-compatible store says in XML (Amazon S3 API Reference, multipart actions,
 * ListObjectsV2 and "Error responses"), and the one document that we send. Pure; any thread. The
 * store is a foreign peer: bounded, and anything that does not fit is an error.
 */

/** Largest answer that is read. A list of a thousand parts has about 300 KiB. */
#define BOT_S3_MAX_ANSWER (1024 * 1024)
/** Most parts of an upload, by the protocol. */
#define BOT_S3_MAX_PARTS 10000
/** Most objects of one list, by the protocol. */
#define BOT_S3_MAX_OBJECTS 1000

typedef struct {
    guint number; /* 1..10000 */
    gint64 bytes;
    char *etag; /* owned: without quotes */
} BotS3Part;

/** An object, or an upload in parts that was not completed. */
typedef struct {
    char *key;       /* owned: prefix and name */
    char *upload_id; /* owned; NULL: an object */
} BotS3Object;

typedef struct {
    char *root;      /* owned: "Error", "InitiateMultipartUploadResult", … */
    char *code;      /* owned: of an Error; NULL: none */
    char *message;   /* owned: of an Error; NULL: none */
    char *upload_id; /* owned; NULL: none */
    GArray *parts;   /* BotS3Part */
    GArray *objects; /* BotS3Object */
    bool truncated;  /* the list of parts goes on after next_marker */
    guint next_marker;
} BotS3Answer;

/** Errors: G_MARKUP_ERROR, G_IO_ERROR_INVALID_DATA. */
BotS3Answer *bot_s3_answer_parse(const char *text, gsize length, GError **error);
void bot_s3_answer_free(BotS3Answer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotS3Answer, bot_s3_answer_free)

/** @parts: (element-type BotS3Part), ordered. Returns (transfer full): CompleteMultipartUpload. */
char *bot_s3_complete_document(GArray *parts);

/** GArray of BotS3Part that clears what it holds. */
GArray *bot_s3_parts_new(void);
