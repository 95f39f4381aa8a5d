/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/teams/url.h"

#include "platforms/json.h"
#include "platforms/platform.h"
#include "platforms/url_query.h"
#include "platforms/url_text.h"

#include <string.h>

#define MAX_COORDS_BYTES 4096
#define MIN_ID_CHARS 5
#define MAX_ID_CHARS 64

static const char *const bases[] = {"teams.microsoft.com", "teams.live.com",
                                    "teams.cloud.microsoft", "teams.microsoft.us"};

static bool is_host(const char *name)
{
    g_autofree char *host = g_ascii_strdown(name, -1);
    for (size_t i = 0; i < G_N_ELEMENTS(bases); i++) {
        size_t length = strlen(host), base = strlen(bases[i]);
        if (g_str_has_suffix(host, bases[i]) &&
            (length == base || host[length - base - 1] == '.')) {
            return true;
        }
    }
    return false;
}

bool teams_url_is_ours(GUri *uri)
{
    return is_host(g_uri_get_host(uri));
}

// --- wrappers ---

/* @inner as a link on Teams: a path on @uri's host, or a whole URL on one of Teams' hosts. */
static char *resolve(GUri *uri, const char *inner)
{
    if (inner[0] == '/' && inner[1] != '/') {
        return g_strconcat("https://", g_uri_get_host(uri), inner, NULL);
    }
    g_autoptr(GUri) whole =
        g_uri_parse(inner, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED, NULL);
    return whole != NULL && g_uri_get_host(whole) != NULL && teams_url_is_ours(whole)
               ? g_strdup(inner)
               : NULL;
}

/* "/_#/l/meetup-join/…", "/v2/?meetingjoin=true#/l/meetup-join/…" */
static char *from_fragment(GUri *uri)
{
    const char *fragment = g_uri_get_fragment(uri);
    return fragment != NULL &&
                   (g_str_has_prefix(fragment, "/l/") || g_str_has_prefix(fragment, "/meet/"))
               ? resolve(uri, fragment)
               : NULL;
}

static char *from_launcher(GUri *uri)
{
    g_autofree char *inner = platform_url_get_param(uri, "url");
    if (inner == NULL) {
        return NULL;
    }
    g_autofree char *link = resolve(uri, inner);
    g_autoptr(GUri) app =
        link != NULL ? g_uri_parse(link, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED, NULL)
                     : NULL;
    char *meeting = app != NULL ? from_fragment(app) : NULL; /* the launcher wraps an app link */
    return meeting != NULL ? meeting : g_steal_pointer(&link);
}

static char *escape(const char *text)
{
    return g_uri_escape_string(text, NULL, FALSE);
}

/* {conversationId, tenantId, organizerId, messageId} */
static char *from_ids(GUri *uri, JsonObject *coords)
{
    const char *thread = platform_json_string(coords, "conversationId", NULL);
    const char *tenant = platform_json_string(coords, "tenantId", NULL);
    const char *organizer = platform_json_string(coords, "organizerId", NULL);
    if (thread == NULL || tenant == NULL || organizer == NULL) {
        return NULL;
    }
    g_autoptr(JsonObject) context = json_object_new();
    json_object_set_string_member(context, "Tid", tenant);
    json_object_set_string_member(context, "Oid", organizer);
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(node, context);
    g_autofree char *json = json_to_string(node, FALSE);
    g_autofree char *number =
        g_strdup_printf("%" G_GINT64_FORMAT, platform_json_int(coords, "messageId", 0));
    const char *message = platform_json_string(coords, "messageId", number);
    g_autofree char *thread_text = escape(thread), *message_text = escape(message),
                    *context_text = escape(json);
    return g_strdup_printf("https://%s/l/meetup-join/%s/%s?context=%s", g_uri_get_host(uri),
                           thread_text, *message_text != '\0' ? message_text : "0", context_text);
}

/* {meetingUrl, meetingCode, passcode} */
static char *from_code(GUri *uri, JsonObject *coords)
{
    const char *code = platform_json_string(coords, "meetingCode", NULL);
    const char *passcode = platform_json_string(coords, "passcode", "");
    if (code == NULL || *code == '\0') {
        const char *url = platform_json_string(coords, "meetingUrl", NULL);
        return url != NULL ? resolve(uri, url) : NULL;
    }
    g_autofree char *id = escape(code), *p = escape(passcode);
    return *p != '\0' ? g_strdup_printf("https://%s/meet/%s?p=%s", g_uri_get_host(uri), id, p)
                      : g_strdup_printf("https://%s/meet/%s", g_uri_get_host(uri), id);
}

static char *from_coords(GUri *uri)
{
    g_autofree char *text = platform_url_get_param(uri, "coords");
    if (text == NULL || strlen(text) > MAX_COORDS_BYTES) {
        return NULL;
    }
    g_strdelimit(text, "-", '+');
    g_strdelimit(text, "_ ", '/');
    gsize size = 0;
    g_autofree char *padded = g_strconcat(text, "===", NULL); /* padding is often lost */
    g_autofree guchar *json = g_base64_decode(padded, &size);
    g_autoptr(JsonObject) coords =
        json != NULL ? platform_json_parse((const char *)json, size, NULL) : NULL;
    if (coords == NULL) {
        return NULL;
    }
    char *link = from_ids(uri, coords);
    return link != NULL ? link : from_code(uri, coords);
}

char *teams_url_unwrap(GUri *uri)
{
    const char *path = g_uri_get_path(uri);
    if (!teams_url_is_ours(uri)) {
        return NULL;
    }
    if (g_str_has_prefix(path, "/dl/launcher/")) {
        return from_launcher(uri);
    }
    if (strcmp(path, "/light-meetings/launch") == 0) {
        return from_coords(uri);
    }
    bool is_app = strcmp(path, "/") == 0 || *path == '\0' || strcmp(path, "/_") == 0 ||
                  strcmp(path, "/v2") == 0 || strcmp(path, "/v2/") == 0;
    return is_app ? from_fragment(uri) : NULL;
}

// --- the meeting's own links ---

static bool refuse(GError **error, const char *sentence)
{
    g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_URL, sentence);
    return false;
}

/* The path's parts after @prefix, at most @max of them, a trailing slash left out; or NULL. */
static char **parts_after(const char *path, const char *prefix, guint max)
{
    if (!g_str_has_prefix(path, prefix)) {
        return NULL;
    }
    g_auto(GStrv) parts = g_strsplit(path + strlen(prefix), "/", (gint)max + 1);
    guint n = g_strv_length(parts);
    if (n > 0 && *parts[n - 1] == '\0') {
        g_clear_pointer(&parts[--n], g_free);
    }
    bool good = n > 0 && n <= max;
    for (guint i = 0; i < n; i++) {
        good =
            good && *parts[i] != '\0' && strcmp(parts[i], ".") != 0 && strcmp(parts[i], "..") != 0;
    }
    return good ? g_steal_pointer(&parts) : NULL;
}

/* Of a company's meeting digits and letters; of a private one's hyphens and underscores, too. */
static bool is_id(const char *text, const char *host)
{
    const char *further = g_str_has_suffix(host, "teams.live.com") ? "-_" : "";
    size_t length = strlen(text);
    bool good = length >= MIN_ID_CHARS && length <= MAX_ID_CHARS;
    for (size_t i = 0; i < length; i++) {
        good = good && (g_ascii_isalnum(text[i]) || strchr(further, text[i]) != NULL);
    }
    return good;
}

/* (transfer full): "235 987 654 321 0", as invitations show ids, as the number; others as they are.
 */
static char *close_up(const char *part)
{
    g_autofree char *text = g_uri_unescape_string(part, "/");
    if (text == NULL || strspn(text, "0123456789 ") != strlen(text)) {
        return g_strdup(part);
    }
    g_auto(GStrv) groups = g_strsplit(text, " ", -1);
    return g_strjoinv("", groups);
}

static char *canonical_meet(GUri *uri, const char *host, GError **error)
{
    g_auto(GStrv) parts = parts_after(g_uri_get_path(uri), "/meet/", 1);
    g_autofree char *id = parts != NULL ? close_up(parts[0]) : NULL;
    if (id == NULL || !is_id(id, host)) {
        refuse(error, "a Teams /meet/ link has the meeting's id after it, letters and digits");
        return NULL;
    }
    g_autofree char *passcode = NULL;
    if (!platform_url_read_secret(uri, "p", &passcode, error)) {
        return NULL;
    }
    return passcode == NULL ? g_strdup_printf("https://%s/meet/%s", host, id)
                            : g_strdup_printf("https://%s/meet/%s?p=%s", host, id, passcode);
}

static bool is_message(const char *text)
{
    return strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") ==
           strlen(text);
}

static char *canonical_meetup(GUri *uri, const char *host, GError **error)
{
    g_auto(GStrv) parts = parts_after(g_uri_get_path(uri), "/l/meetup-join/", 2);
    g_autofree char *thread = parts != NULL ? g_uri_unescape_string(parts[0], "/") : NULL;
    if (thread == NULL || !g_utf8_validate(thread, -1, NULL) || strchr(thread, '@') == NULL ||
        (parts[1] != NULL && !is_message(parts[1]))) {
        refuse(error, "a Teams meetup-join link goes on with the meeting's thread, "
                      "19:…@thread.v2, and a number");
        return NULL;
    }
    g_autofree char *context = platform_url_get_param(uri, "context");
    g_autoptr(JsonObject) json =
        context != NULL ? platform_json_parse(context, strlen(context), NULL) : NULL;
    if (context != NULL && json == NULL) {
        refuse(error, "the link's context is not whole: was its end cut off?");
        return NULL;
    }
    g_autofree char *thread_text = escape(thread);
    const char *message = parts[1] != NULL ? parts[1] : "0";
    if (context == NULL) {
        return g_strdup_printf("https://%s/l/meetup-join/%s/%s", host, thread_text, message);
    }
    g_autofree char *context_text = escape(context);
    return g_strdup_printf("https://%s/l/meetup-join/%s/%s?context=%s", host, thread_text, message,
                           context_text);
}

static char *canonical_event(GUri *uri, const char *host, GError **error)
{
    g_auto(GStrv) parts = parts_after(g_uri_get_path(uri), "/l/meeting/", 3);
    if (parts == NULL) {
        refuse(error, "a Teams /l/meeting/ link goes on with the meeting");
        return NULL;
    }
    const char *query = g_uri_get_query(uri);
    g_autofree char *path = g_uri_escape_string(g_uri_get_path(uri), "!$&'()+,;=:@/%", FALSE);
    g_autofree char *rest =
        query != NULL ? g_uri_escape_string(query, "!$&'()+,;=:@/?%", FALSE) : NULL;
    g_autofree char *link =
        g_strconcat("https://", host, path, rest != NULL ? "?" : NULL, rest, NULL);
    return platform_url_clean(link); /* what stood before a fragment stands at the end now */
}

/* Webinars and town halls: pages that ask who comes, and show a player to most. */
static bool is_event_page(const char *host, const char *path)
{
    return g_str_has_prefix(host, "events.teams.") || g_str_has_prefix(path, "/convene/") ||
           g_str_has_prefix(path, "/registration/");
}

char *teams_url_canonical(GUri *uri, GError **error)
{
    const char *path = g_uri_get_path(uri);
    g_autofree char *host = g_ascii_strdown(g_uri_get_host(uri), -1);
    if (is_event_page(host, path)) {
        refuse(error,
               "this is the page of a Teams event (webinar, town hall), which asks who comes: "
               "register, and give the join link of the mail that follows, "
               "https://teams.microsoft.com/l/meetup-join/…");
        return NULL;
    }
    if (g_str_has_prefix(path, "/meet/")) {
        return canonical_meet(uri, host, error);
    }
    if (g_str_has_prefix(path, "/l/meetup-join/")) {
        return canonical_meetup(uri, host, error);
    }
    if (g_str_has_prefix(path, "/l/meeting/")) {
        return canonical_event(uri, host, error);
    }
    if (g_str_has_prefix(path, "/l/")) {
        refuse(error, "this Teams link leads to a channel, a chat or an app, not into a meeting");
    } else if (g_str_has_prefix(path, "/light-meetings/")) {
        refuse(error, "this Teams light-meetings link names no meeting: its coords are missing or "
                      "damaged");
    } else {
        refuse(error, "a Teams meeting link's path is /meet/ID or /l/meetup-join/THREAD/NUMBER");
    }
    return NULL;
}

/* The thread or the id, wherever the link says that it is: a company's hosts are one service. */
char *teams_url_meeting(GUri *uri)
{
    const char *path = g_uri_get_path(uri);
    g_autofree char *host = g_ascii_strdown(g_uri_get_host(uri), -1);
    bool one_service = g_str_has_suffix(host, "teams.microsoft.com") ||
                       g_str_has_suffix(host, "teams.cloud.microsoft");
    const char *service = one_service ? "teams.microsoft.com" : host;
    g_auto(GStrv) thread = parts_after(path, "/l/meetup-join/", 2);
    if (thread != NULL) {
        g_autofree char *lower = g_ascii_strdown(thread[0], -1);
        return g_strconcat("teams/", lower, "/", thread[1] != NULL ? thread[1] : "0", NULL);
    }
    g_auto(GStrv) id = parts_after(path, "/meet/", 1);
    const char *query = id == NULL ? g_uri_get_query(uri) : NULL;
    return g_strconcat(service, path, query != NULL ? "?" : NULL, query, NULL);
}
