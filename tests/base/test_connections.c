/* SPDX-License-Identifier: Apache-2.0 */
/* Each connection that the products make: by the proxy to a name that nobody has, past it to this
 * machine, and never without a User-Agent. */
#include "base/agent.h"
#include "base/proxy.h"
#include "bot/control_link.h"
#include "bot/image.h"
#include "bot/store.h"
#include "bot/webhook.h"
#include "orchestrator/delivery.h"
#include "platforms/browser/browser.h"
#include "streaming/client.h"
#include "tests/base/http_proxy.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define FAR_HOST "consumer.invalid"

typedef struct {
    SoupServer *server;
    HttpProxy *proxy;
    char *dir, *file;
    guint port, n_requests;
    char *agent; /* of the last request */
    bool done;
} World;

static void note(World *world, SoupServerMessage *message)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    g_free(world->agent);
    world->agent = g_strdup(soup_message_headers_get_one(headers, "User-Agent"));
    world->n_requests++;
}

static void on_request(SoupServer *server, SoupServerMessage *message, const char *path,
                       GHashTable *query, gpointer user_data)
{
    note(user_data, message);
    soup_server_message_set_status(message, 200, NULL);
}

static void on_websocket(SoupServer *server, SoupServerMessage *message, const char *path,
                         SoupWebsocketConnection *connection, gpointer user_data)
{
    note(user_data, message);
}

static void set_up(World *world, gconstpointer data)
{
    static char *protocols[] = {(char *)"steno.control.v1", NULL};
    g_autoptr(GError) error = NULL;
    world->server = soup_server_new(NULL, NULL);
    soup_server_add_handler(world->server, "/plain", on_request, world, NULL);
    soup_server_add_websocket_handler(world->server, "/live", NULL, NULL, on_websocket, world,
                                      NULL);
    soup_server_add_websocket_handler(world->server, "/control", NULL, protocols, on_websocket,
                                      world, NULL);
    soup_server_listen_local(world->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
    g_assert_no_error(error);
    GSList *uris = soup_server_get_uris(world->server);
    world->port = (guint)g_uri_get_port(uris->data);
    g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
    world->proxy = http_proxy_new(world->port);
    world->dir = g_dir_make_tmp("steno-connections-XXXXXX", &error);
    g_assert_no_error(error);
    world->file = g_build_filename(world->dir, "file", NULL);
    g_assert_true(g_file_set_contents(world->file, "x", 1, NULL));
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u", http_proxy_port(world->proxy));
    g_assert_true(base_proxy_set(url, url, NULL, NULL));
}

static void tear_down(World *world, gconstpointer data)
{
    g_assert_true(base_proxy_set(NULL, NULL, NULL, NULL));
    g_unlink(world->file);
    g_assert_cmpint(g_rmdir(world->dir), ==, 0);
    http_proxy_free(world->proxy);
    soup_server_disconnect(world->server);
    g_object_unref(world->server);
    g_free(world->dir);
    g_free(world->file);
    g_free(world->agent);
}

static void wait_for_request(World *world)
{
    for (guint n = world->n_requests; world->n_requests == n;) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_assert_cmpstr(world->agent, ==, BASE_USER_AGENT);
}

/* Makes one connection to @url, and returns when its request came. */
typedef void (*Connect)(World *world, const char *url);

static void connect_both_ways(World *world, const char *scheme, const char *path, Connect connect)
{
    g_autofree char *far = g_strdup_printf("%s://" FAR_HOST "%s", scheme, path);
    g_autofree char *near = g_strdup_printf("%s://127.0.0.1:%u%s", scheme, world->port, path);
    connect(world, far);
    g_assert_cmpuint(http_proxy_count(world->proxy, FAR_HOST), >=, 1);
    connect(world, near);
    g_autofree char *authority = g_strdup_printf("127.0.0.1:%u", world->port);
    g_assert_cmpuint(http_proxy_count(world->proxy, authority), ==, 0);
}

static void on_given_up(const char *event, const char *reason, gpointer user_data)
{
    g_error("given up: %s", reason);
}

static void on_idle(gpointer user_data)
{
    ((World *)user_data)->done = true;
}

static void send_webhook(World *world, const char *url)
{
    static const BotWebhookEvents events = {on_given_up, on_idle};
    g_autoptr(BotWebhook) webhook = bot_webhook_new(url, NULL, world->dir, &events, world, NULL);
    bot_webhook_send(webhook, "e", json_object_new());
    wait_for_request(world);
    bot_webhook_finish(webhook, 10);
    for (world->done = false; !world->done;) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static void test_webhooks(World *world, gconstpointer data)
{
    connect_both_ways(world, "http", "/plain", send_webhook);
}

static gboolean on_uploaded(gpointer data)
{
    ((World *)data)->done = true;
    return G_SOURCE_REMOVE;
}

static gpointer put_file(gpointer data)
{
    BotStore *store = ((gpointer *)data)[0];
    World *world = ((gpointer *)data)[1];
    g_autoptr(GError) error = NULL;
    g_autofree char *url = NULL, *sha256 = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "x", 1);
    BotStoreFile file = {.path = world->file, .name = "file", .bytes = 1, .sha256 = sha256};
    bot_store_put(store, &file, NULL, &url, &error);
    g_assert_no_error(error);
    g_idle_add(on_uploaded, world);
    return NULL;
}

static void upload(World *world, const char *url)
{
    BotStoreConfig config = {.put_url = url};
    g_autoptr(BotStore) store = bot_store_new(&config);
    gpointer both[] = {store, world};
    GThread *thread = g_thread_new("upload", put_file, both);
    for (world->done = false; !world->done;) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_thread_join(thread);
    g_assert_cmpstr(world->agent, ==, BASE_USER_AGENT);
}

static void test_uploads(World *world, gconstpointer data)
{
    connect_both_ways(world, "http", "/plain", upload);
}

static void on_delivered(const OrchDeliveryResult *result, gpointer user_data)
{
    g_assert_cmpstr(result->error, ==, NULL);
    ((World *)user_data)->done = true;
}

static void deliver(World *world, const char *url)
{
    g_autoptr(SoupSession) session = orch_delivery_session(4);
    g_autoptr(SoupMessageHeaders) headers = soup_message_headers_new(SOUP_MESSAGE_HEADERS_REQUEST);
    g_autoptr(OrchDelivery) delivery = orch_delivery_new();
    bool far = strstr(url, FAR_HOST) != NULL;
    delivery->url = g_strdup(url);
    delivery->body = g_bytes_new("{}", 2);
    world->done = false;
    orch_delivery_try(session, delivery, headers, !far, 10000, on_delivered, world);
    wait_for_request(world);
    while (!world->done) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static void test_the_orchestrators_webhooks(World *world, gconstpointer data)
{
    connect_both_ways(world, "http", "/plain", deliver);
}

static void on_refused(const OrchDeliveryResult *result, gpointer user_data)
{
    g_assert_nonnull(strstr(result->error, "private network"));
    ((World *)user_data)->done = true;
}

/* What a proxy can reach and the public can't is no target: as far as the URL says so. */
static void test_private_targets_stay_refused(World *world, gconstpointer data)
{
    static const char *const urls[] = {"http://10.0.0.1/", "http://169.254.169.254/latest",
                                       "http://[fd00::1]/", "http://127.0.0.1/"};
    g_autoptr(SoupSession) session = orch_delivery_session(4);
    g_autoptr(SoupMessageHeaders) headers = soup_message_headers_new(SOUP_MESSAGE_HEADERS_REQUEST);
    for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autoptr(OrchDelivery) delivery = orch_delivery_new();
        delivery->url = g_strdup(urls[i]);
        delivery->body = g_bytes_new("{}", 2);
        orch_delivery_try(session, delivery, headers, false, 10000, on_refused, world);
        for (world->done = false; !world->done;) {
            g_main_context_iteration(NULL, TRUE);
        }
    }
    g_assert_cmpuint(http_proxy_count(world->proxy, ""), ==, 0);
}

static void on_image(GBytes *jpeg, const GError *error, gpointer user_data)
{
    ((World *)user_data)->done = true; /* the answer is no picture */
}

static void fetch_image(World *world, const char *url)
{
    world->done = false;
    g_autoptr(BotImage) image = bot_image_fetch(url, true, on_image, world);
    wait_for_request(world);
    while (!world->done) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static void test_pictures(World *world, gconstpointer data)
{
    connect_both_ways(world, "http", "/plain", fetch_image);
}

static void dial_control(World *world, const char *url)
{
    static const BotControlLinkEvents events = {0};
    BotControlLinkConfig config = {.url = url};
    g_autoptr(BotControlLink) link = bot_control_link_new(&config, &events, world);
    bot_control_link_start(link);
    wait_for_request(world);
}

static void test_the_control_link(World *world, gconstpointer data)
{
    connect_both_ways(world, "ws", "/control", dial_control);
}

static void on_connection(const char *url, bool connected, const char *reason, gpointer user_data)
{
}

static void on_nothing(gpointer user_data)
{
}

static void on_dropped(uint64_t n_frames, uint64_t n_speech, gpointer user_data)
{
}

static void dial_live(World *world, const char *url)
{
    static const StreamingEvents events = {on_connection, on_nothing, on_nothing, on_dropped};
    StreamingConfig config = {.bot_id = "b", .rate_hz = 16000, .input = url};
    g_autoptr(GError) error = NULL;
    g_autoptr(StreamingClient) client = streaming_client_new(&config, &events, world, &error);
    g_assert_no_error(error);
    wait_for_request(world);
}

static void test_live_sockets(World *world, gconstpointer data)
{
    connect_both_ways(world, "ws", "/live", dial_live);
}

static void on_browser_ready(gpointer user_data)
{
    ((World *)user_data)->done = true;
}

static void on_navigated(const char *url, gpointer user_data)
{
}

static void on_lost(BrowserLost lost, const char *message, gpointer user_data)
{
    g_error("%s", message);
}

static void on_answer(JsonNode *value, const GError *error, gpointer user_data)
{
    g_assert_no_error(error);
    ((World *)user_data)->done = true;
}

static void visit(World *world, Browser *browser, const char *url)
{
    world->done = false;
    browser_navigate(browser, url, 20000, on_answer, world);
    while (!world->done) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static void test_chromium(World *world, gconstpointer data)
{
    static const BrowserEvents events = {on_browser_ready, on_navigated, on_lost};
    g_autoptr(GError) error = NULL;
    BrowserOptions *options = browser_options_new(NULL, &error);
    g_assert_no_error(error);
    options->sandbox = geteuid() != 0;
    world->done = false;
    g_autoptr(Browser) browser = browser_new(options, NULL, &events, world, &error);
    g_assert_no_error(error);
    while (!world->done) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_autofree char *near = g_strdup_printf("http://127.0.0.1:%u/plain", world->port);
    visit(world, browser, "http://" FAR_HOST "/plain");
    g_assert_cmpuint(http_proxy_count(world->proxy, FAR_HOST), >=, 1);
    visit(world, browser, near);
    g_autofree char *authority = g_strdup_printf("127.0.0.1:%u", world->port);
    g_assert_cmpuint(http_proxy_count(world->proxy, authority), ==, 0);
    g_assert_true(g_str_has_prefix(world->agent, "Mozilla/"));
}

static void add(const char *path, void (*test)(World *, gconstpointer))
{
    g_test_add(path, World, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/connections/webhooks", test_webhooks);
    add("/connections/uploads", test_uploads);
    add("/connections/the_orchestrators_webhooks", test_the_orchestrators_webhooks);
    add("/connections/private_targets_stay_refused", test_private_targets_stay_refused);
    add("/connections/pictures", test_pictures);
    add("/connections/the_control_link", test_the_control_link);
    add("/connections/live_sockets", test_live_sockets);
    add("/connections/chromium", test_chromium);
    return g_test_run();
}
