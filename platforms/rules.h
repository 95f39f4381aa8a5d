/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * A platform's selectors and texts: one JSON file, compiled in and replaceable at run time by
 * STENO_PLATFORM_DIR/<platform>.json. Format: docs/adapters.md. Checked when it is read.
 */

typedef struct PlatformRules PlatformRules;

/**
 * platform_rules_load:
 * @platform: "meet"
 * @purposes: NULL-ended: every one must be there
 *
 * Errors: PLATFORM_ERROR_RULES with the file and the JSON path of what is wrong.
 */
PlatformRules *platform_rules_load(const char *platform, const char *const *purposes,
                                   GError **error);
void platform_rules_free(PlatformRules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlatformRules, platform_rules_free)

/** As platform_rules_load, from @text; @source names it in errors. */
PlatformRules *platform_rules_parse(const char *text, const char *source, const char *platform,
                                    const char *const *purposes, GError **error);

/** Borrowed: {exclude, dialogs, purposes} as JSON, for the page's script. */
const char *platform_rules_get_script(PlatformRules *rules);

/** A number of "timing", or a top-level one; @fallback when the file does not say. */
int64_t platform_rules_get_number(PlatformRules *rules, const char *name, int64_t fallback);

/** Whether @purpose has any candidate. */
bool platform_rules_has(PlatformRules *rules, const char *purpose);

/** Borrowed: what candidate @id of @purpose means, in its own "message"; @fallback without one. */
const char *platform_rules_get_message(PlatformRules *rules, const char *purpose, const char *id,
                                       const char *fallback);

/** Whether @url is https on a host of "hosts".@what, or on a true subdomain of one. */
bool platform_rules_is_host(PlatformRules *rules, const char *what, const char *url);

/** What of the wire is watched. Channels and fetches must be in the file, the others may. */
typedef enum {
    PLATFORM_WIRE_CHANNELS,   /* labels of data channels */
    PLATFORM_WIRE_FETCHES,    /* parts of URLs */
    PLATFORM_WIRE_SOCKETS,    /* parts of URLs of WebSockets */
    PLATFORM_WIRE_SENDS,      /* labels of data channels, outgoing */
    PLATFORM_WIRE_ATTRIBUTES, /* of session descriptions' sections */
    PLATFORM_N_WIRES,
} PlatformWire;

/** Borrowed, NULL-ended: of "wire". */
const char *const *platform_rules_get_wire(PlatformRules *rules, PlatformWire wire);
