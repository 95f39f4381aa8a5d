/* SPDX-License-Identifier: Apache-2.0 */
#include "platforms/teams/calls.h"
#include "platforms/teams/voices.h"

#include "platforms/platform.h"

#include <string.h>

static GString *story; /* what the roster and the sink told */
static TeamsRoster *roster;

// --- what comes out ---

static void on_participant(const TeamsParticipant *participant, gpointer user_data)
{
    teams_roster_participant(roster, participant);
}

static void on_endpoint(const char *id, const TeamsEndpoint *endpoint, gpointer user_data)
{
    teams_roster_endpoint(roster, id, endpoint);
}

static void on_conversation_end(const TeamsConversationEnd *end, gpointer user_data)
{
    g_string_append_printf(story, "end %d by %s of %s|", (int)end->sub_code,
                           end->sender_name != NULL ? end->sender_name : "nobody",
                           end->call_id != NULL ? end->call_id : "a call");
}

static void on_dominant(const int64_t *source_ids, unsigned n, gpointer user_data)
{
    g_string_append(story, "dominant");
    for (unsigned i = 0; i < n; i++) {
        g_string_append_printf(story, " %d", (int)source_ids[i]);
    }
    g_string_append_c(story, '|');
}

static void on_caption(const char *user_id, bool is_final, gpointer user_data)
{
    g_string_append_printf(story, "caption %s%s|", user_id, is_final ? " final" : "");
}

static void on_subscription(int64_t source_id, const char *stream, gpointer user_data)
{
    g_string_append_printf(story, "wants %d on %s|", (int)source_id, stream);
    teams_roster_subscription(roster, source_id, stream);
}

static TeamsCalls *calls;

static void on_roster_call(const char *call_id, gpointer user_data)
{
    teams_calls_note_roster(calls, call_id);
}

static const TeamsSignalsSink sink = {on_endpoint,   on_participant, on_conversation_end,
                                      on_dominant,   on_caption,     on_subscription,
                                      on_roster_call};

static void on_told(PlatformParticipantOp op, const PlatformParticipant *who, gpointer user_data)
{
    static const char *const ops[] = {"joined", "updated", "left"};
    g_string_append_printf(story, "%s %s%s%s%s|", ops[op], who->name, who->is_host ? " host" : "",
                           who->is_self ? " self" : "", who->muted ? " muted" : "");
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    static const char *const kinds[] = {"audio", "video", "screen"};
    g_string_append_printf(story, "%s %u %s %s|", kinds[source->kind], source->source,
                           source->platform_id, source->active ? "on" : "off");
}

static void fresh(void)
{
    static const TeamsRosterEvents events = {on_told, on_source};
    g_clear_pointer(&calls, teams_calls_free);
    calls = teams_calls_new();
    g_clear_pointer(&roster, teams_roster_free);
    roster = teams_roster_new("Steno", &events, NULL);
    if (story != NULL) {
        g_string_free(story, TRUE);
    }
    story = g_string_new(NULL);
}

static void expect(const char *what)
{
    g_assert_cmpstr(story->str, ==, what);
    g_string_truncate(story, 0);
}

// --- what goes in ---

/* JSON with ' for ". */
static char *json(const char *text)
{
    return g_strdelimit(g_strdup(text), "'", '"');
}

static GBytes *gzip(const char *text)
{
    g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6);
    g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
    g_autoptr(GOutputStream) stream =
        g_converter_output_stream_new(memory, G_CONVERTER(compressor));
    g_output_stream_write_all(stream, text, strlen(text), NULL, NULL, NULL);
    g_output_stream_close(stream, NULL, NULL);
    return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
}

static bool trouter(const char *frame)
{
    return teams_signals_parse_trouter(frame, strlen(frame), &sink, NULL, NULL);
}

/* A frame whose body is base64 of gzip, as a roster's is. */
static bool packed(const char *last, const char *body)
{
    g_autofree char *text = json(body);
    g_autoptr(GBytes) zipped = gzip(text);
    g_autofree char *base64 =
        g_base64_encode(g_bytes_get_data(zipped, NULL), g_bytes_get_size(zipped));
    g_autofree char *frame =
        g_strdup_printf("3:::{\"id\":7,\"method\":\"POST\",\"url\":\"/calls/x/%s\",\"headers\":"
                        "{\"X-Microsoft-Skype-Chain-ID\":\"c\"},\"body\":\"%s\"}",
                        last, base64);
    return trouter(frame);
}

static bool update(const char *participants)
{
    g_autofree char *body = g_strdup_printf("{'participants':{%s}}", participants);
    return packed("rosterUpdate/", body);
}

#define STREAMS(audio, direction, video, sends)                                                    \
    "'endpoints':{'e1':{'call':{'mediaStreams':[{'type':'audio','sourceId':" audio                 \
    ",'direction':'" direction "'},{'type':'video','sourceId':" video ",'direction':'" sends       \
    "'}]}}}"
#define PERSON(id, name, rest)                                                                     \
    "'" id "':{'details':{'id':'" id "','displayName':'" name "'},'state':'active'" rest "}"
#define ALICE(direction, sends)                                                                    \
    PERSON("8:alice", "Alice",                                                                     \
           ",'meetingRole':'organizer'," STREAMS("101", direction, "102", sends))

static void test_roster_from_packed_frames(void)
{
    fresh();
    g_assert_true(update(ALICE("sendrecv", "inactive")));
    expect("joined Alice host|audio 101 8:alice on|");
    g_assert_true(update(ALICE("sendrecv", "inactive")));
    expect("");
    g_assert_true(update(PERSON("8:bob", "Bob", "," STREAMS("201", "recvonly", "-1", "inactive"))));
    expect("joined Bob muted|audio 201 8:bob off|");
    /* A delta says only what is new. */
    g_assert_true(update("'8:bob':{" STREAMS("201", "sendrecv", "-1", "inactive") "}"));
    expect("updated Bob|audio 201 8:bob on|");
    g_assert_true(update("'8:bob':{'isServerMuted':true}"));
    expect("updated Bob muted|audio 201 8:bob off|");
    g_assert_true(update("'8:bob':{'state':'inactive'}"));
    expect("left Bob muted|");
    g_assert_cmpuint(teams_roster_n_present(roster), ==, 1);
    g_assert_true(update("'8:bob':{'state':'active'}"));
    expect("joined Bob muted|");
}

static void test_bodies_of_every_kind(void)
{
    static const char *const frames[] = {
        "3:::{'url':'/v1/rosterUpdate','body':{'participants':{" PERSON("8:carol", "Carol",
                                                                        "") "}}}",
        "3:::{'url':'https://x.example/a/rosterUpdate/?v=1','body':{'participants':{" PERSON(
            "8:carol", "Carol", "") "}}}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(frames); i++) {
        fresh();
        g_autofree char *text = json(frames[i]);
        g_assert_true(trouter(text));
        expect("joined Carol|");
    }
    fresh(); /* JSON as a string */
    g_assert_true(trouter("3:::{\"url\":\"/rosterUpdate\",\"body\":\" {\\\"participants\\\":"
                          "{\\\"8:d\\\":{\\\"details\\\":{\\\"displayName\\\":\\\"Dan\\\"}}}}\"}"));
    expect("joined Dan|");
    fresh(); /* an HTTP answer */
    g_autofree char *answer =
        json("{'links':{},'roster':{'participants':{" PERSON("8:eve", "Eve", "") "}}}");
    teams_signals_parse_snapshot(answer, strlen(answer), &sink, NULL);
    expect("joined Eve|");
    teams_signals_parse_snapshot("[1]", 3, &sink, NULL);
    teams_signals_parse_snapshot("<html>", 6, &sink, NULL);
    teams_signals_parse_snapshot("", 0, &sink, NULL);
    expect("");
}

static void test_what_is_no_roster_means_nothing(void)
{
    fresh();
    g_assert_true(trouter("1::"));
    g_assert_true(trouter("5:1::{\"name\":\"trouter.connected\"}"));
    g_assert_true(trouter("3:::{\"url\":\"/messaging\",\"body\":\"x\"}"));
    g_assert_true(trouter("3:::{\"url\":\"/notrosterUpdate\",\"body\":\"x\"}"));
    g_assert_true(trouter(""));
    expect("");
    g_assert_false(trouter("3:::nonsense"));
    g_assert_false(trouter("3:::{\"url\":\"/rosterUpdate\"}"));
    g_assert_false(trouter("3:::{\"url\":\"/rosterUpdate\",\"body\":\"H4sIAAAA\"}"));
    g_assert_false(trouter("3:::{\"url\":\"/rosterUpdate\",\"body\":\"[1]\"}"));
    g_assert_true(trouter("3:::{\"url\":\"/rosterUpdate\",\"body\":{\"participants\":{\"a\":1,"
                          "\"\":{},\"b\":null,\"c\":{\"endpoints\":{\"e\":3,\"f\":{\"call\":{"
                          "\"mediaStreams\":[1,{\"type\":\"x\"},{\"type\":\"audio\","
                          "\"sourceId\":-9},{\"type\":\"video\",\"sourceId\":1e300}]}}}}}}}"));
    expect("");
}

static void test_who_waits_in_the_lobby_is_not_here(void)
{
    fresh();
    g_assert_true(update(PERSON("8:bob", "Bob", ",'endpoints':{'e':{'lobby':{}}}")));
    expect("");
    g_assert_true(update("'8:bob':{'endpoints':{'e':{'call':{}}}}"));
    expect("joined Bob|");
    g_assert_true(update("'8:bob':{'endpoints':{'e':null},'state':'inactive'}"));
    expect("left Bob|");
}

static void test_own_entry(void)
{
    fresh();
    g_assert_true(update(PERSON("8:guest:1", "Steno", "")));
    expect("joined Steno self|");
    g_assert_true(update(PERSON("8:guest:2", "Steno 2", "")));
    expect("joined Steno 2|");
    teams_roster_set_self(roster, "8:not-in-the-roster");
    expect("");
    teams_roster_set_self(roster, "8:guest:2"); /* the page knows better than a name */
    g_assert_true(teams_roster_is_self(roster, "8:guest:2"));
    g_assert_false(teams_roster_is_self(roster, "8:guest:1"));
}

static JsonArray *names(const char *text)
{
    g_autofree char *array = json(text);
    g_autoptr(JsonNode) node = json_from_string(array, NULL);
    return json_array_ref(json_node_get_array(node));
}

static void track(uint32_t id, const char *text)
{
    g_autoptr(JsonArray) array = names(text);
    teams_roster_track(roster, id, array);
}

static void test_pictures_follow_subscriptions(void)
{
    fresh();
    g_assert_true(update(ALICE("sendrecv", "sendonly")));
    g_assert_true(
        update(PERSON("8:bob", "Bob", "," STREAMS("201", "sendrecv", "202", "sendonly"))));
    expect("joined Alice host|audio 101 8:alice on|joined Bob|audio 201 8:bob on|");
    track(4, "['mainVideo-900','7']"); /* the section's x-source-streamid is 7 */
    track(5, "['mainVideo-8']");       /* the number stands in the MediaStream's id */
    expect("");
    teams_roster_subscription(roster, 102, "7");
    expect("video 4 8:alice on|");
    teams_roster_subscription(roster, 202, "8");
    expect("video 5 8:bob on|");
    teams_roster_subscription(roster, 202, "7"); /* Bob moves to where Alice was */
    expect("video 4 8:alice off|");
    teams_roster_subscription(roster, TEAMS_NO_SOURCE, "8");
    expect("video 5 8:bob off|video 4 8:bob on|");
    g_assert_true(update("'8:bob':{" STREAMS("201", "sendrecv", "202", "inactive") "}"));
    expect("video 4 8:bob off|");
    g_assert_true(update("'8:bob':{" STREAMS("201", "sendrecv", "202", "sendonly") "}"));
    expect("video 4 8:bob on|");
    teams_roster_track_ended(roster, 4);
    expect("video 4 8:bob off|");
    track(9, "['mainVideo-7']"); /* a new connection */
    expect("video 9 8:bob on|");
}

static void test_screens(void)
{
    fresh();
    g_assert_true(update(PERSON("8:bob", "Bob",
                                ",'endpoints':{'e':{'call':{'mediaStreams':[{'type':"
                                "'applicationsharing-video','sourceId':'303','direction':"
                                "'sendonly'}]}}}")));
    track(4, "['applicationsharing-video-1','12']");
    teams_roster_subscription(roster, 303, "12");
    expect("joined Bob|screen 4 8:bob on|");
}

static void test_ends(void)
{
    fresh();
    g_assert_true(packed("conversation/conversationEnd/",
                         "{'subCode':5300,'sender':{'id':'8:alice','displayName':'Alice'}}"));
    expect("end 5300 by Alice of c|");
    g_assert_true(trouter("3:::{\"url\":\"/conversation/conversationEnd\",\"body\":{\"code\":0}}"));
    expect("end 0 by nobody of a call|");
    g_assert_true(trouter("3:::{\"url\":\"/conversationEnd\",\"headers\":{\"a\":1,"
                          "\"x-microsoft-skype-chain-id\":\"D\"},\"body\":{}}"));
    expect("end 0 by nobody of D|");
    g_assert_true(trouter("3:::{\"url\":\"/conversationEnd\",\"headers\":{"
                          "\"X-Microsoft-Skype-Chain-ID\":7},\"body\":{}}"));
    expect("end 0 by nobody of a call|");
}

/* A signed-in account may have other calls, which end on the same socket. */
static void test_the_end_of_another_call(void)
{
    fresh();
    g_assert_true(teams_calls_is_ours(calls, NULL));
    g_assert_true(teams_calls_is_ours(calls, "other"));    /* in the lobby nothing is known yet */
    g_assert_true(update(PERSON("8:alice", "Alice", ""))); /* of the call "c" */
    g_assert_true(teams_calls_is_ours(calls, "C"));
    g_assert_true(teams_calls_is_ours(calls, NULL));
    g_assert_false(teams_calls_is_ours(calls, "other"));
    teams_calls_note_roster(calls, "other"); /* the other one has a roster too: the page knows */
    g_assert_true(teams_calls_is_ours(calls, "other"));
    teams_calls_set_own(calls, "c");
    g_assert_true(teams_calls_is_ours(calls, "c"));
    g_assert_false(teams_calls_is_ours(calls, "other"));
    teams_calls_set_own(calls, "another kind of id"); /* no roster has such: it proves nothing */
    g_assert_true(teams_calls_is_ours(calls, "c"));
    fresh();
    teams_calls_set_own(calls, "c"); /* in the lobby */
    g_assert_true(teams_calls_is_ours(calls, "c"));
    g_assert_false(teams_calls_is_ours(calls, "other"));
}

static bool channel(const char *prefix, size_t prefix_bytes, const char *text)
{
    g_autofree char *body = json(text);
    g_autoptr(GByteArray) message = g_byte_array_new();
    g_byte_array_append(message, (const guint8 *)prefix, (guint)prefix_bytes);
    g_byte_array_append(message, (const guint8 *)body, (guint)strlen(body));
    return teams_signals_parse_channel(message->data, message->len, &sink, NULL, NULL);
}

static void test_main_channel(void)
{
    fresh();
    g_assert_true(channel("\0\0\0\x2a", 4, "[{'type':'dsh','history':[101,'201',-1,{}]}]"));
    expect("dominant 101 201|");
    g_assert_true(channel("\x01[{\xff", 4, "{'type':'dsh','history':[]}"));
    expect("dominant|");
    g_assert_true(channel("", 0,
                          "{'recognitionResults':[{'userId':'8:bob','text':'hi','isFinal':true},"
                          "{'userId':'','text':'x'},{'userId':'8:c','text':''},7,"
                          "{'userId':'8:alice','text':'so'}]}\n"));
    expect("caption 8:bob final|caption 8:alice|");
    g_assert_true(channel("xx", 2,
                          "[{'type':'sr','controlVideoStreaming':{'controlInfo':{'sourceId':102,"
                          "'streamMsid':7}}},{'type':'sr','controlVideoStreaming':{'controlInfo':"
                          "[{'sourceId':-1,'streamMsid':'8'}]}},{'type':'other'}]"));
    expect("wants 102 on 7|wants -1 on 8|");
    g_assert_false(channel("", 0, "no JSON at all"));
    g_assert_false(channel("", 0, "[{'cut"));
    g_assert_false(channel("", 0, ""));
    expect("");
}

// --- who speaks ---

static TeamsVoices voices;

static TeamsEvidence attribute(int64_t at_s, unsigned n, const uint32_t *csrcs, uint32_t *who,
                               uint8_t *n_who)
{
    g_autoptr(MediaEncodedFrame) frame =
        media_encoded_frame_new(MEDIA_CODEC_OPUS, g_bytes_new_static("x", 1));
    frame->receive_ns = at_s * 1000000000;
    frame->n_csrcs = (uint8_t)n;
    for (unsigned i = 0; i < n; i++) {
        frame->csrcs[i] = csrcs[i];
    }
    return teams_voices_attribute(&voices, roster, frame, who, n_who);
}

static void expect_voice(int64_t at_s, TeamsEvidence evidence, uint32_t source)
{
    uint32_t who[MEDIA_MAX_CSRCS];
    uint8_t n;
    g_assert_cmpint(attribute(at_s, 0, NULL, who, &n), ==, evidence);
    g_assert_cmpuint(n, ==, evidence != TEAMS_EVIDENCE_NONE);
    g_assert_cmpuint(n > 0 ? who[0] : 0, ==, source);
}

static void meet(void)
{
    fresh();
    teams_voices_init(&voices);
    g_assert_true(update(ALICE("sendrecv", "inactive")));
    g_assert_true(update(PERSON("8:bob", "Bob", "," STREAMS("201", "sendrecv", "-1", "inactive"))));
    g_assert_true(update(PERSON("8:me", "Steno", "," STREAMS("9", "sendrecv", "-1", "inactive"))));
}

static void test_contributing_sources_come_first(void)
{
    uint32_t who[MEDIA_MAX_CSRCS];
    uint8_t n;
    meet();
    teams_voices_dominant(&voices, (const int64_t[]){201}, 1, 10 * INT64_C(1000000000));
    g_assert_cmpint(attribute(10, 3, (const uint32_t[]){101, 9, 777}, who, &n), ==,
                    TEAMS_EVIDENCE_SOURCES);
    g_assert_cmpuint(n, ==, 2); /* not ourselves; a stranger's name may still come */
    g_assert_cmpuint(who[0], ==, 101);
    g_assert_cmpuint(who[1], ==, 777);
}

static void test_lesser_evidence_in_its_order(void)
{
    meet();
    expect_voice(5, TEAMS_EVIDENCE_NONE, 0);
    g_assert_false(teams_voices_want_captions(&voices, 12 * INT64_C(1000000000), 8000000000));
    g_assert_true(teams_voices_want_captions(&voices, 13 * INT64_C(1000000000), 8000000000));
    teams_voices_dominant(&voices, (const int64_t[]){201, 101}, 2, 20 * INT64_C(1000000000));
    expect_voice(21, TEAMS_EVIDENCE_DOMINANT, 201);
    g_assert_false(teams_voices_want_captions(&voices, 50 * INT64_C(1000000000), 8000000000));
    teams_voices_caption(&voices, roster, "8:alice", 24 * INT64_C(1000000000));
    expect_voice(22, TEAMS_EVIDENCE_DOMINANT, 201);
    expect_voice(25, TEAMS_EVIDENCE_CAPTION, 101);
    expect_voice(27, TEAMS_EVIDENCE_STALE, 201);
    expect_voice(200, TEAMS_EVIDENCE_NONE, 0);
    teams_voices_caption(&voices, roster, "8:nobody", 200 * INT64_C(1000000000));
    expect_voice(200, TEAMS_EVIDENCE_NONE, 0);
}

static void test_who_is_muted_is_not_heard(void)
{
    meet();
    teams_voices_dominant(&voices, (const int64_t[]){9, 201, 101}, 3, INT64_C(1000000000));
    expect_voice(1, TEAMS_EVIDENCE_DOMINANT, 201);
    g_assert_true(update("'8:bob':{'isServerMuted':true}"));
    expect_voice(1, TEAMS_EVIDENCE_DOMINANT, 101);
    g_assert_true(update("'8:alice':{'state':'inactive'}"));
    expect_voice(1, TEAMS_EVIDENCE_NONE, 0);
}

static void test_rings_come_before_captions(void)
{
    uint32_t who[MEDIA_MAX_CSRCS];
    uint8_t n;
    meet();
    teams_voices_caption(&voices, roster, "8:alice", INT64_C(1000000000));
    teams_voices_shown(&voices, (const uint32_t[]){201, 101}, 2);
    g_assert_cmpint(attribute(1, 0, NULL, who, &n), ==, TEAMS_EVIDENCE_SHOWN);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpuint(who[0], ==, 201);
    teams_voices_shown(&voices, NULL, 0);
    expect_voice(1, TEAMS_EVIDENCE_CAPTION, 101);
}

static void test_tiles_where_the_wire_is_silent(void)
{
    fresh();
    g_assert_true(update(PERSON("8:me", "Steno", "")));
    expect("joined Steno self|");
    g_assert_cmpint(teams_roster_shown(roster, "Steno", false), ==, TEAMS_NO_SOURCE);
    int64_t source = teams_roster_shown(roster, "Alice", true);
    g_assert_cmpint(source, !=, TEAMS_NO_SOURCE);
    g_autofree char *told =
        g_strdup_printf("joined Alice muted|audio %u shown:Alice off|", (unsigned)source);
    expect(told);
    g_assert_cmpint(teams_roster_shown(roster, "Alice", true), ==, source);
    expect("");
    teams_roster_unshown(roster, "Alice");
    expect("left Alice muted|");
    teams_roster_unshown(roster, "nobody");
    teams_roster_shown(roster, "Carol", false);
    g_string_truncate(story, 0);
    /* The wire speaks: tiles name its people, and nobody else. */
    g_assert_true(update(PERSON("8:bob", "Bob", "," STREAMS("201", "sendrecv", "-1", "inactive"))));
    expect("left Carol|joined Bob|audio 201 8:bob on|");
    g_assert_cmpint(teams_roster_shown(roster, "Bob", false), ==, 201);
    g_assert_cmpint(teams_roster_shown(roster, "Zoe", false), ==, TEAMS_NO_SOURCE);
    expect("");
}

/* A name on the page is all that a tile or a message has: of two of one name none is guessed. */
static void test_namesakes_on_the_page(void)
{
    fresh();
    g_assert_true(update(PERSON("8:k1", "Kim", "," STREAMS("101", "sendrecv", "-1", "inactive"))));
    g_assert_cmpint(teams_roster_shown(roster, "Kim", false), ==, 101);
    g_assert_true(update(PERSON("8:k2", "Kim", "," STREAMS("201", "sendrecv", "-1", "inactive"))));
    g_assert_null(teams_roster_named(roster, "Kim"));
    g_assert_cmpint(teams_roster_shown(roster, "Kim", false), ==, TEAMS_NO_SOURCE);
    g_assert_cmpuint(teams_roster_n_present(roster), ==, 2);
    g_assert_true(update("'8:k1':{'state':'inactive'}"));
    g_assert_cmpstr(teams_roster_named(roster, "Kim"), ==, "8:k2");
    g_assert_true(update("'8:k2':{'state':'inactive'}")); /* who of them wrote is not known */
    g_assert_null(teams_roster_named(roster, "Kim"));
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/teams/roster_from_packed_frames", test_roster_from_packed_frames);
    g_test_add_func("/teams/bodies_of_every_kind", test_bodies_of_every_kind);
    g_test_add_func("/teams/what_is_no_roster_means_nothing", test_what_is_no_roster_means_nothing);
    g_test_add_func("/teams/who_waits_in_the_lobby_is_not_here",
                    test_who_waits_in_the_lobby_is_not_here);
    g_test_add_func("/teams/own_entry", test_own_entry);
    g_test_add_func("/teams/pictures_follow_subscriptions", test_pictures_follow_subscriptions);
    g_test_add_func("/teams/screens", test_screens);
    g_test_add_func("/teams/ends", test_ends);
    g_test_add_func("/teams/the_end_of_another_call", test_the_end_of_another_call);
    g_test_add_func("/teams/namesakes_on_the_page", test_namesakes_on_the_page);
    g_test_add_func("/teams/main_channel", test_main_channel);
    g_test_add_func("/teams/contributing_sources_come_first", test_contributing_sources_come_first);
    g_test_add_func("/teams/lesser_evidence_in_its_order", test_lesser_evidence_in_its_order);
    g_test_add_func("/teams/who_is_muted_is_not_heard", test_who_is_muted_is_not_heard);
    g_test_add_func("/teams/rings_come_before_captions", test_rings_come_before_captions);
    g_test_add_func("/teams/tiles_where_the_wire_is_silent", test_tiles_where_the_wire_is_silent);
    int status = g_test_run();
    g_clear_pointer(&calls, teams_calls_free);
    g_clear_pointer(&roster, teams_roster_free);
    g_string_free(story, TRUE);
    return status;
}
