/* SPDX-License-Identifier: Apache-2.0 */
#include "bot/roster.h"

static void test_ids_are_stable_when_people_come_back(void)
{
    g_autoptr(BotRoster) roster = bot_roster_new();
    bool is_new = false;
    g_assert_cmpuint(bot_roster_update(roster, "a", "Alice", 1, &is_new)->id, ==, 1);
    g_assert_true(is_new);
    g_assert_cmpuint(bot_roster_update(roster, "b", "Bob", 2, &is_new)->id, ==, 2);
    g_assert_nonnull(bot_roster_leave(roster, "a", 3));
    g_assert_null(bot_roster_leave(roster, "a", 4));
    g_assert_cmpuint(bot_roster_count_company(roster), ==, 1);
    BotPerson *alice = bot_roster_update(roster, "a", "Alice", 5, &is_new);
    g_assert_true(is_new);
    g_assert_cmpuint(alice->id, ==, 1);
    g_assert_cmpint(alice->joined_us, ==, 1);
    g_assert_cmpint(alice->left_us, ==, -1);
}

static void test_late_names_are_filled_in(void)
{
    g_autoptr(BotRoster) roster = bot_roster_new();
    bool is_new = false;
    BotPerson *person = bot_roster_ensure(roster, "a", 1);
    g_assert_cmpuint(bot_roster_count_company(roster), ==, 0);
    bot_roster_update(roster, "a", "", 2, &is_new);
    g_assert_true(is_new);
    bot_roster_update(roster, "a", "Älice \xff", 3, &is_new);
    g_assert_false(is_new);
    g_assert_true(g_utf8_validate(person->name, -1, NULL));
    bot_roster_update(roster, "a", "", 4, &is_new);
    g_assert_true(g_str_has_prefix(person->name, "Älice"));
}

static void test_other_bots_are_no_company(void)
{
    g_autoptr(BotRoster) roster = bot_roster_new();
    bool is_new = false;
    bot_roster_ignore(roster, "Notetaker");
    bot_roster_update(roster, "n", " NOTETAKER ", 1, &is_new);
    g_assert_cmpuint(bot_roster_count_company(roster), ==, 0);
    bot_roster_update(roster, "a", "Alice", 1, &is_new);
    g_assert_cmpuint(bot_roster_count_company(roster), ==, 1);
}

static void test_voices_without_a_name_are_numbered(void)
{
    g_autoptr(BotRoster) roster = bot_roster_new();
    BotPerson *person = bot_roster_add_unnamed(roster, 1);
    g_assert_cmpstr(person->name, ==, "Participant 1");
    g_assert_null(bot_roster_get(roster, 0));
    g_assert_null(bot_roster_get(roster, 2));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/roster/ids_are_stable_when_people_come_back",
                    test_ids_are_stable_when_people_come_back);
    g_test_add_func("/roster/late_names_are_filled_in", test_late_names_are_filled_in);
    g_test_add_func("/roster/other_bots_are_no_company", test_other_bots_are_no_company);
    g_test_add_func("/roster/voices_without_a_name_are_numbered",
                    test_voices_without_a_name_are_numbered);
    return g_test_run();
}
