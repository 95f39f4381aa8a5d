/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/s3_answer.h"
#include "bot/store.h"

#include <libsoup/soup.h>

/* store.c has requests and whole files, store_parts.c uploads in parts, store_ahead.c those that
 * begin while the file grows, store_clear.c deletes. */

struct BotStore {
    const BotStoreConfig *config; /* borrowed */
    SoupSession *session;         /* owned */
    char *base;                   /* owned: "https://host[:port]"; S3 only */
    char *host;                   /* owned: as in the Host header; S3 only */
    guint max_tries;              /* of one request */
    bool wants_credentials;       /* the last refusal was of the credentials */
};

typedef struct {
    const char *method;
    const char *name;  /* of the object, after the prefix; NULL: the bucket itself */
    const char *query; /* encoded and sorted; "" for none */
    GBytes *body;      /* NULL: the file, or nothing */
    bool makes_object; /* the object's type goes along, though there is no body */
    const char *path;  /* file to send to a presigned URL; NULL: none */
    gint64 bytes;      /* of the file */
    const char *md5;   /* base64, of the file */
} BotStoreRequest;

typedef struct {
    guint status;
    char *text; /* owned: the answer's body, cut at BOT_S3_MAX_ANSWER */
    gsize length;
    char *etag;   /* owned, without quotes; NULL: none */
    gint64 bytes; /* Content-Length */
} BotStoreAnswer;

void bot_store_answer_clear(BotStoreAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BotStoreAnswer, bot_store_answer_clear)

/**
 * Send @request to the bucket, again while it is worth it. True for a 2xx answer. @ret_answer is
 * also set when it failed and there was an answer (status 0: none).
 */
bool bot_store_exchange(BotStore *store, const BotStoreRequest *request, GCancellable *cancellable,
                        BotStoreAnswer *ret_answer, GError **error);

/* An upload in parts, its requests: each is tried again while it is worth it. */
typedef struct {
    BotStore *store;           /* borrowed */
    const char *name;          /* borrowed: of the object */
    GCancellable *cancellable; /* borrowed; NULL: none */
    char *id;                  /* owned; NULL: not begun */
} BotStoreUpload;

bool bot_store_upload_begin(BotStoreUpload *upload, GError **error);

/** Returns (transfer full): the ETag of part @number, which the store checked. */
char *bot_store_upload_part(BotStoreUpload *upload, guint number, GBytes *bytes, GError **error);

/**
 * bot_store_upload_complete:
 * @parts: (element-type BotS3Part): ordered
 *
 * Make @file of @parts; also true when the store has made it already.
 */
bool bot_store_upload_complete(BotStoreUpload *upload, const BotStoreFile *file, GArray *parts,
                               GError **error);

/** Have the parts deleted. Also true when the store knows nothing of the upload. */
bool bot_store_upload_abort(BotStoreUpload *upload, GError **error);

/** @size bytes from @offset on; fewer are BOT_STORE_ERROR_CHANGED. @path is for the message. */
GBytes *bot_store_read(int fd, const char *path, gint64 offset, gint64 size, GError **error);

/** Upload @file in parts, going on with what an earlier process sent. */
bool bot_store_put_parts(BotStore *store, const BotStoreFile *file, GCancellable *cancellable,
                         GError **error);

/**
 * bot_store_put_rest:
 * @ret_put: (out): false: nothing was sent ahead, or nothing that fits; the file has to go as ever
 *
 * Complete the upload that file->ahead_path remembers. What is of no use stays remembered, for
 * bot_store_ahead_drop.
 */
bool bot_store_put_rest(BotStore *store, const BotStoreFile *file, GCancellable *cancellable,
                        bool *ret_put, GError **error);

/** Does the store have an object of the file's size? False with @error only when it says no. */
bool bot_store_confirm(BotStore *store, const BotStoreFile *file, GCancellable *cancellable,
                       GError **error);
