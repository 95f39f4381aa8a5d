/* SPDX-License-Identifier: Apache-2.0 */
/* Meet's roster messages: protobuf, compression, and what the roster makes of them. */
#include "platforms/meet/collections.h"

#include "platforms/inflate.h"
#include "platforms/json.h"
#include "platforms/meet/roster.h"
#include "platforms/protobuf.h"

#include <string.h>
#include <zlib.h>

#define BOB "spaces/x/devices/2"
#define SHARE "spaces/x/devices/9"

static void put_varint(GByteArray *out, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        g_byte_array_append(out, &byte, 1);
        value >>= 7;
    } while (value > 0);
}

static void put_number(GByteArray *out, uint32_t field, uint64_t value)
{
    put_varint(out, (uint64_t)field << 3);
    put_varint(out, value);
}

static void put_bytes(GByteArray *out, uint32_t field, const void *data, size_t size)
{
    put_varint(out, (uint64_t)field << 3 | 2);
    put_varint(out, size);
    g_byte_array_append(out, data, (guint)size);
}

static void put_string(GByteArray *out, uint32_t field, const char *text)
{
    put_bytes(out, field, text, strlen(text));
}

/* @inner wrapped in messages of the numbers @path, the outermost first; consumes it. */
static GByteArray *wrap(GByteArray *inner, const uint32_t *path, size_t n)
{
    for (size_t i = n; i > 0; i--) {
        GByteArray *outer = g_byte_array_new();
        put_bytes(outer, path[i - 1], inner->data, inner->len);
        g_byte_array_unref(inner);
        inner = outer;
    }
    return inner;
}

static GByteArray *user(const char *device, const char *name, unsigned status, const char *parent)
{
    GByteArray *out = g_byte_array_new();
    put_string(out, 1, device);
    put_string(out, 2, "Full Name");
    put_string(out, 29, name);
    put_number(out, 4, status);
    if (parent != NULL) {
        put_string(out, 21, parent);
    }
    put_number(out, 34, 1);
    put_number(out, 99, 5); /* one that nobody knows */
    return out;
}

static GByteArray *event(GByteArray *message, const char *kind)
{
    static const uint32_t users[] = {1, 2, 13, 1, 2}, outputs[] = {1, 2, 3, 2},
                          chat[] = {1, 2, 13, 4, 2};
    switch (kind[0]) {
    case 'u':
        return wrap(message, users, 5);
    case 'o':
        return wrap(message, outputs, 4);
    default:
        return wrap(message, chat, 5);
    }
}

static GByteArray *output(unsigned type, const char *stream, const char *device, bool disabled)
{
    GByteArray *out = g_byte_array_new();
    GByteArray *state = g_byte_array_new();
    put_number(out, 2, type);
    put_string(out, 4, stream);
    put_string(out, 6, device);
    put_number(state, 1, disabled);
    put_bytes(out, 10, state->data, state->len);
    g_byte_array_unref(state);
    return out;
}

static GByteArray *deflate_as(GByteArray *plain, int window_bits)
{
    z_stream stream = {0};
    g_assert_cmpint(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), ==,
                    Z_OK);
    GByteArray *out = g_byte_array_new();
    g_byte_array_set_size(out, plain->len + 1000);
    stream.next_in = plain->data;
    stream.avail_in = plain->len;
    stream.next_out = out->data;
    stream.avail_out = out->len;
    g_assert_cmpint(deflate(&stream, Z_FINISH), ==, Z_STREAM_END);
    g_byte_array_set_size(out, (guint)stream.total_out);
    deflateEnd(&stream);
    return out;
}

static void log_user(const MeetUser *u, gpointer log)
{
    g_string_append_printf(log, "user %s \"%s\" %u%s%s parent=%s\n", u->device, u->name, u->status,
                           u->is_host ? " host" : "", u->is_self ? " self" : "",
                           u->parent != NULL ? u->parent : "-");
}

static void log_output(const MeetOutput *o, gpointer log)
{
    g_string_append_printf(log, "output %d %s %s %d\n", o->type, o->stream, o->device, o->disabled);
}

static void log_chat(const MeetChat *c, gpointer log)
{
    g_string_append_printf(log, "chat %s %s\n", c->device, c->text);
}

static const MeetCollectionsSink sink = {log_user, log_output, log_chat};

static void test_every_compression(void)
{
    static const int formats[] = {MAX_WBITS + 16, MAX_WBITS, -MAX_WBITS};
    g_autoptr(GByteArray) plain = event(user(BOB, "Bob", 1, NULL), "u");
    for (size_t i = 0; i <= G_N_ELEMENTS(formats); i++) {
        g_autoptr(GByteArray) packed =
            i < G_N_ELEMENTS(formats) ? deflate_as(plain, formats[i]) : g_byte_array_ref(plain);
        g_autoptr(GString) log = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        meet_collections_parse(packed->data, packed->len, &sink, log, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(log->str, ==, "user " BOB " \"Bob\" 1 host parent=-\n");
    }
}

static void test_outputs_and_chat(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(GByteArray) audio = event(output(1, "30037", BOB, true), "o");
    g_assert_true(meet_collections_parse(audio->data, audio->len, &sink, log, NULL));
    GByteArray *message = g_byte_array_new();
    GByteArray *text = g_byte_array_new();
    put_string(text, 1, "Hello \xff");
    put_string(message, 1, "id1");
    put_string(message, 2, BOB);
    put_bytes(message, 5, text->data, text->len);
    g_byte_array_unref(text);
    g_autoptr(GByteArray) chat = event(message, "c");
    g_assert_true(meet_collections_parse(chat->data, chat->len, &sink, log, NULL));
    g_assert_cmpstr(log->str, ==, "output 1 30037 " BOB " 1\nchat " BOB " Hello \xef\xbf\xbd\n");
}

static void test_sync(void)
{
    static const uint32_t path[] = {2, 2, 2};
    g_autoptr(GByteArray) plain = wrap(user(BOB, "Bob", 1, NULL), path, 3);
    g_autofree char *text = g_base64_encode(plain->data, plain->len);
    g_autoptr(GString) log = g_string_new(NULL);
    g_assert_true(meet_collections_parse_sync(text, strlen(text), &sink, log, NULL));
    g_assert_cmpstr(log->str, ==, "user " BOB " \"Bob\" 1 host parent=-\n");
    g_assert_false(meet_collections_parse_sync("\xff\xff", 2, &sink, log, NULL) &&
                   strlen(log->str) > 100);
}

static void test_damage_is_told(void)
{
    g_autoptr(GByteArray) plain = event(user(BOB, "Bob", 1, NULL), "u");
    for (guint size = 1; size < plain->len; size++) {
        g_autofree uint8_t *cut = g_memdup2(plain->data, size);
        g_autoptr(GString) log = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        g_assert_false(meet_collections_parse(cut, size, &sink, log, &error));
        g_assert_nonnull(error);
    }
}

static void test_bomb_is_refused(void)
{
    g_autoptr(GByteArray) zeros = g_byte_array_new();
    g_byte_array_set_size(zeros, 32 << 20);
    memset(zeros->data, 0, zeros->len);
    g_autoptr(GByteArray) bomb = deflate_as(zeros, MAX_WBITS + 16);
    g_assert_cmpuint(bomb->len, <, 100000);
    g_autoptr(GError) error = NULL;
    g_assert_null(platform_inflate(bomb->data, bomb->len, 8 << 20, &error));
    g_assert_nonnull(strstr(error->message, "larger"));
    g_clear_error(&error);
    g_assert_null(platform_inflate(bomb->data, bomb->len / 2, 64 << 20, &error));
    g_assert_nonnull(strstr(error->message, "damaged"));
}

// --- the roster ---

static void log_participant(PlatformParticipantOp op, const PlatformParticipant *p, gpointer log)
{
    static const char *const ops[] = {"joined", "updated", "left"};
    g_autofree char *members =
        p->members != NULL ? g_strjoinv("+", (char **)p->members) : g_strdup("");
    g_string_append_printf(log, "%s %s %s%s%s%s\n", ops[op], p->platform_id, p->name,
                           p->muted ? " muted" : "", *members != '\0' ? " of " : "", members);
}

static void log_source(const PlatformSource *s, gpointer log)
{
    static const char *const kinds[] = {"audio", "video", "screen"};
    g_string_append_printf(log, "%s %u %s %s\n", kinds[s->kind], s->source, s->platform_id,
                           s->active ? "on" : "off");
}

static const MeetRosterEvents roster_events = {log_participant, log_source};

static void expect(GString *log, const char *text)
{
    g_assert_cmpstr(log->str, ==, text);
    g_string_truncate(log, 0);
}

static const MeetUser bob = {.device = (char *)BOB, .name = (char *)"Bob", .status = 1};

static void test_roster_in_any_order(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(MeetRoster) roster = meet_roster_new(&roster_events, log);
    g_autoptr(JsonArray) streams = json_array_new();
    json_array_add_string_element(streams, "stream-7");
    const MeetOutput video = {MEET_OUTPUT_VIDEO, (char *)"stream-7", (char *)BOB, false};
    meet_roster_output(roster, &video);
    expect(log, "video 0 " BOB " on\n"); /* its track is not known yet */
    meet_roster_track(roster, 4, streams);
    expect(log, "video 4 " BOB " on\n");
    meet_roster_track(roster, 4, streams); /* told again: nothing new */
    expect(log, "");
    meet_roster_user(roster, &bob);
    expect(log, "joined " BOB " Bob\nvideo 4 " BOB " on\n");
    meet_roster_user(roster, &bob);
    expect(log, "");
    const MeetOutput audio = {MEET_OUTPUT_AUDIO, (char *)"123", (char *)BOB, true};
    meet_roster_output(roster, &audio);
    expect(log, "audio 123 " BOB " off\nupdated " BOB " Bob muted\n");
    const MeetOutput nonsense = {MEET_OUTPUT_AUDIO, (char *)"12x", (char *)BOB, true};
    meet_roster_output(roster, &nonsense);
    expect(log, "");
    const MeetUser gone = {.device = (char *)BOB, .status = 6};
    meet_roster_user(roster, &gone);
    expect(log, "left " BOB " Bob muted\n");
    meet_roster_user(roster, &bob); /* back again */
    expect(log, "joined " BOB " Bob muted\nvideo 4 " BOB " on\n");
}

static void test_roster_screen_share_belongs_to_its_owner(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(MeetRoster) roster = meet_roster_new(&roster_events, log);
    const MeetUser share = {
        .device = (char *)SHARE, .name = (char *)"Bob", .status = 1, .parent = (char *)BOB};
    const MeetOutput picture = {MEET_OUTPUT_VIDEO, (char *)"s9", (char *)SHARE, false};
    meet_roster_user(roster, &bob);
    g_string_truncate(log, 0);
    meet_roster_user(roster, &share);
    meet_roster_output(roster, &picture);
    expect(log, "screen 0 " BOB " on\n");
    g_assert_cmpuint(meet_roster_n_present(roster), ==, 1);
    g_assert_cmpstr(meet_roster_name(roster, SHARE), ==, "Bob");
    const MeetUser ended = {.device = (char *)SHARE, .status = 6, .parent = (char *)BOB};
    meet_roster_user(roster, &ended);
    expect(log, "screen 0 " BOB " off\n");
    meet_roster_output(roster, &picture); /* in the same message, still "on" */
    expect(log, "");
    meet_roster_user(roster, &share); /* shared again */
    const MeetOutput again = {MEET_OUTPUT_VIDEO, (char *)"s10", (char *)SHARE, false};
    meet_roster_output(roster, &again);
    g_assert_true(g_str_has_suffix(log->str, "screen 0 " BOB " on\n"));
}

static void test_roster_sync_finds_who_left(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(MeetRoster) roster = meet_roster_new(&roster_events, log);
    const MeetUser eve = {.device = (char *)"d3", .name = (char *)"Eve", .status = 1};
    meet_roster_user(roster, &bob);
    meet_roster_user(roster, &eve);
    g_string_truncate(log, 0);
    meet_roster_begin_sync(roster);
    meet_roster_end_sync(roster); /* an empty answer is not an empty meeting */
    expect(log, "");
    meet_roster_begin_sync(roster);
    meet_roster_user(roster, &eve);
    meet_roster_end_sync(roster);
    expect(log, "left " BOB " Bob\n");
}

// --- second devices, and rooms ---

#define ROOM "merged-audio/1"

static void user_here(MeetRoster *roster, const char *id, const char *name, const char *avatar)
{
    const MeetUser user = {
        .device = (char *)id, .name = (char *)name, .avatar_url = (char *)avatar, .status = 1};
    meet_roster_user(roster, &user);
}

static void user_gone(MeetRoster *roster, const char *id)
{
    const MeetUser user = {.device = (char *)id, .status = 6};
    meet_roster_user(roster, &user);
}

static void sounds(MeetRoster *roster, const char *id, const char *csrc, bool disabled)
{
    const MeetOutput output = {MEET_OUTPUT_AUDIO, (char *)csrc, (char *)id, disabled};
    meet_roster_output(roster, &output);
}

static void list_says(MeetRoster *roster, const char *json)
{
    g_autofree char *text = g_strdelimit(g_strdup_printf("{'rows':%s}", json), "'", '"');
    g_autoptr(JsonObject) object = platform_json_parse(text, strlen(text), NULL);
    g_assert_nonnull(object);
    meet_roster_list(roster, platform_json_array(object, "rows"));
}

static void test_companion_is_no_second_person(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(MeetRoster) roster = meet_roster_new(&roster_events, log);
    user_here(roster, "d1", "Alice", "pic/alice");
    sounds(roster, "d1", "11", false);
    g_string_truncate(log, 0);
    user_here(roster, "d2", "Alice", "pic/alice");
    expect(log, "");
    g_assert_cmpuint(meet_roster_n_present(roster), ==, 1);
    g_assert_cmpstr(meet_roster_person(roster, "d2"), ==, "d1"); /* what it writes is hers */
    /* What it presents is hers too. */
    const MeetUser share = {
        .device = (char *)"d3", .name = (char *)"Alice", .status = 1, .parent = (char *)"d2"};
    const MeetOutput screen = {MEET_OUTPUT_VIDEO, (char *)"s", (char *)"d3", false};
    meet_roster_user(roster, &share);
    meet_roster_output(roster, &screen);
    expect(log, "screen 0 d1 on\n");
    user_gone(roster, "d1"); /* she goes on with the other one */
    expect(log, "");
    user_gone(roster, "d2");
    expect(log, "left d1 Alice\n");
}

static void test_either_device_may_come_first(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(MeetRoster) roster = meet_roster_new(&roster_events, log);
    const MeetOutput camera = {MEET_OUTPUT_VIDEO, (char *)"c", (char *)"d2", false};
    user_here(roster, "d1", "Alice", "pic/alice"); /* the companion */
    user_here(roster, "d2", "Alice", "pic/alice");
    sounds(roster, "d2", "22", true);
    sounds(roster, "d2", "22", false);
    meet_roster_output(roster, &camera);
    expect(log, "joined d1 Alice\naudio 22 d1 off\naudio 22 d1 on\nvideo 0 d1 on\n");
    list_says(roster, "[{'device':'d1','companion':true}]"); /* known already */
    expect(log, "");
    g_assert_cmpuint(meet_roster_n_present(roster), ==, 1);
}

static void test_namesakes_are_two_people(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(MeetRoster) roster = meet_roster_new(&roster_events, log);
    user_here(roster, "d1", "Alex", "pic/1");
    user_here(roster, "d2", "Alex", "pic/2"); /* another account */
    user_here(roster, "d3", "Alex", NULL);
    g_assert_cmpuint(meet_roster_n_present(roster), ==, 3);
    user_here(roster, "d4", "Bo", "pic/none");
    user_here(roster, "d5", "Cy", "pic/none");
    user_here(roster, "d6", "Cy", "pic/none"); /* a picture that others have too tells nothing */
    g_assert_cmpuint(meet_roster_n_present(roster), ==, 6);
    g_string_truncate(log, 0);
    user_here(roster, "d7", "Alex", "pic/1");
    sounds(roster, "d7", "77", true);
    expect(log, "audio 77 d1 off\n");
    sounds(roster, "d1", "11", false); /* both can be heard: that is no companion */
    expect(log, "joined d7 Alex muted\naudio 77 d7 off\naudio 11 d1 on\n");
}

static void test_the_list_names_companions(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(MeetRoster) roster = meet_roster_new(&roster_events, log);
    user_here(roster, "d1", "Alice", NULL);
    sounds(roster, "d1", "11", false);
    user_here(roster, "d2", "Alice", NULL);
    user_here(roster, "d3", "Bob", NULL);
    g_string_truncate(log, 0);
    list_says(roster, "[{'name':'Alice','companion':true},{'name':'Bob','companion':true},"
                      "{'device':'d9','companion':true},{},5,{'device':7,'name':[]}]");
    expect(log, "left d2 Alice\n"); /* Bob is alone of his name: marked or not, he is here */
    list_says(roster, "[]");
    expect(log, "joined d2 Alice\n");
    list_says(roster, "[{'device':'d2','name':'Alice','companion':true}]");
    expect(log, "left d2 Alice\n");
    user_gone(roster, "d1");
    expect(log, "");
    user_here(roster, "d1", "Alice", NULL);
    user_gone(roster, "d2");
    expect(log, "");
    user_gone(roster, "d1");
    expect(log, "left d1 Alice\n");
}

static void test_a_room_is_one_voice(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(MeetRoster) roster = meet_roster_new(&roster_events, log);
    user_here(roster, "d1", "Alice", NULL);
    user_here(roster, "d2", "Bob", NULL);
    user_here(roster, "d3", "Cleo", NULL);
    sounds(roster, "d1", "11", false);
    sounds(roster, "d2", "22", true);
    g_string_truncate(log, 0);
    /* The list's order is not theirs; one device alone makes no room. */
    list_says(roster, "[{'name':'Bob','group':'g'},{'device':'d1','group':'g'},"
                      "{'name':'Cleo','group':'h'}]");
    expect(log,
           "joined " ROOM " Alice, Bob of d1+d2\naudio 11 " ROOM " on\naudio 22 " ROOM " on\n");
    g_assert_cmpuint(meet_roster_n_present(roster), ==, 3); /* nobody is counted twice */
    sounds(roster, "d1", "11", true);
    expect(log, "audio 11 " ROOM " off\nupdated d1 Alice muted\n"); /* now all are muted */
    uint32_t voice = 0;
    g_assert_true(meet_roster_voice(roster, "d2", &voice)); /* whoever's tile is lit */
    g_assert_cmpuint(voice, ==, 11);
    user_here(roster, "d1", "Alice M.", NULL);
    expect(log, "updated " ROOM " Alice M., Bob muted of d1+d2\nupdated d1 Alice M. muted\n");
    sounds(roster, "d3", "33", false);
    g_string_truncate(log, 0);
    list_says(roster, "[{'name':'Bob','group':'g'},{'device':'d1','group':'g'},"
                      "{'name':'Cleo','group':'g'}]");
    expect(log,
           "joined merged-audio/2 Alice M., Bob, Cleo of d1+d2+d3\naudio 11 merged-audio/2 on\n"
           "audio 22 merged-audio/2 on\naudio 33 merged-audio/2 on\n"
           "left " ROOM " Alice M., Bob muted of d1+d2\n");
    user_gone(roster, "d3");
    expect(log,
           "left d3 Cleo\njoined " ROOM " Alice M., Bob muted of d1+d2\naudio 11 " ROOM
           " off\naudio 22 " ROOM " off\nleft merged-audio/2 Alice M., Bob, Cleo of d1+d2+d3\n");
    user_gone(roster, "d2");
    expect(log, "left d2 Bob muted\naudio 11 d1 off\nleft " ROOM " Alice M., Bob muted of d1+d2\n");
}

static void test_a_room_of_sounds_without_a_source(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(MeetRoster) roster = meet_roster_new(&roster_events, log);
    user_here(roster, "d1", "Alice", NULL);
    user_here(roster, "d2", "Bob", NULL);
    uint32_t alone = 0, together = 0;
    g_assert_true(meet_roster_voice(roster, "d1", &alone));
    g_string_truncate(log, 0);
    list_says(roster, "[{'device':'d1','group':'g'},{'device':'d2','group':'g'}]");
    g_autofree char *bound = g_strdup_printf("audio %u " ROOM " on\n", alone);
    g_assert_true(g_str_has_suffix(log->str, bound));
    g_assert_true(meet_roster_voice(roster, "d2", &together));
    g_assert_cmpuint(together, ==, alone);
}

static void test_the_list_may_come_before_its_people(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(MeetRoster) roster = meet_roster_new(&roster_events, log);
    list_says(roster, "[{'device':'d1','group':'g'},{'name':'Bob','group':'g'}]");
    user_here(roster, "d1", "Alice", NULL);
    user_here(roster, "d2", "Bob", NULL);
    expect(log, "joined d1 Alice\njoined d2 Bob\njoined " ROOM " Alice, Bob of d1+d2\n");
    meet_roster_list(roster, NULL);
    expect(log, "left " ROOM " Alice, Bob of d1+d2\n");
}

static void test_the_bot_is_in_no_room(void)
{
    g_autoptr(GString) log = g_string_new(NULL);
    g_autoptr(MeetRoster) roster = meet_roster_new(&roster_events, log);
    const MeetUser self = {
        .device = (char *)"d0", .name = (char *)"Bob", .status = 1, .is_self = true};
    meet_roster_user(roster, &self);
    user_here(roster, "d1", "Alice", NULL);
    user_here(roster, "d2", "Bob", NULL); /* called like the bot, and no companion of it */
    g_string_truncate(log, 0);
    list_says(roster, "[{'device':'d0','group':'g','companion':true},{'device':'d1','group':'g'}]");
    expect(log, "");
    g_autofree char *longest = g_strnfill(5000, 'x');
    g_autofree char *rows = g_strdup_printf("[{'device':'d1','group':'%s'},"
                                            "{'device':'d2','group':'%s'}]",
                                            longest, longest);
    list_says(roster, rows);
    expect(log, "");
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/collections/every_compression", test_every_compression);
    g_test_add_func("/collections/outputs_and_chat", test_outputs_and_chat);
    g_test_add_func("/collections/sync", test_sync);
    g_test_add_func("/collections/damage_is_told", test_damage_is_told);
    g_test_add_func("/collections/bomb_is_refused", test_bomb_is_refused);
    g_test_add_func("/roster/in_any_order", test_roster_in_any_order);
    g_test_add_func("/roster/screen_share_belongs_to_its_owner",
                    test_roster_screen_share_belongs_to_its_owner);
    g_test_add_func("/roster/sync_finds_who_left", test_roster_sync_finds_who_left);
    g_test_add_func("/roster/companion_is_no_second_person", test_companion_is_no_second_person);
    g_test_add_func("/roster/either_device_may_come_first", test_either_device_may_come_first);
    g_test_add_func("/roster/namesakes_are_two_people", test_namesakes_are_two_people);
    g_test_add_func("/roster/the_list_names_companions", test_the_list_names_companions);
    g_test_add_func("/roster/a_room_is_one_voice", test_a_room_is_one_voice);
    g_test_add_func("/roster/a_room_of_sounds_without_a_source",
                    test_a_room_of_sounds_without_a_source);
    g_test_add_func("/roster/the_list_may_come_before_its_people",
                    test_the_list_may_come_before_its_people);
    g_test_add_func("/roster/the_bot_is_in_no_room", test_the_bot_is_in_no_room);
    return g_test_run();
}
