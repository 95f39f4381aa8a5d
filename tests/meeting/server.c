// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/server.h"

#include "tests/meeting/bot_teams.h"
#include "tests/meeting/cert.h"
#include "tests/meeting/quirks.h"
#include "tests/meeting/server_zoom.h"
#include "tests/meeting/teams.h"

#include <string.h>

#define SYNC_PATH "/$rpc/google.rtc.meetings.v1.MeetingSpaceService/SyncMeetingSpaceCollections"
#define RESOURCES "/org/steno/meeting/page/"
#define SNAPSHOT_PATH "/api/flightproxy/v1/conv/stenoTestMtg"
#define TROUTER_PATH "/v4/trouter"
#define TEAMS_ID "2359876543210"
#define TEAMS_THREAD "19%3ameeting_stenoTestMtg%40thread.v2"

struct MeetingServer {
    Meeting *meeting; /* borrowed */
    SoupServer *soup; /* owned */
    char *spki;       /* owned */
    guint port;
    gint64 zoom_first_us; /* see meeting_zoom_page */
};

/* Whether the page is asked for by somebody who is signed in. */
static bool is_signed_in(const MeetingScenario *scenario, SoupServerMessage *message)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *cookies = soup_message_headers_get_one(headers, "Cookie");
    g_auto(GStrv) all = g_strsplit(cookies != NULL ? cookies : "", "; ", 64);
    return scenario->cookie != NULL && g_strv_contains((const char *const *)all, scenario->cookie);
}

static const char *variant_name(const MeetingScenario *scenario, SoupServerMessage *message)
{
    static const char *const names[] = {"normal",  "not_found", "login_required", "blocked",
                                        "captcha", "full",      "cannot_create"};
    bool open =
        scenario->page_variant == MEETING_PAGE_LOGIN_REQUIRED && is_signed_in(scenario, message);
    return names[open ? MEETING_PAGE_NORMAL : scenario->page_variant];
}

static void reply(SoupServerMessage *message, guint status, const char *type, const char *body,
                  gsize length)
{
    soup_server_message_set_status(message, status, NULL);
    soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, body, length);
}

static bool refuse(MeetingServer *server, SoupServerMessage *message)
{
    if (!meeting_network_down(server->meeting))
        return false;
    reply(message, SOUP_STATUS_SERVICE_UNAVAILABLE, "text/plain", "", 0);
    return true;
}

static GBytes *resource(const char *name)
{
    g_autofree char *path = g_strconcat(RESOURCES, name, NULL);
    return g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
}

static void serve_file(SoupServerMessage *message, const char *name, const char *type)
{
    g_autoptr(GBytes) file = resource(name);
    if (file == NULL) {
        reply(message, SOUP_STATUS_NOT_FOUND, "text/plain", "not found", 9);
        return;
    }
    gsize length;
    const char *data = g_bytes_get_data(file, &length);
    reply(message, SOUP_STATUS_OK, type, data, length);
}

static void fill_in_teams(const MeetingScenario *scenario, GString *html)
{
    static const char *const uis[] = {"light", "full", "live"};
    static const char *const shows[] = {"text", "cancel", "nothing"};
    g_string_replace(html, "@UI@", uis[scenario->ui], 0);
    g_string_replace(html, "@LOBBY_SHOWS@", shows[scenario->lobby_shows], 0);
    g_string_replace(html, "@NO_DEVICES@", scenario->no_devices ? "yes" : "no", 0);
    g_string_replace(html, "@FRAME@", scenario->in_frame ? "yes" : "no", 0);
    g_string_replace(html, "@SNAPSHOT@", scenario->roster_snapshot ? SNAPSHOT_PATH : "", 0);
}

/* The page, with a fresh nonce, and headers as strict as the real one's. */
static void serve_page(MeetingServer *server, SoupServerMessage *message, const char *variant)
{
    const MeetingScenario *scenario = meeting_scenario(server->meeting);
    static const char *const pages[] = {"index.html", "teams.html", "zoom.html"};
    g_autoptr(GBytes) file = resource(pages[scenario->platform]);
    g_autofree char *nonce = g_uuid_string_random();
    g_autoptr(GString) html =
        g_string_new_len(g_bytes_get_data(file, NULL), (gssize)g_bytes_get_size(file));
    if (scenario->platform == MEETING_PLATFORM_TEAMS)
        fill_in_teams(scenario, html);
    if (scenario->platform == MEETING_PLATFORM_ZOOM)
        meeting_zoom_fill_in(scenario, variant, html);
    static const char *const audios[] = {[MEETING_AUDIO_ELEMENT] = "element",
                                         [MEETING_AUDIO_CONTEXT] = "context",
                                         [MEETING_AUDIO_RECEIVER] = "receiver"};
    static const char *const receivers[] = {"offer", "add_transceiver", "add_track", "inactive"};
    static const char *const wordings[] = {"new", "old", "british", "german"};
    static const char *const chats[] = {"usual", "late", "refusing", "editor"};
    g_string_replace(html, "@NONCE@", nonce, 0);
    g_string_replace(html, "@WORDING@", wordings[scenario->wording], 0);
    g_string_replace(html, "@CHAT@", chats[scenario->chat_field], 0);
    g_string_replace(html, "@VARIANT@", variant, 0);
    g_string_replace(html, "@AUDIO@", audios[scenario->audio], 0);
    g_string_replace(html, "@FORGETFUL@", scenario->forgetful ? "yes" : "no", 0);
    g_string_replace(html, "@TRANSFORMS@", scenario->transforms ? "yes" : "no", 0);
    g_string_replace(html, "@RECEIVERS@", receivers[scenario->receivers], 0);
    g_string_replace(html, "@LOBBY@", scenario->lobby_mode == MEETING_LOBBY_NONE ? "none" : "ask",
                     0);
    g_string_replace(html, "@CODE@", MEETING_CODE, 0);
    g_autofree char *quirks = meeting_quirks_join(scenario);
    g_string_replace(html, "@QUIRKS@", quirks, 0);
    g_autofree char *csp = g_strdup_printf(
        "default-src 'self'; script-src 'nonce-%s' 'strict-dynamic'; connect-src 'self'; "
        "worker-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
        "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; "
        "require-trusted-types-for 'script'",
        nonce);
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
    soup_message_headers_append(headers, "Content-Security-Policy", csp);
    soup_message_headers_append(headers, "Cross-Origin-Opener-Policy", "same-origin-allow-popups");
    soup_message_headers_append(headers, "X-Content-Type-Options", "nosniff");
    soup_message_headers_append(headers, "X-Frame-Options", "SAMEORIGIN");
    soup_message_headers_append(headers, "Cache-Control", "no-store");
    reply(message, SOUP_STATUS_OK, "text/html; charset=utf-8", html->str, html->len);
}

/* Teams' own ways through its pages: each path answers as the real one does. */
static bool serve_teams(MeetingServer *server, SoupServerMessage *message, const char *path)
{
    const MeetingScenario *scenario = meeting_scenario(server->meeting);
    const char *variant = variant_name(scenario, message);
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
    bool login_first = scenario->page_variant == MEETING_PAGE_LOGIN_REQUIRED &&
                       scenario->wording == MEETING_WORDING_OLD;
    if (scenario->platform != MEETING_PLATFORM_TEAMS)
        return false;
    if (g_str_equal(path, "/meet/" TEAMS_ID) && scenario->ui == MEETING_UI_LIGHT) {
        serve_page(server, message, "probe");
    } else if (g_str_equal(path, "/common/oauth2/authorize") && !login_first) {
        /* Nobody is signed in: back, as without a prompt. */
        soup_message_headers_append(headers, "Location",
                                    "https://teams.microsoft.com/light-meetings/launch?agent=web");
        reply(message, SOUP_STATUS_FOUND, "text/plain", "", 0);
    } else if (g_str_equal(path, "/common/oauth2/authorize")) {
        serve_page(server, message, "sign_in");
    } else if (g_str_has_prefix(path, "/l/meetup-join/")) {
        serve_page(server, message, "launcher");
    } else if (g_str_equal(path, "/light-meetings/launch") || g_str_equal(path, "/v2/") ||
               g_str_equal(path, "/meet/" TEAMS_ID)) {
        serve_page(server, message, variant);
    } else if (g_str_has_prefix(path, "/meet/")) {
        serve_page(server, message, "not_found");
    } else {
        return false;
    }
    return true;
}

static bool serve_zoom(MeetingServer *server, SoupServerMessage *message, const char *path,
                       GHashTable *query)
{
    const MeetingScenario *scenario = meeting_scenario(server->meeting);
    if (scenario->platform != MEETING_PLATFORM_ZOOM)
        return false;
    g_autofree char *variant = meeting_zoom_page(
        server->meeting, path, query, variant_name(scenario, message), &server->zoom_first_us);
    if (variant != NULL)
        serve_page(server, message, variant);
    return variant != NULL;
}

/* Where a person signs in, by coming here: the cookie that opens login_required. With ?close the
 * window is closed, as by that person. */
static void sign_in(SoupServerMessage *message, GHashTable *query, const char *cookie)
{
    bool closes = query != NULL && g_hash_table_contains(query, "close");
    g_autofree char *body =
        g_strconcat("<!doctype html><title>Signed in</title><p>You are signed in.",
                    closes ? "<script>setTimeout(() => window.close(), 500)</script>" : "", NULL);
    g_autofree char *value = g_strdup_printf("%s; Path=/; Max-Age=86400; Secure; HttpOnly", cookie);
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Set-Cookie",
                                 value);
    reply(message, SOUP_STATUS_OK, "text/html", body, strlen(body));
}

static void on_request(SoupServer *soup, SoupServerMessage *message, const char *path,
                       GHashTable *query, gpointer data)
{
    MeetingServer *server = data;
    if (refuse(server, message))
        return;
    if (serve_teams(server, message, path) || serve_zoom(server, message, path, query))
        return;
    if (g_str_equal(path, "/" MEETING_CODE))
        serve_page(server, message, variant_name(meeting_scenario(server->meeting), message));
    else if (g_str_equal(path, "/_steno/app.js"))
        serve_file(message, "app.js", "text/javascript");
    else if (g_str_equal(path, "/_steno/teams.js"))
        serve_file(message, "teams.js", "text/javascript");
    else if (g_str_equal(path, "/_steno/zoom.js"))
        serve_file(message, "zoom.js", "text/javascript");
    else if (g_str_equal(path, "/_steno/media.js"))
        serve_file(message, "media.js", "text/javascript");
    else if (g_str_equal(path, "/_steno/kit.js"))
        serve_file(message, "kit.js", "text/javascript");
    else if (g_str_equal(path, "/_steno/call.js"))
        serve_file(message, "call.js", "text/javascript");
    else if (g_str_equal(path, "/_steno/transform.js"))
        serve_file(message, "transform.js", "text/javascript");
    else if (g_str_equal(path, "/_steno/style.css"))
        serve_file(message, "style.css", "text/css");
    else if (g_str_equal(path, "/_steno/sign-in") &&
             meeting_scenario(server->meeting)->cookie != NULL)
        sign_in(message, query, meeting_scenario(server->meeting)->cookie);
    else if (strlen(path) == strlen("/" MEETING_CODE) && path[4] == '-')
        serve_page(server, message, "not_found");
    else
        reply(message, SOUP_STATUS_NOT_FOUND, "text/plain", "not found", 9);
}

/* The full list of people, to a page that is in the call. */
static void on_sync(SoupServer *soup, SoupServerMessage *message, const char *path,
                    GHashTable *query, gpointer data)
{
    MeetingServer *server = data;
    if (refuse(server, message))
        return;
    const char *token = soup_message_headers_get_one(
        soup_server_message_get_request_headers(message), "X-Steno-Token");
    GPtrArray *bots = meeting_bots(server->meeting);
    for (guint i = 0; i < bots->len; i++) {
        MeetingBot *bot = g_ptr_array_index(bots, i);
        if (!meeting_bot_in_call(bot) || g_strcmp0(meeting_bot_token(bot), token) != 0)
            continue;
        g_autoptr(GPtrArray) users = meeting_users(server->meeting, bot);
        bool teams = meeting_scenario(server->meeting)->platform == MEETING_PLATFORM_TEAMS;
        g_autofree char *body =
            teams ? meeting_teams_snapshot(users) : meeting_collections_sync(users, 1);
        reply(message, SOUP_STATUS_OK, teams ? "application/json" : "application/x-protobuf", body,
              strlen(body));
        return;
    }
    reply(message, SOUP_STATUS_FORBIDDEN, "text/plain", "", 0);
}

static void on_socket(SoupServer *soup, SoupServerMessage *message, const char *path,
                      SoupWebsocketConnection *socket, gpointer data)
{
    MeetingServer *server = data;
    if (meeting_network_down(server->meeting)) {
        g_io_stream_close(soup_websocket_connection_get_io_stream(socket), NULL, NULL);
        return;
    }
    const char *query = g_uri_get_query(soup_server_message_get_uri(message));
    const char *token =
        query != NULL && g_str_has_prefix(query, "token=") ? query + strlen("token=") : NULL;
    MeetingBot *bot = meeting_bot_for(server->meeting, token);
    if (g_str_equal(path, TROUTER_PATH))
        meeting_bot_attach_trouter(bot, socket);
    else
        meeting_bot_attach(bot, socket);
}

MeetingServer *meeting_server_new(Meeting *meeting, guint port, GError **error)
{
    g_autoptr(MeetingServer) server = g_new0(MeetingServer, 1);
    server->meeting = meeting;
    g_autoptr(GTlsCertificate) certificate = meeting_cert_new(&server->spki, error);
    if (certificate == NULL)
        return NULL;
    server->soup = soup_server_new("server-header", "ESF", NULL);
    soup_server_set_tls_certificate(server->soup, certificate);
    soup_server_add_handler(server->soup, NULL, on_request, server, NULL);
    soup_server_add_handler(server->soup, SYNC_PATH, on_sync, server, NULL);
    soup_server_add_handler(server->soup, SNAPSHOT_PATH, on_sync, server, NULL);
    soup_server_add_websocket_handler(server->soup, TROUTER_PATH, NULL, NULL, on_socket, server,
                                      NULL);
    soup_server_add_websocket_handler(server->soup, "/_steno/signal", NULL, NULL, on_socket, server,
                                      NULL);
    if (!soup_server_listen_local(server->soup, port,
                                  SOUP_SERVER_LISTEN_HTTPS | SOUP_SERVER_LISTEN_IPV4_ONLY, error))
        return NULL;
    GSList *uris = soup_server_get_uris(server->soup);
    server->port = (guint)g_uri_get_port(uris->data);
    g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
    return g_steal_pointer(&server);
}

void meeting_server_free(MeetingServer *server)
{
    if (server == NULL)
        return;
    if (server->soup != NULL)
        soup_server_disconnect(server->soup);
    g_clear_object(&server->soup);
    g_free(server->spki);
    g_free(server);
}

/* (transfer full): the meeting's link as people get it. */
static char *meeting_url(const MeetingScenario *scenario)
{
    static const char *const teams_urls[] = {
        "https://teams.microsoft.com/meet/" TEAMS_ID "?p=AbC123",
        "https://teams.microsoft.com/l/meetup-join/" TEAMS_THREAD
        "/0?context=%7b%22Tid%22%3a%2200000000-0000-4000-8000-0000000000cc%22%2c%22Oid%22%3a%22"
        "00000000-0000-4000-8000-000000000065%22%7d",
        "https://teams.live.com/meet/" TEAMS_ID "?p=AbC123"};
    switch (scenario->platform) {
    case MEETING_PLATFORM_MEET:
        break;
    case MEETING_PLATFORM_TEAMS:
        return g_strdup(teams_urls[scenario->ui]);
    case MEETING_PLATFORM_ZOOM:
        return meeting_zoom_url(scenario);
    }
    return g_strdup("https://meet.google.com/" MEETING_CODE);
}

char *meeting_server_describe(MeetingServer *server)
{
    static const char *const hosts[][5] = {[MEETING_PLATFORM_MEET] = {"meet.google.com"},
                                           [MEETING_PLATFORM_TEAMS] = {"teams.microsoft.com",
                                                                       "teams.live.com",
                                                                       "login.microsoftonline.com"},
                                           [MEETING_PLATFORM_ZOOM] = {"zoom.us", "*.zoom.us"}};
    const MeetingScenario *scenario = meeting_scenario(server->meeting);
    g_autoptr(GString) rules = g_string_new(NULL);
    for (const char *const *host = hosts[scenario->platform]; *host != NULL; host++)
        g_string_append_printf(rules, "%sMAP %s 127.0.0.1:%u", rules->len > 0 ? ", " : "", *host,
                               server->port);
    g_autofree char *url = meeting_url(scenario);
    return g_strdup_printf("{\"meeting_url\":\"%s\",\"browser\":{"
                           "\"host_rules\":\"%s\",\"trusted_spki\":\"%s\","
                           "\"address_space_overrides\":\"127.0.0.1:%u=public\","
                           "\"args\":[\"--allow-loopback-in-peer-connection\"]}}",
                           url, rules->str, server->spki, server->port);
}
