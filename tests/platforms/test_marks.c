/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/adapter/marks.h"

#define MS INT64_C(1000000)

static void take(AdapterMarks *marks, const char *json, int64_t now_ns)
{
    g_autoptr(JsonNode) node = json_from_string(json, NULL);
    adapter_marks_take(marks, json_node_get_array(node), now_ns);
}

static void expect(const AdapterMarks *marks, int64_t now_ns, const char *names)
{
    g_autofree char *joined = g_strjoinv(",", (char **)adapter_marks_get(marks, now_ns));
    g_assert_cmpstr(joined, ==, names);
}

static void test_a_mark_that_went_out_counts_a_while(void)
{
    AdapterMarks marks = {0};
    expect(&marks, 1000 * MS, "");
    take(&marks, "[\"a\",\"b\"]", 1000 * MS);
    expect(&marks, 9000 * MS, "a,b");
    take(&marks, "[]", 9000 * MS);
    expect(&marks, 9799 * MS, "a,b");
    take(&marks, "[]", 9700 * MS); /* told again: it went out at 9000 all the same */
    expect(&marks, 9800 * MS, "");
    take(&marks, "[\"b\"]", 9900 * MS);
    expect(&marks, 9900 * MS, "b");
    adapter_marks_clear(&marks);
}

static void test_another_mark_ends_it(void)
{
    AdapterMarks marks = {0};
    take(&marks, "[\"a\"]", 1000 * MS);
    take(&marks, "[]", 1100 * MS);
    take(&marks, "[\"b\"]", 1200 * MS);
    expect(&marks, 1200 * MS, "b");
    adapter_marks_clear(&marks);
}

static void test_a_page_may_send_anything(void)
{
    AdapterMarks marks = {0};
    take(&marks, "[1,null,{},\"a\",[\"b\"]]", 1000 * MS);
    expect(&marks, 1000 * MS, "a");
    take(&marks, "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\"]", 1000 * MS);
    expect(&marks, 1000 * MS, "1,2,3,4,5,6,7,8");
    adapter_marks_take(&marks, NULL, 2000 * MS);
    expect(&marks, 3000 * MS, "");
    adapter_marks_clear(&marks);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/marks/a_mark_that_went_out_counts_a_while",
                    test_a_mark_that_went_out_counts_a_while);
    g_test_add_func("/marks/another_mark_ends_it", test_another_mark_ends_it);
    g_test_add_func("/marks/a_page_may_send_anything", test_a_page_may_send_anything);
    return g_test_run();
}
