// SPDX-License-Identifier: Apache-2.0
/* A port for a server that goes away and comes back. */
#pragma once

#include <arpa/inet.h>
#include <glib.h>
#include <sys/socket.h>

/* A port on 127.0.0.1 that stays this process's to its end, with servers and without: a socket that
 * is bound and never listens refuses connections, keeps others off, and lets one in beside it that
 * listens, as both have SO_REUSEADDR (socket(7); GSocketListener sets it). */
static inline guint held_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), ==, 0);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, length), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &length), ==, 0);
    return ntohs(address.sin_port);
}
