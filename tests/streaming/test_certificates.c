/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/streaming/authority.h"
#include "tests/streaming/fixture.h"

#include <string.h>

/* By itself, because GLib's TLS module is loaded for it: see meson.build. */

/* A consumer is believed only with a certificate for its name from somebody who is trusted. */
static void test_certificates_are_verified(void)
{
    g_autoptr(Authority) trusted = authority_new();
    g_autoptr(Authority) stranger = authority_new();
    g_autofree char *pem = authority_pem(trusted);
    g_autofree char *path = g_strdup_printf("%s/authority-XXXXXX", g_get_tmp_dir());
    close(g_mkstemp(path));
    g_assert_true(g_file_set_contents(path, pem, -1, NULL));
    g_setenv("SSL_CERT_FILE", path, TRUE);
    const struct {
        Authority *authority;
        const char *hosts;
        bool good;
    } cases[] = {
        {trusted, "DNS:localhost", true},
        {trusted, "DNS:elsewhere.example", false},
        {stranger, "DNS:localhost", false},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        StreamingPeer peer;
        Seen seen = {0};
        streaming_peer_init_tls(&peer, authority_issue(cases[i].authority, cases[i].hosts));
        g_autofree char *url = streaming_peer_url(&peer, "/");
        g_autoptr(StreamingClient) client = dial(url, NULL, &seen);
        STREAMING_WAIT(seen.n_connected + seen.n_lost > 0);
        g_assert_cmpuint(seen.n_connected, ==, cases[i].good ? 1 : 0);
        if (cases[i].good) {
            push_frames(client, 0, 10);
            STREAMING_WAIT(ends_with(&peer, 9));
        } else {
            g_test_message("%s", seen.reason);
            g_assert_cmpuint(peer.n_connects, ==, 0);
        }
        g_clear_pointer(&client, streaming_client_free);
        streaming_peer_clear(&peer);
        seen_clear(&seen);
    }
    g_unsetenv("SSL_CERT_FILE");
    unlink(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/certificates/are_verified", test_certificates_are_verified);
    return g_test_run();
}
