/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * JSON from a page, a browser or a file, read without trust: bounded depth before parsing
 * (json-glib recurses), and getters that answer a default where the member is missing or has
 * another type, instead of a critical.
 */

/**
 * platform_json_parse:
 * @length: bytes in @text; it needs no terminating NUL
 *
 * Returns (transfer full) the root object. Errors: PLATFORM_ERROR_PROTOCOL when the text is no
 * object, is not JSON, or nests deeper than 128.
 */
JsonObject *platform_json_parse(const char *text, size_t length, GError **error);

/** Borrowed from @object; @fallback when there is no such string. */
const char *platform_json_string(JsonObject *object, const char *name, const char *fallback);
int64_t platform_json_int(JsonObject *object, const char *name, int64_t fallback);
bool platform_json_bool(JsonObject *object, const char *name, bool fallback);
/** Borrowed, or NULL when there is no such member of that type. */
JsonObject *platform_json_object(JsonObject *object, const char *name);
JsonArray *platform_json_array(JsonObject *object, const char *name);
