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

static guint company_of(const char *keyword, const char *name)
{
    g_autoptr(BotRoster) roster = bot_roster_new();
    bool is_new = false;
    bot_roster_ignore(roster, keyword);
    bot_roster_update(roster, "x", name, 1, &is_new);
    return bot_roster_count_company(roster);
}

static void test_keywords_match_inside_names(void)
{
    static const struct {
        const char *keyword, *name;
        guint company;
    } cases[] = {
        {"Notetaker", "Fireflies.ai Notetaker", 0},
        {"notetaker", "Alice's NOTETAKER (2)", 0},
        {"Fireflies.ai", "Fireflies.ai Notetaker", 0},
        {"read.ai meeting notes", "Alice's read.ai Meeting Notes", 0},
        {"bot", "Bot-7", 0},
        {"bot", "Abbott", 1},
        {"bot", "Botond", 1},
        {"bot", "Talbot Bot", 0},
        {"Notetaker", "Notetakers", 1},
        {"Al", "Alice", 1},
        {"Zoé", "ZOÉ Assistant", 0},
        {"бот", "Робот", 1},
        {"бот", "Мой Бот", 0},
        {"机器人", "小会议机器人一号", 0},
        {"   ", "Alice", 1},
        {"", "Alice", 1},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s in %s", cases[i].keyword, cases[i].name);
        g_assert_cmpuint(company_of(cases[i].keyword, cases[i].name), ==, cases[i].company);
    }
}

/* Two bots that were sent into one meeting keep each other no company, whenever they come. */
static void test_bots_of_the_same_sender_are_no_company(void)
{
    static const char *const none[] = {NULL}, *const one[] = {"Notes", NULL},
                             *const three[] = {"Notes", "notes", "Scribe", NULL};
    g_autoptr(BotRoster) roster = bot_roster_new();
    bool is_new = false;
    bot_roster_update(roster, "a", "Notes", 1, &is_new);
    g_assert_cmpuint(bot_roster_count_company(roster), ==, 1);
    bot_roster_set_bots(roster, one);
    g_assert_cmpuint(bot_roster_count_company(roster), ==, 0);
    bot_roster_update(roster, "b", "Notes", 2, &is_new); /* a person of that name */
    g_assert_cmpuint(bot_roster_count_company(roster), ==, 1);
    bot_roster_update(roster, "c", "Notes on Tuesday", 3, &is_new); /* is another name */
    g_assert_cmpuint(bot_roster_count_company(roster), ==, 2);
    bot_roster_update(roster, "d", "Scribe", 4, &is_new);
    bot_roster_set_bots(roster, three);
    g_assert_cmpuint(bot_roster_count_company(roster), ==, 1);
    bot_roster_set_bots(roster, none);
    g_assert_cmpuint(bot_roster_count_company(roster), ==, 4);
}

static void test_voices_without_a_name_are_numbered(void)
{
    g_autoptr(BotRoster) roster = bot_roster_new();
    BotPerson *person = bot_roster_add_unnamed(roster, 1);
    g_assert_cmpstr(person->name, ==, "Participant 1");
    g_assert_null(bot_roster_get(roster, 0));
    g_assert_null(bot_roster_get(roster, 2));
}

static char *told_members(const BotPerson *person)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, json_object_new());
    bot_person_tell_members(person, json_node_get_object(node));
    return json_to_string(node, FALSE);
}

static void test_a_room_is_nobody(void)
{
    static const char *const two[] = {"a", "b", NULL}, *const three[] = {"a", "b", "c", NULL};
    g_autoptr(BotRoster) roster = bot_roster_new();
    bool is_new = false;
    BotPerson *alice = bot_roster_update(roster, "a", "Alice", 1, &is_new);
    BotPerson *bob = bot_roster_update(roster, "b", "Bob", 1, &is_new);
    BotPerson *room = bot_roster_update(roster, "r1", "Alice, Bob", 2, &is_new);
    bot_roster_set_members(roster, room, two, 2);
    g_assert_cmpuint(bot_roster_count_company(roster), ==, 2);
    g_assert_cmpuint(alice->room_id, ==, room->id);
    BotPerson *cleo = bot_roster_update(roster, "c", "Cleo", 3, &is_new);
    BotPerson *larger = bot_roster_update(roster, "r2", "Alice, Bob, Cleo", 3, &is_new);
    bot_roster_set_members(roster, larger, three, 3);
    g_assert_nonnull(bot_roster_leave(roster, "r1", 3)); /* does not take them out of the next */
    g_assert_cmpuint(bob->room_id, ==, larger->id);
    g_assert_cmpuint(cleo->room_id, ==, larger->id);
    g_autofree char *told = told_members(larger), *plain = told_members(bob);
    g_assert_cmpstr(told, ==, "{\"members\":[1,2,4]}");
    g_assert_cmpstr(plain, ==, "{}");
    bot_roster_leave(roster, "a", 4);
    bot_roster_leave(roster, "b", 4);
    bot_roster_leave(roster, "c", 4);
    g_assert_cmpuint(bot_roster_count_company(roster), ==, 0); /* a room alone is no company */
    bot_roster_leave(roster, "r2", 4);
    g_assert_cmpuint(bob->room_id, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/roster/keywords_match_inside_names", test_keywords_match_inside_names);
    g_test_add_func("/roster/bots_of_the_same_sender_are_no_company",
                    test_bots_of_the_same_sender_are_no_company);
    g_test_add_func("/roster/ids_are_stable_when_people_come_back",
                    test_ids_are_stable_when_people_come_back);
    g_test_add_func("/roster/late_names_are_filled_in", test_late_names_are_filled_in);
    g_test_add_func("/roster/other_bots_are_no_company", test_other_bots_are_no_company);
    g_test_add_func("/roster/voices_without_a_name_are_numbered",
                    test_voices_without_a_name_are_numbered);
    g_test_add_func("/roster/a_room_is_nobody", test_a_room_is_nobody);
    return g_test_run();
}
