/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/zoom/people.h"

static GString *told;
static ZoomPeople *people;

static void on_participant(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data)
{
    static const char *const ops[] = {"+", "~", "-"};
    g_string_append_printf(told, "%s%s%s%s%s ", ops[op], participant->platform_id,
                           participant->is_host ? "!" : "", participant->is_self ? "*" : "",
                           participant->muted ? "m" : "");
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    g_assert_cmpint(source->kind, ==, PLATFORM_SOURCE_AUDIO);
    g_string_append_printf(told, "%s%s ", source->active ? "on:" : "off:", source->platform_id);
}

static void fresh(void)
{
    static const ZoomPeopleEvents events = {.on_participant = on_participant,
                                            .on_source = on_source};
    g_clear_pointer(&people, zoom_people_free);
    people = zoom_people_new("Steno", &events, NULL);
    g_string_set_size(told, 0);
}

#define READ(reading, now_ms, ...)                                                                 \
    zoom_people_read(people, (const ZoomRow[]){__VA_ARGS__},                                       \
                     sizeof((const ZoomRow[]){__VA_ARGS__}) / sizeof(ZoomRow), reading, now_ms)

static void expect(const char *events)
{
    g_assert_cmpstr(told->str, ==, events);
    g_string_set_size(told, 0);
}

static void test_joins_changes_and_leaves(void)
{
    fresh();
    READ(ZOOM_READ_COMPLETE, 0, {"Steno", .is_self = true, .muted = true}, {"Al", .is_host = true},
         {"Bo", .muted = true});
    expect("+zoom:Steno*m +zoom:Al! on:zoom:Al +zoom:Bom off:zoom:Bo ");
    READ(ZOOM_READ_COMPLETE, 1000, {"Steno", .is_self = true, .muted = true},
         {"Al", .is_host = true}, {"Bo"});
    expect("~zoom:Bo on:zoom:Bo ");
    READ(ZOOM_READ_COMPLETE, 2000, {"Steno", .is_self = true, .muted = true}, {"Bo"});
    expect(""); /* one look may have come in the middle of a change */
    READ(ZOOM_READ_COMPLETE, 3000, {"Steno", .is_self = true, .muted = true}, {"Bo"});
    expect("-zoom:Al! ");
    READ(ZOOM_READ_COMPLETE, 4000, {"Steno", .is_self = true, .muted = true}, {"Bo"}, {"Al"});
    expect("+zoom:Al on:zoom:Al ");
}

static void test_a_part_of_the_list_sends_nobody_away(void)
{
    fresh();
    READ(ZOOM_READ_PART, 0, {"Al"}, {"Bo"});
    expect("+zoom:Al on:zoom:Al +zoom:Bo on:zoom:Bo ");
    for (int64_t now_ms = 1000; now_ms < 60000; now_ms += 1000) {
        READ(ZOOM_READ_PART, now_ms, {"Bo"});
    }
    expect("");
    READ(ZOOM_READ_PART, 60000, {"Bo"});
    expect("-zoom:Al ");
}

static void test_tiles_tell_names_only(void)
{
    fresh();
    READ(ZOOM_READ_COMPLETE, 0, {"Al", .is_host = true, .muted = true});
    expect("+zoom:Al!m off:zoom:Al ");
    READ(ZOOM_READ_TILES, 1000, {"Al"}, {""});
    expect("");
}

static void test_a_name_may_be_any_text(void)
{
    uint32_t source;
    fresh();
    READ(ZOOM_READ_COMPLETE, 0, {"Steno", .is_self = true}, {"Steno"}, {"Al (me)"});
    expect("+zoom:Steno* +zoom#2:Steno on:zoom#2:Steno +zoom:Al (me) on:zoom:Al (me) ");
    g_assert_cmpstr(zoom_people_voice(people, "Al (me)", NULL, &source), ==, "zoom:Al (me)");
    fresh(); /* nobody is called like another one's second */
    READ(ZOOM_READ_PART, 0, {"Al#2"}, {"#2:Al"});
    READ(ZOOM_READ_PART, 0, {"Al"}, {"Al"});
    expect("+zoom:Al#2 on:zoom:Al#2 +zoom:#2:Al on:zoom:#2:Al "
           "+zoom:Al on:zoom:Al +zoom#2:Al on:zoom#2:Al ");
    g_assert_null(zoom_people_voice(people, "Al", NULL, &source));
    g_assert_cmpstr(zoom_people_voice(people, "Al#2", NULL, &source), ==, "zoom:Al#2");
}

static void test_of_two_with_one_name_nobody_speaks(void)
{
    uint32_t first = 0, again = 0;
    fresh();
    READ(ZOOM_READ_COMPLETE, 0, {"Al"}, {"Bo"});
    g_assert_cmpstr(zoom_people_voice(people, "Al", NULL, &first), ==, "zoom:Al");
    READ(ZOOM_READ_COMPLETE, 1000, {"Al"}, {"Al"}, {"Bo"});
    expect("+zoom:Al on:zoom:Al +zoom:Bo on:zoom:Bo +zoom#2:Al on:zoom#2:Al ");
    g_assert_null(zoom_people_voice(people, "Al", NULL, &again));
    g_assert_null(zoom_people_named(people, "Al", NULL));
    READ(ZOOM_READ_COMPLETE, 2000, {"Al"}, {"Bo"});
    READ(ZOOM_READ_COMPLETE, 3000, {"Al"}, {"Bo"});
    expect("-zoom#2:Al ");
    g_assert_cmpstr(zoom_people_voice(people, "Al", NULL, &again), ==, "zoom:Al");
    g_assert_cmpuint(first, ==, again);
}

/* Those of the pictures: 16778240 is a person's, the low bits a stream's. */
static void test_numbers_tell_namesakes_apart(void)
{
    uint32_t first = 0, second = 0, again = 0;
    fresh();
    READ(ZOOM_READ_COMPLETE, 0, {"Al"}, {"Al"}, {"Bo"});
    zoom_people_tie(people, "Al", "16778240");
    zoom_people_tie(people, "Al", "16779264");
    zoom_people_tie(people, "Al", "16780288"); /* there is no third */
    zoom_people_tie(people, "Cy", "16781312");
    zoom_people_tie(people, "Bo", "x");
    zoom_people_tie(people, "Bo", "99999999999999999999");
    g_assert_cmpstr(zoom_people_voice(people, "Al", "16778240", &first), ==, "zoom:Al");
    g_assert_cmpstr(zoom_people_voice(people, "Al", "16779265", &second), ==, "zoom#2:Al");
    g_assert_cmpuint(first, !=, second);
    g_assert_cmpstr(zoom_people_named(people, "Al", "16779264"), ==, "zoom#2:Al");
    g_assert_null(zoom_people_voice(people, "Al", "16780288", &again));
    g_assert_null(zoom_people_voice(people, "Al", "", &again));
    g_assert_cmpstr(zoom_people_voice(people, "Bo", "16790528", &again), ==, "zoom:Bo");
    expect("+zoom:Al on:zoom:Al +zoom#2:Al on:zoom#2:Al +zoom:Bo on:zoom:Bo ");
    /* One of them is muted: which one, the list does not say. */
    READ(ZOOM_READ_COMPLETE, 1000, {"Al", .muted = true}, {"Al"}, {"Bo"});
    expect("");
    /* The first one leaves: the second one's picture still shows. */
    for (int64_t now_ms = 2000; now_ms <= 3000; now_ms += 1000) {
        zoom_people_tie(people, "Al", "16779264");
        READ(ZOOM_READ_COMPLETE, now_ms, {"Al"}, {"Bo"});
    }
    expect("-zoom:Al ");
    g_assert_cmpstr(zoom_people_voice(people, "Al", NULL, &again), ==, "zoom#2:Al");
    g_assert_cmpuint(again, ==, second);
}

static void test_numbers_of_tiles_alone(void)
{
    uint32_t source;
    fresh();
    READ(ZOOM_READ_TILES, 0, {"Al", .number = "16778240"}, {"Al", .number = "16778241"}, {"Al"},
         {"Al", .number = "16779264"});
    expect("+zoom:Al on:zoom:Al +zoom#2:Al on:zoom#2:Al +zoom#3:Al on:zoom#3:Al ");
    g_assert_cmpstr(zoom_people_voice(people, "Al", "16779264", &source), ==, "zoom#2:Al");
    READ(ZOOM_READ_TILES, 1000, {"Al", .number = "16779264"}, {"Al"}, {"Al", .number = "16778240"});
    expect("");
    READ(ZOOM_READ_TILES, 2000, {"Alan", .number = "16779264"}); /* renamed: another one */
    expect("+zoom:Alan on:zoom:Alan ");
    g_assert_null(zoom_people_voice(people, "Al", "16779264", &source));
}

static void test_the_bot_the_muted_and_strangers_have_no_voice(void)
{
    uint32_t source;
    fresh();
    READ(ZOOM_READ_COMPLETE, 0, {"Steno"}, {"Bo", .muted = true});
    expect("+zoom:Steno* +zoom:Bom off:zoom:Bo "); /* known by its name: no line was marked */
    g_assert_null(zoom_people_voice(people, "Steno", NULL, &source));
    g_assert_null(zoom_people_voice(people, "Bo", NULL, &source));
    g_assert_null(zoom_people_voice(people, "Eve", NULL, &source));
    g_assert_cmpstr(zoom_people_named(people, "Bo", NULL), ==, "zoom:Bo");
}

static void test_foreign_lists_are_bounded(void)
{
    fresh();
    g_autofree char *endless = g_strnfill(1000, 'x');
    READ(ZOOM_READ_COMPLETE, 0, {endless});
    expect("");
    g_autofree ZoomRow *rows = g_new0(ZoomRow, 6000);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 6000; i++) {
        g_ptr_array_add(names, g_strdup_printf("n%d", i));
        rows[i].name = g_ptr_array_index(names, i);
    }
    zoom_people_read(people, rows, 6000, ZOOM_READ_COMPLETE, 0);
    g_assert_nonnull(zoom_people_named(people, "n4999", NULL));
    g_assert_null(zoom_people_named(people, "n5000", NULL));
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    told = g_string_new(NULL);
    g_test_add_func("/zoom/people/joins_changes_and_leaves", test_joins_changes_and_leaves);
    g_test_add_func("/zoom/people/a_part_of_the_list_sends_nobody_away",
                    test_a_part_of_the_list_sends_nobody_away);
    g_test_add_func("/zoom/people/tiles_tell_names_only", test_tiles_tell_names_only);
    g_test_add_func("/zoom/people/a_name_may_be_any_text", test_a_name_may_be_any_text);
    g_test_add_func("/zoom/people/of_two_with_one_name_nobody_speaks",
                    test_of_two_with_one_name_nobody_speaks);
    g_test_add_func("/zoom/people/numbers_tell_namesakes_apart", test_numbers_tell_namesakes_apart);
    g_test_add_func("/zoom/people/numbers_of_tiles_alone", test_numbers_of_tiles_alone);
    g_test_add_func("/zoom/people/the_bot_the_muted_and_strangers_have_no_voice",
                    test_the_bot_the_muted_and_strangers_have_no_voice);
    g_test_add_func("/zoom/people/foreign_lists_are_bounded", test_foreign_lists_are_bounded);
    int status = g_test_run();
    g_clear_pointer(&people, zoom_people_free);
    g_string_free(told, TRUE);
    return status;
}
