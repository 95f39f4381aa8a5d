/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bot/auto_leave.h"
#include "bot/fields.h"
#include "bot/upload.h"

#include <json-glib/json-glib.h>

/*
 * The worker's configuration: one JSON document, every field checked against one table
 * (bot/config_fields.c), defaults filled in. An unknown field, a wrong type or value is an error
 * that names the JSON path, the value and what was expected. Immutable once made.
 */

typedef enum {
    BOT_MODE_SPEAKER_VIEW,
    BOT_MODE_GALLERY_VIEW,
    BOT_MODE_AUDIO_ONLY,
} BotMode;

typedef struct {
    JsonObject *document; /* owned: the effective document, the strings below live in it */
    char *s3_endpoint;    /* owned, like s3_prefix: defaults made from other fields; or NULL */
    char *s3_prefix;

    const char *bot_id;
    const char *output_dir;
    const char *meeting_url;
    const char *bot_name;
    const char *entry_message; /* NULL: none */
    const char *image_url;     /* NULL: none */
    const char *image_path;    /* NULL: none; before image_url */
    bool image_private;        /* it may lie at a private address */
    BotMode mode;
    JsonNode *extra; /* borrowed from document; NULL: none */

    BotAutoLeaveLimits auto_leave;
    JsonArray *ignored_names; /* borrowed; strings */

    uint16_t width, height; /* 0: auto */
    uint8_t fps;
    uint32_t video_bitrate_bps; /* 0: constant quality */
    uint8_t quality;            /* its quantizer */
    const char *capture;        /* "auto", "tap", "screen" */
    const char *encoder;
    bool audio_wav, separate_audio, chapters;
    uint32_t screenshots_s; /* 0: none */

    const char *stream_input;  /* NULL: none */
    const char *stream_output; /* NULL: none */
    uint32_t stream_rate_hz;
    uint16_t stream_frame_ms;
    bool stream_service_directions;
    bool stream_allow_insecure;
    JsonObject *stream_headers; /* borrowed */
    const char *stream_token;   /* NULL: none */
    bool stream_per_participant;
    bool stream_attendee; /* Attendee's JSON instead of raw PCM */
    uint16_t stream_replay_s;

    JsonObject *browser;  /* borrowed */
    JsonObject *proxy;    /* borrowed; NULL: the environment's */
    const char *null_dir; /* NULL: null: meetings are refused */

    BotUploadConfig upload;
    bool has_upload; /* upload says where to */

    const char *control_url;   /* NULL: none */
    const char *control_token; /* NULL: none */
    const char *worker_id;     /* NULL: none */

    const char *webhook_url;     /* NULL: none */
    const char *webhook_api_key; /* NULL: none */
    unsigned rejoin_attempts;
    unsigned shutdown_grace_s;
} BotConfig;

/**
 * bot_config_with_credentials:
 * @args: of the command credentials: {"upload": {"put_url", "headers", "s3": {"access_key",
 *   "secret_key", "session_token"}}}, with what is new of it
 *
 * Returns (transfer full) @config with them, for the same target. Errors: BOT_CONFIG_ERROR.
 */
BotConfig *bot_config_with_credentials(const BotConfig *config, JsonObject *args, GError **error);

/** Makes a document's "proxy" the process's rule (base/proxy.h). Errors: as base_proxy_set. */
bool bot_config_use_proxy(JsonObject *proxy, GError **error);

/**
 * bot_config_new_from_data:
 * @text: JSON; @length bytes, or -1 for NUL-terminated
 *
 * Thread: any. Errors: BOT_CONFIG_ERROR_SYNTAX, _FIELD, _UNSUPPORTED.
 */
BotConfig *bot_config_new_from_data(const char *text, gssize length, GError **error);

/** From a file, or standard input for "-". Errors: also BOT_CONFIG_ERROR_READ. */
BotConfig *bot_config_new_from_file(const char *path, GError **error);

/** @document: (transfer none): copied. */
BotConfig *bot_config_new(JsonObject *document, GError **error);

/**
 * bot_config_read_base:
 * @path: (nullable): a document that needs not have every field; NULL: an empty one
 *
 * Returns (transfer full): what a worker on standby has before its bot comes, every field that is
 * there checked. Errors: as bot_config_new_from_file.
 */
JsonObject *bot_config_read_base(const char *path, GError **error);

/**
 * bot_config_new_assigned:
 * @base: (transfer none): from bot_config_read_base
 * @document: (transfer none): the bot's; its members replace the base's, but those of the control
 *   link, which stays as it is
 */
BotConfig *bot_config_new_assigned(JsonObject *base, JsonObject *document, GError **error);

/** Whether sound goes to a live socket or comes from one. */
bool bot_config_is_listened(const BotConfig *config);

void bot_config_free(BotConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BotConfig, bot_config_free)

/** Returns (transfer full): the effective document as JSON, secrets blotted out. */
char *bot_config_print(const BotConfig *config);

/** The table of its fields, terminated by a NULL path. */
extern const BotField bot_config_fields[];
