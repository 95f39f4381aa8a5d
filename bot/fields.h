/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * A JSON document's fields as a table: what each is called, holds and defaults to. One checker
 * holds every document that comes from outside against its table (the worker's configuration, the
 * orchestrator's, the bodies of the HTTP APIs), and names the JSON path, the value and what was
 * expected. Pure; any thread.
 */

typedef enum {
    BOT_CONFIG_ERROR_SYNTAX,      /* not JSON, or not an object */
    BOT_CONFIG_ERROR_FIELD,       /* a field is unknown, missing, of the wrong type or value */
    BOT_CONFIG_ERROR_UNSUPPORTED, /* known, but this version can't do it */
    BOT_CONFIG_ERROR_READ,
} BotConfigError;

#define BOT_CONFIG_ERROR bot_config_error_quark()
GQuark bot_config_error_quark(void);

typedef enum {
    BOT_FIELD_STRING,
    BOT_FIELD_BOOL,
    BOT_FIELD_INT,
    BOT_FIELD_STRINGS, /* array of strings */
    BOT_FIELD_HEADERS, /* object of strings */
    BOT_FIELD_OBJECT,  /* with fields of its own */
    BOT_FIELD_ANY,     /* kept as it is */
} BotFieldType;

typedef enum {
    BOT_FIELD_PLAIN = 0,
    BOT_FIELD_REQUIRED = 1 << 0,
    BOT_FIELD_SECRET = 1 << 1,      /* blotted out in print */
    BOT_FIELD_URL = 1 << 2,         /* its query is blotted out in print */
    BOT_FIELD_UNSUPPORTED = 1 << 3, /* anything but the default is refused by this version */
    BOT_FIELD_UNUSED = 1 << 4,      /* the orchestrator's; accepted and left alone */
} BotFieldFlags;

typedef struct {
    const char *path; /* "streaming.frame_ms" */
    BotFieldType type;
    BotFieldFlags flags;
    gint64 min, max;            /* of an int, or of a string's length in characters; 0,0: any */
    const char *const *choices; /* of a string; NULL: any */
    const char *schemes;        /* of a URL: "http https" */
    const char *fallback;       /* default as JSON; NULL: absent */
    const char *help;           /* a sentence for docs and errors */
} BotField;

/** Tables end with a NULL path. */
typedef struct {
    const BotField *fields;
    const char *docs; /* where the fields are described; named to whoever sends an unknown one */
} BotFieldTable;

/**
 * bot_fields_check:
 *
 * Every member of @document is in the table and holds what the table says; null passes as "not
 * given" unless the field is required. Errors: BOT_CONFIG_ERROR_FIELD, _UNSUPPORTED.
 */
bool bot_fields_check(const BotFieldTable *table, JsonObject *document, GError **error);

/**
 * bot_fields_fill_in:
 *
 * Take out nulls (not those inside a field that is kept as it is), give absent fields their
 * default, objects on the way included. Errors: BOT_CONFIG_ERROR_FIELD, a required one is absent.
 */
bool bot_fields_fill_in(const BotFieldTable *table, JsonObject *document, GError **error);

/** The object that holds @path's last part, made on the way; *ret_name (borrowed) is that part. */
JsonObject *bot_fields_parent(JsonObject *document, const char *path, const char **ret_name);
