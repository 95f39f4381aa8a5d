/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/* JSON from and for strangers. Pure; any thread. */

#define ORCH_JSON_MAX_DEPTH 32

/**
 * orch_json_parse_object:
 * @text: @length bytes
 *
 * One JSON object in valid UTF-8, nested at most ORCH_JSON_MAX_DEPTH deep. Errors:
 * G_IO_ERROR_INVALID_DATA, with a sentence for whoever sent it.
 */
JsonObject *orch_json_parse_object(const char *text, gsize length, GError **error);

/** Our own stored texts: (transfer full); an empty object for NULL or what is none. */
JsonObject *orch_json_load(const char *text);
JsonArray *orch_json_load_array(const char *text);

/** The member when it is of that type; otherwise NULL, 0 or @fallback. Borrowed. */
const char *orch_json_string(JsonObject *object, const char *name);
JsonObject *orch_json_object(JsonObject *object, const char *name);
JsonArray *orch_json_array(JsonObject *object, const char *name);
gint64 orch_json_int(JsonObject *object, const char *name, gint64 fallback);
bool orch_json_bool(JsonObject *object, const char *name, bool fallback);
double orch_json_double(JsonObject *object, const char *name, double fallback);

/** Array element @i when it is an object or a string; otherwise NULL. Borrowed. */
JsonObject *orch_json_object_at(JsonArray *array, guint i);
const char *orch_json_string_at(JsonArray *array, guint i);

/** Set a string, or null for NULL. */
void orch_json_set(JsonObject *object, const char *name, const char *value);

/** Compact text of an object or array, which is not kept; (transfer full). */
char *orch_json_print(JsonObject *object);
char *orch_json_print_array(JsonArray *array);

/**
 * orch_json_canonical:
 *
 * The same as Python's json.dumps(sort_keys=True, separators=(",", ":"), ensure_ascii=False) for
 * whole numbers, strings, booleans, null, arrays and objects: what Attendee signs. (transfer full)
 */
char *orch_json_canonical(JsonObject *object);
