/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/zoom/url.h"

#include "platforms/platform.h"
#include "platforms/url_query.h"

#include <string.h>

#define MIN_ID_DIGITS 8
#define MAX_ID_DIGITS 12
#define MAX_NAME_CHARS 64

static bool is_below(const char *host, const char *base)
{
    size_t length = strlen(host), tail = strlen(base);
    return g_str_has_suffix(host, base) && (length == tail || host[length - tail - 1] == '.');
}

bool zoom_url_is_ours(GUri *uri)
{
    g_autofree char *host = g_ascii_strdown(g_uri_get_host(uri), -1);
    return is_below(host, "zoom.us") || is_below(host, "zoom.com") || is_below(host, "zoomgov.com");
}

static bool refuse(GError **error, const char *sentence)
{
    g_set_error_literal(error, PLATFORM_ERROR, PLATFORM_ERROR_URL, sentence);
    return false;
}

static bool is_id(const char *text)
{
    size_t length = strlen(text);
    return length >= MIN_ID_DIGITS && length <= MAX_ID_DIGITS &&
           strspn(text, "0123456789") == length;
}

static bool is_name(const char *text)
{
    size_t length = strlen(text);
    bool good = length > 0 && length <= MAX_NAME_CHARS;
    for (size_t i = 0; i < length; i++) {
        good = good && (g_ascii_isalnum(text[i]) || strchr("._-", text[i]) != NULL);
    }
    return good && text[length - 1] != '.';
}

/* "812 3456 7890", as Zoom shows numbers to people, becomes the number. */
static void close_up(char *part)
{
    g_autofree char *text = g_uri_unescape_string(part, "/");
    const char *from = text != NULL ? text : "";
    if (*from == '\0' || strspn(from, "0123456789 ") != strlen(from)) {
        return;
    }
    for (; *from != '\0'; from++) {
        if (*from != ' ') {
            *part++ = *from;
        }
    }
    *part = '\0';
}

/* The parts of the path, a trailing slash left out. */
static char **split(const char *path)
{
    g_autofree char *inner = g_strdup(*path == '/' ? path + 1 : path);
    size_t length = strlen(inner);
    if (length > 0 && inner[length - 1] == '/') {
        inner[length - 1] = '\0';
    }
    char **parts = g_strsplit(inner, "/", 8);
    for (char **part = parts; *part != NULL; part++) {
        close_up(*part);
    }
    return parts;
}

typedef struct {
    const char *id;   /* borrowed, or NULL */
    const char *name; /* borrowed: a personal meeting's, or NULL */
    bool web_client;  /* the link is the web client's own */
    bool launcher;    /* it starts the app, for the meeting of this number */
} Meeting;

/* j/ID, s/ID, w/ID, launch/jc/ID, wc/ID[/join|/start], wc/join/ID, my/NAME */
static bool read_path(char **parts, Meeting *meeting)
{
    guint n = g_strv_length(parts);
    const char *kind = n > 0 ? parts[0] : "";
    if (strcmp(kind, "wc") == 0) {
        bool id_last = n == 3 && strcmp(parts[1], "join") == 0;
        bool id_first =
            n == 2 || (n == 3 && (strcmp(parts[2], "join") == 0 || strcmp(parts[2], "start") == 0));
        meeting->web_client = true;
        meeting->id = id_last ? parts[2] : id_first ? parts[1] : NULL;
    } else if (n == 2 &&
               (strcmp(kind, "j") == 0 || strcmp(kind, "s") == 0 || strcmp(kind, "w") == 0)) {
        meeting->id = parts[1];
    } else if (n == 3 && strcmp(kind, "launch") == 0 && strcmp(parts[1], "jc") == 0) {
        meeting->id = parts[2];
        meeting->launcher = true;
    } else if (n == 2 && strcmp(kind, "my") == 0) {
        meeting->name = parts[1];
    }
    return (meeting->id != NULL && is_id(meeting->id)) ||
           (meeting->name != NULL && is_name(meeting->name));
}

static char *join_params(const char *base, const char *pwd, const char *tk)
{
    g_autofree char *first = pwd != NULL ? g_strconcat("?pwd=", pwd, NULL) : g_strdup("");
    g_autofree char *second =
        tk != NULL ? g_strconcat(pwd != NULL ? "&tk=" : "?tk=", tk, NULL) : g_strdup("");
    return g_strconcat(base, first, second, NULL);
}

/* "…?from=addon Passcode: 123456", as invitations have it. */
static bool text_follows(GUri *uri)
{
    const char *query = g_uri_get_query(uri), *fragment = g_uri_get_fragment(uri);
    g_autofree char *text =
        g_strconcat(query != NULL ? query : "", "\n", fragment != NULL ? fragment : "", NULL);
    g_autofree char *lower = g_ascii_strdown(text, -1);
    return strstr(lower, "passcode") != NULL;
}

/* The link's passcode and token; @ret_pwd and @ret_tk NULL where it has none. */
static bool read_secrets(GUri *uri, char **ret_pwd, char **ret_tk, GError **error)
{
    g_autofree char *pwd = NULL, *password = NULL, *tk = NULL;
    if (!platform_url_read_secret(uri, "pwd", &pwd, error) ||
        !platform_url_read_secret(uri, "password", &password, error) ||
        !platform_url_read_secret(uri, "tk", &tk, error)) {
        return false;
    }
    pwd = pwd != NULL ? g_steal_pointer(&pwd) : g_steal_pointer(&password);
    if (pwd == NULL && text_follows(uri)) {
        return refuse(error, "a passcode stands behind the link: give the link alone, with the "
                             "passcode in it as pwd=");
    }
    *ret_pwd = g_steal_pointer(&pwd);
    *ret_tk = g_steal_pointer(&tk);
    return true;
}

static char *join_path(char **parts, const Meeting *meeting)
{
    return meeting->launcher ? g_strconcat("j/", meeting->id, NULL) : g_strjoinv("/", parts);
}

char *zoom_url_canonical(GUri *uri, GError **error)
{
    g_auto(GStrv) parts = split(g_uri_get_path(uri));
    Meeting meeting = {0};
    if (!read_path(parts, &meeting)) {
        refuse(error,
               "a Zoom meeting link's path is /j/, /s/, /w/, /wc/ or /launch/jc/ and the meeting's "
               "number (8 to 12 digits), or /my/ and a name");
        return NULL;
    }
    g_autofree char *pwd = NULL, *tk = NULL;
    if (!read_secrets(uri, &pwd, &tk, error)) {
        return NULL;
    }
    g_autofree char *host = g_ascii_strdown(g_uri_get_host(uri), -1);
    bool stays = tk != NULL || meeting.name != NULL || meeting.web_client ||
                 !is_below(host, "zoom.us") || strcmp(host, "events.zoom.us") == 0;
    g_autofree char *path = join_path(parts, &meeting);
    g_autofree char *base = stays ? g_strconcat("https://", host, "/", path, NULL)
                                  : g_strdup_printf("https://app.zoom.us/wc/%s/join", meeting.id);
    return join_params(base, pwd, tk);
}

char *zoom_url_passcode(const char *url)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_ENCODED, NULL);
    return uri != NULL ? platform_url_get_param(uri, "pwd") : NULL;
}

/* Numbers are the world's, whatever host the link names; those of the governments' cloud its own.
 */
char *zoom_url_meeting(GUri *uri)
{
    g_auto(GStrv) parts = split(g_uri_get_path(uri));
    g_autofree char *host = g_ascii_strdown(g_uri_get_host(uri), -1);
    Meeting meeting = {0};
    if (!read_path(parts, &meeting)) {
        return NULL;
    }
    if (meeting.name != NULL) {
        g_autofree char *name = g_ascii_strdown(meeting.name, -1);
        return g_strconcat(host, "/my/", name, NULL);
    }
    return g_strconcat(is_below(host, "zoomgov.com") ? "zoomgov.com/" : "zoom.us/", meeting.id,
                       NULL);
}
