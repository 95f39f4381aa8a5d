/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/links.h"

#include <string.h>

static char *signed_text(const char *bot_id, const char *name, const char *expires)
{
    return g_strconcat(bot_id, "\n", name, "\n", expires, NULL);
}

char *orch_links_make(const OrchLinks *links, const char *bot_id, const char *name, gint64 now_ms,
                      gint64 valid_s)
{
    g_autofree char *expires = g_strdup_printf("%" G_GINT64_FORMAT, now_ms / 1000 + valid_s);
    g_autofree char *text = signed_text(bot_id, name, expires);
    g_autofree char *signature = orch_secrets_sign(links->secrets, text);
    g_autofree char *path = g_uri_escape_string(name, "/", FALSE);
    return g_strdup_printf("%s%s%s/%s?expires=%s&signature=%s", links->public_url,
                           ORCH_LINKS_PREFIX, bot_id, path, expires, signature);
}

bool orch_links_check(const OrchLinks *links, const char *bot_id, const char *name,
                      const char *expires, const char *signature, gint64 now_ms)
{
    guint64 expires_s = 0;
    if (expires == NULL || signature == NULL ||
        !g_ascii_string_to_unsigned(expires, 10, 0, G_MAXINT64 / 1000, &expires_s, NULL)) {
        return false;
    }
    g_autofree char *text = signed_text(bot_id, name, expires);
    return orch_secrets_verify(links->secrets, text, signature) &&
           (gint64)expires_s > now_ms / 1000;
}
