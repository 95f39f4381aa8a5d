/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/secrets.h"

#include <glib.h>

/*
 * Links to a bot's files that need no API key: signed, and good until a time. Pure but for the
 * clock that the caller gives; any thread.
 */

typedef struct {
    const char *public_url;     /* borrowed: "https://bots.example.org", no slash at the end */
    const OrchSecrets *secrets; /* borrowed */
    gint64 valid_s;
} OrchLinks;

/** Where they point: GET <public_url>/files/<bot id>/<name>?expires=<Unix s>&signature=<text> */
#define ORCH_LINKS_PREFIX "/files/"

/** @name: as in the bot's artifacts, "screenshots/at-5.png"; returns (transfer full). */
char *orch_links_make(const OrchLinks *links, const char *bot_id, const char *name, gint64 now_ms,
                      gint64 valid_s);

/** Whether the link was made here and holds still; what is missing may be NULL. */
bool orch_links_check(const OrchLinks *links, const char *bot_id, const char *name,
                      const char *expires, const char *signature, gint64 now_ms);
