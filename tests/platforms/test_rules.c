/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/rules.h"

#include "platforms/adapter/flow.h"

#include <glib/gstdio.h>

#include <string.h>

static const char *const purposes[] = {"leave", NULL};

#define HEAD "{\"version\":1,\"platform\":\"meet\",\"dialogs\":\"x\","
#define HOSTS "\"hosts\":{\"home\":[\"a.example\"],\"sign_in\":[]},"
#define WIRE HOSTS "\"wire\":{\"channels\":[\"c\"],\"fetches\":[]},"
#define PURPOSES(list) "\"purposes\":{\"leave\":" list "}}"

static void test_shipped_rules_are_whole(void)
{
    g_autoptr(GError) error = NULL;
    g_unsetenv("STENO_PLATFORM_DIR");
    g_autoptr(PlatformRules) rules = platform_rules_load("meet", flow_purpose_names, &error);
    g_assert_no_error(error);
    g_assert_cmpint(platform_rules_get_number(rules, "poll_ms", 0), >, 0);
    g_assert_cmpint(platform_rules_get_number(rules, "in_call_min", 0), ==, 4);
    g_assert_cmpint(platform_rules_get_number(rules, "none", 7), ==, 7);
    g_assert_cmpstr(platform_rules_get_wire(rules, PLATFORM_WIRE_CHANNELS)[0], ==, "collections");
    g_assert_nonnull(strstr(platform_rules_get_script(rules), "Ask to join"));
}

static void test_every_platform_has_rules(void)
{
    static const char *const platforms[] = {"meet", "teams", "zoom"};
    for (size_t i = 0; i < G_N_ELEMENTS(platforms); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(PlatformRules) rules =
            platform_rules_load(platforms[i], flow_purpose_names, &error);
        g_assert_no_error(error);
        g_assert_true(platform_rules_has(rules, "join_button"));
        g_assert_true(platform_rules_has(rules, "in_call"));
        g_assert_true(platform_rules_has(rules, "leave_button"));
    }
}

static void test_wrong_rules_name_the_path(void)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"nonsense", "not JSON"},
        {"{}", "$.version"},
        {"{\"version\":2}", "$.version"},
        {"{\"version\":1,\"platform\":\"zoom\"}", "$.platform"},
        {"{\"version\":1,\"platform\":\"meet\"}", "$.dialogs"},
        {HEAD "\"purposes\":[]}", "$.purposes"},
        {HEAD "\"purposes\":{}}", "$.purposes.leave"},
        {HEAD WIRE PURPOSES("3"), "$.purposes.leave: expected an array"},
        {HEAD WIRE PURPOSES("[{\"css\":\"x\"}]"), "$.purposes.leave[0]: expected an id"},
        {HEAD WIRE PURPOSES("[{\"id\":\"a\"}]"), "a css or a text"},
        {HEAD WIRE PURPOSES("[{\"id\":\"a\",\"css\":3}]"), "$.purposes.leave[0].css"},
        {HEAD WIRE PURPOSES("[{\"id\":\"a\",\"css\":\"x\",\"typo\":1}]"), "[0].typo: expected no"},
        {HEAD WIRE PURPOSES("[{\"id\":\"a\",\"css\":\"x\"},{\"id\":\"a\",\"css\":\"y\"}]"),
         "[1]: expected an id that no other"},
        {HEAD WIRE PURPOSES("[{\"id\":\"a\",\"text\":[1]}]"), "[0].text"},
        {HEAD WIRE PURPOSES("[{\"id\":\"a\",\"text\":[\"b\"],\"match\":\"x\"}]"), "[0].match"},
        {HEAD WIRE PURPOSES("[{\"id\":\"a\",\"css\":\"b\",\"click\":[{\"text\":[\"c\"]}]}]"),
         "[0].click[0]: expected a css"},
        {HEAD WIRE PURPOSES("[{\"id\":\"a\",\"css\":\"b\",\"min_size\":[3]}]"),
         "[0].min_size: expected [width"},
        {HEAD WIRE PURPOSES("[{\"id\":\"a\",\"text\":[\"b\"],\"name\":[\"c\"]}]"),
         "[0]: expected a css beside the name"},
        {HEAD WIRE PURPOSES("[{\"id\":\"a\",\"css\":\"b\",\"unless\":\"c\"}]"), "[0].unless"},
        {HEAD "\"chat_limit\":15," WIRE PURPOSES("[]"), "$.chat_limit: expected characters"},
        {HEAD "\"in_call_min\":\"4\"," WIRE PURPOSES("[]"), "$.in_call_min: expected"},
        {HEAD "\"time\":{}," WIRE PURPOSES("[]"), "$.time: expected no such key"},
        {HEAD "\"timing\":{\"pol_ms\":5}," WIRE PURPOSES("[]"), "$.timing.pol_ms: expected no"},
        {HEAD "\"timing\":{\"poll_ms\":0}," WIRE PURPOSES("[]"), "$.timing.poll_ms"},
        {HEAD PURPOSES("[]"), "$.hosts.home"},
        {HEAD "\"hosts\":{\"home\":[1],\"sign_in\":[]}," PURPOSES("[]"), "$.hosts.home"},
        {HEAD HOSTS PURPOSES("[]"), "$.wire.channels"},
        {HEAD HOSTS "\"wire\":{\"channels\":[1],\"fetches\":[]}," PURPOSES("[]"),
         "$.wire.channels: expected an array of strings"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", bad[i].text);
        g_assert_null(platform_rules_parse(bad[i].text, "file.json", "meet", purposes, &error));
        g_assert_error(error, PLATFORM_ERROR, PLATFORM_ERROR_RULES);
        g_assert_true(g_str_has_prefix(error->message, "file.json: "));
        g_test_message("-> %s", error->message);
        g_assert_nonnull(strstr(error->message, bad[i].says));
    }
}

static void test_a_candidate_may_say_what_it_means(void)
{
    g_autoptr(PlatformRules) rules = platform_rules_parse(
        HEAD WIRE PURPOSES("[{\"id\":\"a\",\"css\":\"x\",\"message\":\"full\"},"
                           "{\"id\":\"b\",\"css\":\"y\"}]"),
        "x", "meet", purposes, NULL);
    g_assert_cmpstr(platform_rules_get_message(rules, "leave", "a", "else"), ==, "full");
    g_assert_cmpstr(platform_rules_get_message(rules, "leave", "b", "else"), ==, "else");
    g_assert_cmpstr(platform_rules_get_message(rules, "leave", "c", "else"), ==, "else");
    g_assert_cmpstr(platform_rules_get_message(rules, "none", "a", "else"), ==, "else");
}

static void test_hosts_are_compared_as_hosts(void)
{
    g_autoptr(PlatformRules) rules =
        platform_rules_parse(HEAD WIRE PURPOSES("[]"), "x", "meet", purposes, NULL);
    g_assert_true(platform_rules_is_host(rules, "home", "https://a.example/x?y#z"));
    g_assert_true(platform_rules_is_host(rules, "home", "https://www.A.example"));
    g_assert_false(platform_rules_is_host(rules, "home", "http://a.example/"));
    g_assert_false(platform_rules_is_host(rules, "home", "https://xa.example/"));
    g_assert_false(platform_rules_is_host(rules, "home", "https://a.example.evil.example/"));
    g_assert_false(platform_rules_is_host(rules, "home", "https://evil.example/a.example"));
    g_assert_false(platform_rules_is_host(rules, "home", "https://a.example@evil.example/"));
    g_assert_false(platform_rules_is_host(rules, "home", "about:blank"));
    g_assert_false(platform_rules_is_host(rules, "home", ""));
    g_assert_false(platform_rules_is_host(rules, "sign_in", "https://a.example/"));
}

static void test_a_file_replaces_them(void)
{
    g_autofree char *dir = g_dir_make_tmp("steno-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "meet.json", NULL);
    g_assert_true(g_file_set_contents(path, HEAD "\"timing\":{\"poll_ms\":77}," WIRE PURPOSES("[]"),
                                      -1, NULL));
    g_setenv("STENO_PLATFORM_DIR", dir, TRUE);
    g_autoptr(GError) error = NULL;
    g_autoptr(PlatformRules) rules = platform_rules_load("meet", purposes, &error);
    g_assert_no_error(error);
    g_assert_cmpint(platform_rules_get_number(rules, "poll_ms", 0), ==, 77);
    g_unlink(path);
    g_rmdir(dir);
    g_unsetenv("STENO_PLATFORM_DIR");
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rules/every_platform_has_rules", test_every_platform_has_rules);
    g_test_add_func("/rules/shipped_rules_are_whole", test_shipped_rules_are_whole);
    g_test_add_func("/rules/wrong_rules_name_the_path", test_wrong_rules_name_the_path);
    g_test_add_func("/rules/a_candidate_may_say_what_it_means",
                    test_a_candidate_may_say_what_it_means);
    g_test_add_func("/rules/hosts_are_compared_as_hosts", test_hosts_are_compared_as_hosts);
    g_test_add_func("/rules/a_file_replaces_them", test_a_file_replaces_them);
    return g_test_run();
}
