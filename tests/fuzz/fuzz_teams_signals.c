/* SPDX-License-Identifier: Apache-2.0 */
/* Teams' signals of every kind, and what roster and voices make of them. */
#include "platforms/teams/calls.h"
#include "platforms/teams/voices.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_participant(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data)
{
    g_assert_true(g_utf8_validate(participant->name, -1, NULL));
    g_assert_true(g_utf8_validate(participant->platform_id, -1, NULL));
    g_assert_true(*participant->platform_id != '\0' && *participant->name != '\0');
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    g_assert_nonnull(source->platform_id);
}

static void on_update(const TeamsParticipant *participant, gpointer roster)
{
    teams_roster_participant(roster, participant);
}

static void on_endpoint(const char *id, const TeamsEndpoint *endpoint, gpointer roster)
{
    teams_roster_endpoint(roster, id, endpoint);
}

static void on_end(const TeamsConversationEnd *end, gpointer roster)
{
    teams_roster_is_self(roster, end->sender_id != NULL ? end->sender_id : "");
}

static TeamsVoices voices;

static void on_dominant(const int64_t *source_ids, unsigned n, gpointer roster)
{
    g_assert_cmpuint(n, <=, TEAMS_MAX_SPEAKERS);
    teams_voices_dominant(&voices, source_ids, n, 1);
}

static void on_caption(const char *user_id, bool is_final, gpointer roster)
{
    teams_voices_caption(&voices, roster, user_id, 1);
}

static void on_subscription(int64_t source_id, const char *stream, gpointer roster)
{
    teams_roster_subscription(roster, source_id, stream);
}

static TeamsCalls *calls;

static void on_roster_call(const char *call_id, gpointer roster)
{
    g_assert_true(*call_id != '\0' && g_utf8_validate(call_id, -1, NULL));
    teams_calls_note_roster(calls, call_id);
    g_assert_true(teams_calls_is_ours(calls, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const TeamsRosterEvents events = {on_participant, on_source};
    static const TeamsSignalsSink sink = {on_endpoint, on_update,       on_end,        on_dominant,
                                          on_caption,  on_subscription, on_roster_call};
    g_autoptr(TeamsRoster) roster = teams_roster_new("Steno", &events, NULL);
    teams_voices_init(&voices);
    calls = teams_calls_new();
    teams_roster_track(roster, 1, NULL);
    teams_signals_parse_trouter(data, size, &sink, roster, NULL);
    /* In its envelopes, so that the fuzzer need not find out how to spell them. */
    g_autofree char *base64 = g_base64_encode(data, size);
    g_autofree char *frame =
        g_strdup_printf("3:::{\"url\":\"/rosterUpdate/\",\"body\":\"%s\"}", base64);
    teams_signals_parse_trouter(frame, strlen(frame), &sink, roster, NULL);
    teams_signals_parse_snapshot(data, size, &sink, roster);
    teams_signals_parse_channel(data, size, &sink, roster, NULL);
    g_autofree char *name = g_utf8_make_valid((const char *)data, (gssize)MIN(size, 100));
    if (*name != '\0') { /* as the page's JSON has it */
        teams_roster_shown(roster, name, size % 2 == 0);
        teams_roster_unshown(roster, name);
    }
    g_autoptr(MediaEncodedFrame) packet =
        media_encoded_frame_new(MEDIA_CODEC_OPUS, g_bytes_new_static("x", 1));
    uint32_t who[MEDIA_MAX_CSRCS];
    uint8_t n;
    teams_voices_attribute(&voices, roster, packet, who, &n);
    g_assert_cmpuint(n, <=, 1);
    g_clear_pointer(&calls, teams_calls_free);
    return 0;
}
