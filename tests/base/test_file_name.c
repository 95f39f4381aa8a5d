/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file_name.h"

#include <glib.h>

static void names_that_lead_elsewhere_are_refused(void)
{
    static const char *const good[] = {"recording.mp4", "tracks/3.ogg", "screenshots/01-denied.png",
                                       "a b+\303\274.json"};
    static const char *const bad[] = {"",
                                      "/etc/passwd",
                                      "../events.ndjson",
                                      "tracks/../../x",
                                      ".work",
                                      ".worker.json",
                                      "tracks/.hidden",
                                      "tracks//3.ogg",
                                      "tracks/",
                                      "."};
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(base_file_name_is_plain(good[i]));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_test_message("%s", bad[i]);
        g_assert_false(base_file_name_is_plain(bad[i]));
    }
    g_autofree char *longest = g_strnfill(255, 'x'), *longer = g_strnfill(256, 'x');
    g_assert_true(base_file_name_is_plain(longest));
    g_assert_false(base_file_name_is_plain(longer));
    g_assert_false(base_file_name_is_plain(NULL));
}

static void mime_types(void)
{
    g_assert_cmpstr(base_file_name_get_mime_type("recording.mp4"), ==, "video/mp4");
    g_assert_cmpstr(base_file_name_get_mime_type("events.ndjson"), ==, "application/x-ndjson");
    g_assert_cmpstr(base_file_name_get_mime_type("screenshots/01.html"), ==,
                    "application/octet-stream");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file_name/names_that_lead_elsewhere_are_refused",
                    names_that_lead_elsewhere_are_refused);
    g_test_add_func("/file_name/mime_types", mime_types);
    return g_test_run();
}
