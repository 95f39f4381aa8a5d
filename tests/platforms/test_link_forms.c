/* SPDX-License-Identifier: Apache-2.0 */
/* Links as people really give them: out of mails, calendars, chats and address bars. */
#include "platforms/meeting_url.h"

#include "platforms/platform.h"

#include <string.h>

#define MEET "https://meet.google.com/abc-defg-hij"
#define WC "https://app.zoom.us/wc/81234567890/join"
#define TEAMS "https://teams.microsoft.com/meet/2359876543210"
#define LIVE "https://teams.live.com/meet/"
#define THREAD "https://teams.microsoft.com/l/meetup-join/19%3Ameeting_Nz%40thread.v2/0"
#define SAFE(host) "https://" host "/?url=https%3A%2F%2Fmeet.google.com%2Fabc-defg-hij&data=05%7C"
#define V3 "https://urldefense.com/v3/__"
#define V2 "https://urldefense.proofpoint.com/v2/url?u="

static const struct {
    const char *url, *canonical;
} good[] = {
    /* what stands around a link in a text */
    {MEET ")", MEET},
    {MEET ".", MEET},
    {MEET ").", MEET},
    {MEET ",", MEET},
    {MEET ";", MEET},
    {MEET "!", MEET},
    {MEET "?", MEET},
    {MEET "]", MEET},
    {MEET "'", MEET},
    {MEET "`", MEET},
    {MEET "?authuser=0).", MEET},
    {"(" MEET ")", MEET},
    {"[" MEET "]", MEET},
    {"'" MEET "'", MEET},
    {"**" MEET "**", MEET},
    {"(<" MEET ">).", MEET},
    {"\xe2\x80\x9c" MEET "\xe2\x80\x9d", MEET},
    {"\xc2\xa0" MEET "\xe2\x80\x8b", MEET},
    {"\xef\xbb\xbf" MEET, MEET},
    {MEET "&quot;", MEET},
    {"&lt;" MEET "&gt;", MEET},
    {MEET "&nbsp;", MEET},
    {"https:&#47;&#47;meet.google.com/abc-defg-hij", MEET},
    /* codes */
    {"https://meet.google.com/ABC-DEFG-HIJ", MEET},
    {"HTTPS://MEET.GOOGLE.COM/ABC-DEFG-HIJ", MEET},
    {"ABC-DEFG-HIJ", MEET},
    {"abc-defg-hij", MEET},
    {" Abc-Defg-Hij. ", MEET},
    {"(abc-defg-hij)", MEET},
    /* search engines */
    {"https://google.de/url?q=https://meet.google.com/abc-defg-hij", MEET},
    {"https://www.google.de/url?q=https%3A%2F%2Fmeet.google.com%2Fabc-defg-hij&sa=D", MEET},
    {"https://www.google.co.uk/url?sa=D&q=https://meet.google.com/abc-defg-hij", MEET},
    {"https://www.google.com.br/url?url=https://meet.google.com/abc-defg-hij", MEET},
    /* safe links, of each cloud */
    {SAFE("gcc02.safelinks.protection.outlook.com"), MEET},
    {SAFE("usg02.safelinks.protection.office365.us"), MEET},
    {SAFE("chn01.safelinks.protection.partner.outlook.cn"), MEET},
    {SAFE("chn01.safelinks.protection.outlook.cn"), MEET},
    {SAFE("deu01.safelinks.protection.outlook.de"), MEET},
    {SAFE("NAM12.SafeLinks.Protection.Outlook.com"), MEET},
    {"https://nam12.safelinks.protection.outlook.com/?url=https%3A%2F%2Fmeet.google.com"
     "%2Fabc-defg-hij&amp;data=05%7C01&amp;reserved=0",
     MEET},
    {"https://statics.teams.cdn.office.net/evergreen-assets/safelinks/1/atp-safelinks.html"
     "?url=https%3A%2F%2Fmeet.google.com%2Fabc-defg-hij&locale=en-us",
     MEET},
    /* Proofpoint: version 1, 2 and 3 */
    {"https://urldefense.proofpoint.com/v1/url?u=https://meet.google.com/abc-defg-hij&k=x", MEET},
    {V2 "https-3A__meet.google.com_abc-2Ddefg-2Dhij&d=DwMFaQ&c=euGZ&r=x", MEET},
    {V2 "https-3A__us02web.zoom.us_j_81234567890-3Fpwd-3DQWx-5FhZ.1-26from-3Daddon&d=DwMF",
     WC "?pwd=QWx_hZ.1"},
    {V2 "https-3A__teams.microsoft.com_meet_2359876543210-3Fp-3DAbC&d=DwMF", TEAMS "?p=AbC"},
    {V2 "https-3A__teams.microsoft.com_l_meetup-2Djoin_19-253ameeting-5FNz-2540thread.v2_0&d=D",
     THREAD},
    {V3 "https://meet.google.com/abc-defg-hij__;!!BeGeiv!hsxs5Fk$", MEET},
    {V3 "https:/meet.google.com/abc-defg-hij__;!!BeGeiv!hsxs5Fk$", MEET},
    {"https://urldefense.us/v3/__https://meet.google.com/abc-defg-hij__;!!BeGeiv!hsxs5Fk$", MEET},
    {V3 "https://us02web.zoom.us/j/81234567890?pwd=YWJj**A__;PT0!!KEc8!HL4$", WC "?pwd=YWJj%3D%3D"},
    {V3 "https://us02web.zoom.us/j/81234567890?pwd=YWJj*__;PQ!!KEc8!HL4$", WC "?pwd=YWJj%3D"},
    {V3 "https://teams.microsoft.com/l/meetup-join/19*3ameeting_Nz*40thread.v2/0__;JSU!!K!H$",
     THREAD},
    /* one gateway behind the other */
    {"https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Furldefense.com%2Fv3%2F__"
     "https%3A%2F%2Fmeet.google.com%2Fabc-defg-hij__%3B!!BeG!hsx%24&data=05",
     MEET},
    {"https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.google.com%2Furl%3Fq"
     "%3Dhttps%253A%252F%252Fzoom.us%252Fj%252F81234567890%253Fpwd%253Dabc&data=05",
     WC "?pwd=abc"},
    {"https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fzoom.us%2fj%2f81234567890&c=E,1", WC},
    /* Zoom: other hosts, forms and spellings */
    {"https://acme.zoomgov.com/j/1612345678?pwd=abc",
     "https://acme.zoomgov.com/j/1612345678?pwd=abc"},
    {"https://www.zoomgov.com/j/1612345678", "https://www.zoomgov.com/j/1612345678"},
    {"https://us02web.zoom.us/launch/jc/81234567890?pwd=abc", WC "?pwd=abc"},
    {"https://zoom.us/launch/jc/81234567890", WC},
    {"https://acme.zoom.us/launch/jc/81234567890?tk=T1",
     "https://acme.zoom.us/j/81234567890?tk=T1"},
    {"https://zoom.us/j/812 3456 7890", WC},
    {"https://zoom.us/j/812%203456%207890?pwd=abc", WC "?pwd=abc"},
    {"https://zoom.us/j/81234567890.", WC},
    {"https://zoom.us/j/81234567890)", WC},
    /* a passcode or a token, to the letter */
    {"https://zoom.us/j/81234567890?jst=2&amp;pwd=X", WC "?pwd=X"},
    {"https://zoom.us/j/81234567890?jst=2&amp;amp;pwd=X", WC "?pwd=X"},
    {"https://zoom.us/j/81234567890?jst=2&#38;pwd=X", WC "?pwd=X"},
    {"https://zoom.us/j/81234567890?pwd=YWJj==", WC "?pwd=YWJj%3D%3D"},
    {"https://zoom.us/j/81234567890?pwd=YWJj%3D%3D", WC "?pwd=YWJj%3D%3D"},
    {"https://zoom.us/j/81234567890?pwd=YWJj%3d%3d", WC "?pwd=YWJj%3D%3D"},
    {"https://zoom.us/j/81234567890?pwd=X).", WC "?pwd=X"},
    {"https://zoom.us/j/81234567890?pwd=X.&uname=a", WC "?pwd=X%2E"},
    {"https://zoom.us/j/81234567890?pwd=a%2Bb", WC "?pwd=a%2Bb"},
    {"https://zoom.us/j/81234567890?pwd=a+b", WC "?pwd=a+b"},
    {"https://zoom.us/j/81234567890?pwd=a/b", WC "?pwd=a%2Fb"},
    {"https://zoom.us/j/81234567890?pwd=p%40ss%21", WC "?pwd=p%40ss%21"},
    {"https://zoom.us/j/81234567890?pwd=abc&pwd=abc", WC "?pwd=abc"},
    {"https://zoom.us/j/81234567890?pwd=", WC},
    {"https://acme.zoom.us/w/81234567890?tk=Ab%2Bc%3D&pwd=abc",
     "https://acme.zoom.us/w/81234567890?pwd=abc&tk=Ab%2Bc%3D"},
    {"https://acme.zoom.us/w/81234567890?tk=Ab_c.DQ==&amp;pwd=abc",
     "https://acme.zoom.us/w/81234567890?pwd=abc&tk=Ab_c.DQ%3D%3D"},
    {TEAMS "?p=AbC).", TEAMS "?p=AbC"},
    {TEAMS "?anon=true&amp;p=AbC", TEAMS "?p=AbC"},
    {TEAMS "?p=a%2Bb", TEAMS "?p=a%2Bb"},
    {TEAMS "?p=", TEAMS},
    {TEAMS "?p=&anon=true", TEAMS},
    /* Teams */
    {"https://teams.microsoft.com/meet/235 987 654 321 0", TEAMS},
    {"https://teams.microsoft.com/meet/235%20987%20654%20321%200?p=AbC", TEAMS "?p=AbC"},
    {LIVE "93a-57_48?p=Q", LIVE "93a-57_48?p=Q"},
    {LIVE "93a-57_48", LIVE "93a-57_48"},
    {THREAD ").", THREAD},
};

static const struct {
    const char *url, *says;
} bad[] = {
    /* a secret that can't be kept is named */
    {"https://zoom.us/j/81234567890?pwd=a%20b", "pwd"},
    {"https://zoom.us/j/81234567890?pwd=a%0Ab", "pwd"},
    {"https://zoom.us/j/81234567890?pwd=a%26b", "pwd"},
    {"https://zoom.us/j/81234567890?pwd=%ff", "pwd"},
    {"https://zoom.us/j/81234567890?pwd=abc&pwd=abd", "pwd"},
    {"https://zoom.us/j/81234567890?jst=2?pwd=X", "pwd"},
    {"https://zoom.us/j/81234567890?jst=2;pwd=X", "pwd"},
    {"https://zoom.us/j/81234567890?jst=2%26pwd%3DX", "pwd"},
    {"https://zoom.us/j/81234567890#pwd=X", "pwd"},
    {"https://zoom.us/j/81234567890?PWD=X", "pwd"},
    {"https://acme.zoom.us/w/81234567890?tk=a%20b", "tk"},
    {"https://acme.zoom.us/w/81234567890#success?tk=ab", "tk"},
    {TEAMS "?p=a%20b", "'s p "},
    {TEAMS "?p=a&p=b", "'s p "},
    {TEAMS "#?p=AbC", "'s p "},
    {"https://zoom.us/j/81234567890?from=a Passcode: 123456", "behind the link"},
    {"https://zoom.us/j/81234567890 Passcode: 123456", "path is"},
    {"https://zoom.us/j/812-3456-7890", "path is"},
    {"https://zoom.us/j/812 34", "path is"},
    {"https://zoom.us/launch/edl/81234567890", "path is"},
    {"https://zoom.us/launch/jc/", "path is"},
    {"https://zoom.us/my/alice.?x=1", "path is"},
    {"https://zoomgov.com.evil.com/j/1612345678", "host"},
    {"https://xzoomgov.com/j/1612345678", "host"},
    /* whose? */
    {"812 3456 7890", "a number alone"},
    {"81234567890", "a number alone"},
    {"812-3456-7890", "a number alone"},
    {"abcdefghij", "host"},
    {"abc-defg-hijk", "host"},
    {"abc-d3fg-hij", "host"},
    {"https://abc-defg-hij/x", "host"},
    {"https://meet.google.com/abc-defg-hij/abc-defg-hij", "code"},
    {"Meeting: " MEET, ""},
    {MEET " and more", "code"},
    {MEET "(", "code"},
    /* wrappers that do not say where they lead */
    {"https://protect-us.mimecast.com/s/AbCdEfG?domain=zoom.us", "Mimecast"},
    {"https://url.uk.m.mimecastprotect.com/s/AbCdEfG?domain=teams.microsoft.com", "Mimecast"},
    {V3 "https://zoom.us/j/81234567890?pwd=YWJj**A__;PQ!!KEc8!HL4$", "target"},
    {V3 "https://zoom.us/j/81234567890?pwd=YWJj__;PT0!!KEc8!HL4$", "target"},
    {V3 "https://zoom.us/j/81234567890?pwd=YWJj***__;PT0!!KEc8!HL4$", "target"},
    {V3 "https://meet.google.com/abc-defg-hij", "target"},
    {V3 "https://evil.com/abc-defg-hij__;!!BeG!hsx$", "host"},
    {V3 "http://meet.google.com/abc-defg-hij__;!!BeG!hsx$", "https"},
    {V2 "https-3A__evil.com_j_1&d=x", "host"},
    {V2 "%ff", "target"},
    {"https://urldefense.proofpoint.com/v2/url?d=x", "target"},
    {"https://google.de/url?sa=D", "target"},
    {"https://google.evil.com/url?q=" MEET, "second URL"},
    {"https://google.com.evil/url?q=" MEET, "second URL"},
    {"https://google.de/search?q=" MEET, "second URL"},
    {"https://xsafelinks.protection.outlook.com/?url=" MEET, "second URL"},
    {"https://safelinks.protection.outlook.com.evil.com/?url=" MEET, "second URL"},
    {"https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.com", "host"},
    {"https://google.de/url?q=https://google.fr/url?q=" MEET, "second URL"},
    /* Teams: pages that are no meetings, and ids that are none */
    {"https://events.teams.microsoft.com/event/9d288ee7-6cdb-458d-9e87@84c31ca0-ac3b", "register"},
    {"https://events.teams.microsoft.us/event/9d288ee7-6cdb-458d-9e87@84c31ca0-ac3b", "register"},
    {"https://teams.microsoft.com/convene/townhalls?eventId=1&sessionId=2", "register"},
    {"https://teams.microsoft.com/registration/abc,def", "register"},
    {"https://teams.microsoft.com/meet/93a-57_48", "id after it"},
    {LIVE "93a.57", "id after it"},
    {"https://teams.microsoft.com/l/meetup-join/19:x@thread.v2/0)x", "thread"},
};

static void test_accepted(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *url = NULL, *again = NULL;
        g_test_message("%s", good[i].url);
        platform_check_url(good[i].url, NULL, &url, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(url, ==, good[i].canonical);
        g_assert_true(platform_check_url(url, NULL, &again, NULL));
        g_assert_cmpstr(again, ==, url);
    }
}

static void test_refused_with_what_to_do(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", bad[i].url);
        g_assert_false(platform_check_url(bad[i].url, NULL, NULL, &error));
        g_assert_error(error, PLATFORM_ERROR, PLATFORM_ERROR_URL);
        g_test_message("-> %s", error->message);
        g_assert_nonnull(strstr(error->message, bad[i].says));
        g_assert_null(platform_meeting_of_url(bad[i].url));
    }
}

static void test_one_meeting_whatever_the_link(void)
{
    static const char *const meetings[][6] = {
        {MEET, MEET "?authuser=0", MEET "/", "ABC-DEFG-HIJ", "https://google.de/url?q=" MEET},
        {"https://zoom.us/j/81234567890", "https://acme.zoom.us/j/81234567890?pwd=abc",
         "https://app.zoom.us/wc/81234567890", "https://acme.zoom.us/w/81234567890?tk=T1",
         "https://acme.zoom.com/j/812%203456%207890", "https://acme.zoom.us/s/81234567890"},
        {"https://zoom.us/j/81234567891"},
        {"https://acme.zoomgov.com/j/81234567890", "https://www.zoomgov.com/j/81234567890?pwd=a"},
        {"https://acme.zoom.us/my/alice", "https://acme.zoom.us/my/Alice?pwd=abc"},
        {"https://other.zoom.us/my/alice"},
        {TEAMS, TEAMS "?p=AbC", "https://teams.cloud.microsoft/meet/2359876543210"},
        {LIVE "2359876543210", LIVE "2359876543210?p=x"},
        {THREAD, THREAD "?context=%7B%22Tid%22%3A%221%22%7D",
         "https://teams.live.com/l/meetup-join/19%3Ameeting_Nz%40thread.v2/0"},
        {"https://teams.microsoft.com/l/meetup-join/19%3Ameeting_Nz%40thread.v2/1617"},
    };
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(meetings); i++) {
        g_autofree char *first = platform_meeting_of_url(meetings[i][0]);
        g_assert_nonnull(first);
        for (size_t k = 1; k < 6 && meetings[i][k] != NULL; k++) {
            g_autofree char *other = platform_meeting_of_url(meetings[i][k]);
            g_assert_cmpstr(other, ==, first);
        }
        g_assert_true(g_hash_table_add(seen, g_steal_pointer(&first)));
    }
}

static void test_no_secret_names_a_meeting(void)
{
    g_autofree char *zoom = platform_meeting_of_url("https://zoom.us/j/81234567890?pwd=SECRET");
    g_autofree char *teams = platform_meeting_of_url(TEAMS "?p=SECRET");
    g_assert_null(strstr(zoom, "SECRET"));
    g_assert_null(strstr(teams, "SECRET"));
}

static void test_there_are_many_cases(void)
{
    g_assert_cmpuint(G_N_ELEMENTS(good) + G_N_ELEMENTS(bad), >=, 140);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link_forms/accepted", test_accepted);
    g_test_add_func("/link_forms/refused_with_what_to_do", test_refused_with_what_to_do);
    g_test_add_func("/link_forms/one_meeting_whatever_the_link",
                    test_one_meeting_whatever_the_link);
    g_test_add_func("/link_forms/no_secret_names_a_meeting", test_no_secret_names_a_meeting);
    g_test_add_func("/link_forms/there_are_many_cases", test_there_are_many_cases);
    return g_test_run();
}
