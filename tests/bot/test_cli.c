/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/cli.h"

#include <string.h>

static char *help_of(const char *a, const char *b, const char *c)
{
    g_autoptr(GError) error = NULL;
    char *argv[] = {(char *)"steno-worker", (char *)a, (char *)b, (char *)c, NULL};
    BotCli cli = {0};
    bot_cli_parse(c != NULL ? 4 : b != NULL ? 3 : 2, argv, &cli, &error);
    g_assert_no_error(error);
    g_assert_cmpint(cli.action, ==, BOT_CLI_HELP);
    char *help = g_strdup(cli.help);
    bot_cli_clear(&cli);
    return help;
}

static void test_help_names_the_program_and_its_subcommands(void)
{
    g_autofree char *help = help_of("--help", NULL, NULL);
    g_assert_nonnull(strstr(help, "steno-worker ["));
    g_assert_nonnull(strstr(help, "steno-worker join URL"));
    g_assert_nonnull(strstr(help, "steno-worker check-page"));
    g_assert_nonnull(strstr(help, "--recover"));
    g_autofree char *bare = help_of("help", NULL, NULL);
    g_assert_cmpstr(bare, ==, help);
}

static void test_help_of_a_subcommand_is_its_own(void)
{
    g_autofree char *join = help_of("join", "--help", NULL);
    g_assert_nonnull(strstr(join, "steno-worker join URL ["));
    g_assert_nonnull(strstr(join, "--no-sandbox"));
    g_assert_nonnull(strstr(join, "--name"));
    g_assert_null(strstr(join, "--recover"));
    g_assert_null(strstr(join, "--settle"));
    g_autofree char *with_url = help_of("join", "https://meet.google.com/abc-defg-hij", "-h");
    g_assert_cmpstr(with_url, ==, join);
    g_autofree char *check = help_of("check-page", "--help", NULL);
    g_assert_nonnull(strstr(check, "--settle"));
    g_assert_nonnull(strstr(check, "--no-sandbox"));
    g_assert_null(strstr(check, "--stream-input"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/help_names_the_program_and_its_subcommands",
                    test_help_names_the_program_and_its_subcommands);
    g_test_add_func("/cli/help_of_a_subcommand_is_its_own", test_help_of_a_subcommand_is_its_own);
    return g_test_run();
}
