/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/zoom/url.h"

#include "platforms/platform.h"
#include "platforms/url.h"

#include <string.h>

#define MIN_ID_DIGITS 8
#define MAX_ID_DIGITS 12
#define MAX_NAME_CHARS 64
#define MAX_PARAM_CHARS 512

static bool is_below(const char *host, const char *base)
{
    size_t length = strlen(host), tail = strlen(base);
    return g_str_has_suffix(host, base) && (length == tail || host[length - tail - 1] == '.');
}

bool zoom_url_is_ours(GUri *uri)
{
    g_autofree char *host = g_ascii_strdown(g_uri_get_host(uri), -1);
    return is_below(host, "zoom.us") || is_below(host, "zoom.com");
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
    return good && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

/* What a passcode or a token is made of; anything else is dropped. */
static bool is_token(const char *text)
{
    size_t length = strlen(text);
    bool good = length > 0 && length <= MAX_PARAM_CHARS;
    for (size_t i = 0; i < length; i++) {
        good = good && (g_ascii_isalnum(text[i]) || strchr("._-", text[i]) != NULL);
    }
    return good;
}

static char *get_token(GUri *uri, const char *name)
{
    g_autofree char *value = platform_url_get_param(uri, name);
    return value != NULL && is_token(value) ? g_steal_pointer(&value) : NULL;
}

/* The parts of the path, a trailing slash left out. */
static char **split(const char *path)
{
    g_autofree char *inner = g_strdup(*path == '/' ? path + 1 : path);
    size_t length = strlen(inner);
    if (length > 0 && inner[length - 1] == '/') {
        inner[length - 1] = '\0';
    }
    return g_strsplit(inner, "/", 8);
}

typedef struct {
    const char *id;   /* borrowed, or NULL */
    const char *name; /* borrowed: a personal meeting's, or NULL */
    bool web_client;  /* the link is the web client's own */
} Meeting;

/* j/ID, s/ID, w/ID, wc/ID[/join|/start], wc/join/ID, my/NAME */
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

char *zoom_url_canonical(GUri *uri, GError **error)
{
    g_auto(GStrv) parts = split(g_uri_get_path(uri));
    Meeting meeting = {0};
    if (!read_path(parts, &meeting)) {
        refuse(error,
               "a Zoom meeting link's path is /j/, /s/, /w/ or /wc/ and the meeting's number "
               "(8 to 12 digits), or /my/ and a name");
        return NULL;
    }
    g_autofree char *pwd = get_token(uri, "pwd"), *tk = get_token(uri, "tk");
    pwd = pwd != NULL ? pwd : get_token(uri, "password");
    g_autofree char *host = g_ascii_strdown(g_uri_get_host(uri), -1);
    bool stays = tk != NULL || meeting.name != NULL || meeting.web_client ||
                 !is_below(host, "zoom.us") || strcmp(host, "events.zoom.us") == 0;
    g_autofree char *path = g_strjoinv("/", parts);
    g_autofree char *base = stays ? g_strconcat("https://", host, "/", path, NULL)
                                  : g_strdup_printf("https://app.zoom.us/wc/%s/join", meeting.id);
    return join_params(base, pwd, tk);
}

char *zoom_url_passcode(const char *url)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_ENCODED, NULL);
    return uri != NULL ? get_token(uri, "pwd") : NULL;
}
