// SPDX-License-Identifier: Apache-2.0
#include "tests/meeting/scenario.h"
#include "tests/meeting/sdp.h"

#include <string.h>

#define HEAD "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
#define TRANSPORT "a=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:sha-256 AA\r\na=setup:actpass\r\n"
#define OWN                                                                                        \
    HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" TRANSPORT "a=mid:audio0\r\na=sendonly\r\n"          \
         "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" TRANSPORT "a=mid:video1\r\na=sendonly\r\n"
#define PAGE                                                                                       \
    HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 109\r\n" TRANSPORT "a=mid:0\r\na=recvonly\r\n"               \
         "a=extmap:3 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"                              \
         "a=rtpmap:109 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n"                                \
         "m=video 9 UDP/TLS/RTP/SAVPF 100 101 103 104\r\n" TRANSPORT "a=mid:1\r\na=recvonly\r\n"   \
         "a=rtpmap:100 VP8/90000\r\na=rtpmap:101 VP9/90000\r\na=fmtp:101 profile-id=2\r\n"         \
         "a=rtpmap:104 VP9/90000\r\na=fmtp:104 profile-id=0\r\na=rtpmap:103 H264/90000\r\n"        \
         "a=fmtp:103 packetization-mode=1;profile-level-id=42e01f\r\n"

static GPtrArray *two_sections(MeetingSection *audio, MeetingSection *video)
{
    *audio = (MeetingSection){MEETING_SECTION_AUDIO, 7, (char *)"sa", true};
    *video = (MeetingSection){MEETING_SECTION_VIDEO, 8, (char *)"sv", false};
    GPtrArray *sections = g_ptr_array_new();
    g_ptr_array_add(sections, audio);
    g_ptr_array_add(sections, video);
    return sections;
}

static void assert_has(const char *text, const char *line)
{
    if (strstr(text, line) == NULL)
        g_error("no \"%s\" in\n%s", line, text);
}

static void test_payload_types(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MeetingSdp) page = meeting_sdp_parse(PAGE, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(page->types.opus, ==, 109);
    g_assert_cmpuint(page->types.red, ==, 63);
    g_assert_cmpuint(page->types.vp8, ==, 100);
    g_assert_cmpuint(page->types.vp9, ==, 104);
    g_assert_cmpuint(page->types.h264, ==, 103);
    g_assert_cmpuint(page->types.audio_level, ==, 3);
}

static void test_offer(void)
{
    g_autoptr(MeetingSdp) own = meeting_sdp_parse(OWN, NULL);
    MeetingSection audio, video;
    g_autoptr(GPtrArray) sections = two_sections(&audio, &video);
    const MeetingPayloadTypes types = {111, 0, 96, 98, 102, 1};
    g_autofree char *text = meeting_sdp_for_page(own, NULL, sections, &types, false);
    assert_has(text, "m=video 9 UDP/TLS/RTP/SAVPF 96 98 102\r\n");
    assert_has(text, "a=msid:sa sa-t\r\na=ssrc:7 cname:sfu\r\n");
    assert_has(text, "a=mid:video1\r\na=rtcp-mux\r\na=inactive\r\n");
    assert_has(text, "a=setup:actpass");
    g_assert_null(strstr(text, "a=msid:sv"));
    /* What is written can be read. */
    g_autoptr(MeetingSdp) again = meeting_sdp_parse(text, NULL);
    g_assert_cmpuint(again->types.h264, ==, 102);
}

static void test_answers_both_sides(void)
{
    g_autoptr(MeetingSdp) own = meeting_sdp_parse(OWN, NULL);
    g_autoptr(MeetingSdp) page = meeting_sdp_parse(PAGE, NULL);
    MeetingSection audio, video;
    g_autoptr(GPtrArray) sections = two_sections(&audio, &video);
    g_autofree char *to_page = meeting_sdp_for_page(own, page, sections, &page->types, false);
    assert_has(to_page, "a=group:BUNDLE 0 1\r\n");
    assert_has(to_page, "a=setup:passive");
    assert_has(to_page, "a=rtpmap:109 opus");
    g_autofree char *to_bin = meeting_sdp_for_bin(own, page, sections);
    assert_has(to_bin, "a=group:BUNDLE audio0 video1\r\n");
    assert_has(to_bin, "a=setup:active");
    assert_has(to_bin, "a=rtpmap:96 VP8");
}

static void test_refuses(void)
{
    static const char *const broken[] = {"", "v=0\r\n", "m=audio\r\n", HEAD TRANSPORT,
                                         HEAD "m=audio 9 X 1\r\n" TRANSPORT};
    for (guint i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(meeting_sdp_parse(broken[i], &error));
        g_assert_error(error, MEETING_ERROR, MEETING_ERROR_PROTOCOL);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sdp/payload_types_are_the_pages", test_payload_types);
    g_test_add_func("/sdp/the_page_is_offered_every_codec", test_offer);
    g_test_add_func("/sdp/both_sides_are_told_that_the_other_answered", test_answers_both_sides);
    g_test_add_func("/sdp/a_broken_description_is_refused", test_refuses);
    return g_test_run();
}
