/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * Where artifacts are delivered: one presigned URL, or a bucket of an S3-compatible store. Every
 * call blocks; a store belongs to the thread that made it. What fails for a passing reason (no
 * connection, 408, 429, 5xx) is tried again, with a growing wait.
 */

typedef struct BotStore BotStore;

typedef struct {
    const char *put_url; /* NULL: S3 */
    JsonObject *headers; /* of the PUT to put_url; NULL: none */

    const char *endpoint; /* "https://s3.eu-central-1.amazonaws.com", no path */
    const char *region;
    const char *bucket;
    const char *prefix; /* before each name, e.g. "bots/42/"; "" for none */
    bool path_style;    /* endpoint/bucket/key; else bucket.endpoint/key */
    const char *access_key, *secret_key;
    const char *session_token; /* NULL: none */
} BotStoreConfig;

typedef enum {
    BOT_STORE_ERROR_REFUSED,     /* the store said no; trying again is no use */
    BOT_STORE_ERROR_UNAVAILABLE, /* no good answer after every try */
    BOT_STORE_ERROR_CHANGED,     /* the file is not what it was, or the store has something else */
    BOT_STORE_ERROR_ANSWER,      /* an answer that makes no sense */
} BotStoreError;

#define BOT_STORE_ERROR bot_store_error_quark()
GQuark bot_store_error_quark(void);

/** How often one request is tried, and the longest wait between two tries. */
#define BOT_STORE_MAX_TRIES 8
#define BOT_STORE_MAX_WAIT_S 30u
/** Files up to this size go in one request, larger ones in parts of at least BOT_STORE_PART. */
#define BOT_STORE_ONE_REQUEST (16 * 1024 * 1024)
#define BOT_STORE_PART (8 * 1024 * 1024)
/** How long the URL of an uploaded file is good for. */
#define BOT_STORE_LINK_S (24 * 3600)

typedef struct {
    const char *path;       /* of the file */
    const char *name;       /* in the bucket, after the prefix; "tracks/1.ogg" */
    gint64 bytes;           /* what it must have */
    const char *sha256;     /* hex, what it must have */
    const char *state_path; /* remembers an upload in parts, so that it is resumed after a crash */
    const char *ahead_path; /* what a BotStoreAhead remembered of it; NULL: none was made */
} BotStoreFile;

/**
 * bot_store_link:
 * @config: of a bucket, not a put_url
 *
 * Returns (transfer full): where @name can be fetched for @expires_s from now on. No I/O; any
 * thread.
 */
char *bot_store_link(const BotStoreConfig *config, const char *name, guint expires_s);

/** @config: (transfer none): borrowed for the store's life. */
BotStore *bot_store_new(const BotStoreConfig *config);
void bot_store_free(BotStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotStore, bot_store_free)

/** Whether the last failure of bot_store_put was a refusal that newer credentials may end: 401,
 * 403, or 400 for what has expired. */
bool bot_store_wants_credentials(BotStore *store);

/** How often one request is tried, instead of BOT_STORE_MAX_TRIES; at least 1. */
void bot_store_set_max_tries(BotStore *store, guint max_tries);

/**
 * bot_store_put:
 * @ret_url: (out) (transfer full): where it can be fetched: a GET link good for BOT_STORE_LINK_S,
 *   or put_url without its query
 *
 * Returns true only when the store confirmed the whole file: each request carries a checksum that
 * the store verifies, and where it lets us look the object's size is compared as well.
 *
 * Errors: BOT_STORE_ERROR, G_IO_ERROR_CANCELLED, G_FILE_ERROR. Messages name the object, what the
 * store said, and never a secret.
 */
bool bot_store_put(BotStore *store, const BotStoreFile *file, GCancellable *cancellable,
                   char **ret_url, GError **error);

/**
 * bot_store_clear:
 * @ret_n: (out): how many were there; also set on failure
 *
 * Delete every object of the bucket whose key begins with the prefix, which must not be empty, and
 * every upload in parts that was begun there. Returns true when the store lists none any more. A
 * bucket that keeps versions keeps old ones: that is its owner's to configure.
 *
 * Errors: BOT_STORE_ERROR, G_IO_ERROR_CANCELLED.
 */
bool bot_store_clear(BotStore *store, guint *ret_n, GCancellable *cancellable, GError **error);
