/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/streaming/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PAIRS 16

typedef struct {
    int ends[2]; /* the bot's, the consumer's; -1: free */
} Pair;

struct StreamingProxy {
    guint port, to_port;
    int listener;
    GThread *thread;
    int wake[2];
    gint stop, lost, cut; /* atomic */
    Pair pairs[MAX_PAIRS];
};

static struct sockaddr_in loopback(guint port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

static void close_pair(Pair *pair)
{
    for (int i = 0; i < 2; i++) {
        struct linger reset = {.l_onoff = 1};
        setsockopt(pair->ends[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(pair->ends[i]);
        pair->ends[i] = -1;
    }
}

static void accept_one(StreamingProxy *proxy)
{
    int from = accept(proxy->listener, NULL, NULL);
    int to = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(proxy->to_port);
    Pair pair = {{from, to}};
    for (int i = 0; i < MAX_PAIRS; i++) {
        if (proxy->pairs[i].ends[0] < 0 &&
            connect(to, (struct sockaddr *)&address, sizeof address) == 0) {
            proxy->pairs[i] = pair;
            return;
        }
    }
    close_pair(&pair);
}

/* Blocks while the other side does not read, as a full network does. */
static bool relay(int from, int to)
{
    char buffer[16384];
    ssize_t n = recv(from, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n <= 0) {
        return n < 0 && errno == EAGAIN;
    }
    for (ssize_t done = 0; done < n;) {
        ssize_t sent = send(to, buffer + done, (size_t)(n - done), MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        done += sent;
    }
    return true;
}

static gpointer run(gpointer data)
{
    StreamingProxy *proxy = data;
    while (!g_atomic_int_get(&proxy->stop)) {
        struct pollfd fds[2 + 2 * MAX_PAIRS] = {{proxy->wake[0], POLLIN, 0},
                                                {proxy->listener, POLLIN, 0}};
        bool lost = g_atomic_int_get(&proxy->lost);
        for (int i = 0; i < 2 * MAX_PAIRS; i++) {
            fds[2 + i] = (struct pollfd){lost ? -1 : proxy->pairs[i / 2].ends[i % 2], POLLIN, 0};
        }
        fds[1].fd = lost ? -1 : proxy->listener;
        poll(fds, G_N_ELEMENTS(fds), -1);
        char byte;
        if (fds[0].revents != 0 && read(proxy->wake[0], &byte, 1) < 0) {
            break;
        }
        bool cut = g_atomic_int_compare_and_exchange(&proxy->cut, 1, 0);
        for (int i = 0; i < MAX_PAIRS; i++) {
            Pair *pair = &proxy->pairs[i];
            bool ends = cut && pair->ends[0] >= 0;
            for (int side = 0; side < 2 && !ends; side++) {
                ends = fds[2 + 2 * i + side].revents != 0 &&
                       !relay(pair->ends[side], pair->ends[1 - side]);
            }
            if (ends) {
                close_pair(pair);
            }
        }
        if (fds[1].revents != 0) {
            accept_one(proxy);
        }
    }
    return NULL;
}

static void wake(StreamingProxy *proxy)
{
    g_assert_cmpint(write(proxy->wake[1], "", 1), ==, 1);
}

StreamingProxy *streaming_proxy_new(guint port)
{
    StreamingProxy *proxy = g_new0(StreamingProxy, 1);
    memset(proxy->pairs, 0xff, sizeof proxy->pairs);
    proxy->to_port = port;
    proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    g_assert_cmpint(bind(proxy->listener, (struct sockaddr *)&address, length), ==, 0);
    g_assert_cmpint(listen(proxy->listener, 16), ==, 0);
    getsockname(proxy->listener, (struct sockaddr *)&address, &length);
    proxy->port = ntohs(address.sin_port);
    g_assert_cmpint(pipe(proxy->wake), ==, 0);
    proxy->thread = g_thread_new("proxy", run, proxy);
    return proxy;
}

void streaming_proxy_free(StreamingProxy *proxy)
{
    g_atomic_int_set(&proxy->stop, 1);
    wake(proxy);
    g_thread_join(proxy->thread);
    for (int i = 0; i < MAX_PAIRS; i++) {
        if (proxy->pairs[i].ends[0] >= 0) {
            close_pair(&proxy->pairs[i]);
        }
    }
    close(proxy->listener);
    close(proxy->wake[0]);
    close(proxy->wake[1]);
    g_free(proxy);
}

guint streaming_proxy_port(StreamingProxy *proxy)
{
    return proxy->port;
}

void streaming_proxy_lose(StreamingProxy *proxy, bool lost)
{
    g_atomic_int_set(&proxy->lost, lost);
    wake(proxy);
}

void streaming_proxy_cut(StreamingProxy *proxy)
{
    g_atomic_int_set(&proxy->cut, 1);
    wake(proxy);
}
