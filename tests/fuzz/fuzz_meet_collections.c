/* SPDX-License-Identifier: Apache-2.0 */
/* Roster messages of both kinds, and what the roster makes of them. */
#include "platforms/meet/roster.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_participant(PlatformParticipantOp op, const PlatformParticipant *participant,
                           gpointer user_data)
{
    g_assert_true(g_utf8_validate(participant->name, -1, NULL));
    g_assert_true(*participant->platform_id != '\0');
}

static void on_source(const PlatformSource *source, gpointer user_data)
{
    g_assert_nonnull(source->platform_id);
}

static void on_user(const MeetUser *user, gpointer roster)
{
    meet_roster_user(roster, user);
}

static void on_output(const MeetOutput *output, gpointer roster)
{
    meet_roster_output(roster, output);
}

static void on_chat(const MeetChat *chat, gpointer roster)
{
    g_assert_true(g_utf8_validate(chat->text, -1, NULL));
    meet_roster_name(roster, chat->device);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const MeetRosterEvents events = {on_participant, on_source};
    static const MeetCollectionsSink sink = {on_user, on_output, on_chat};
    g_autoptr(MeetRoster) roster = meet_roster_new(&events, NULL);
    meet_collections_parse(data, size, &sink, roster, NULL);
    /* As base64, so that the fuzzer need not find out how to spell it. */
    g_autofree char *text = g_base64_encode(data, size);
    meet_roster_begin_sync(roster);
    meet_collections_parse_sync(text, strlen(text), &sink, roster, NULL);
    meet_roster_end_sync(roster);
    meet_collections_parse_sync(data, size, &sink, roster, NULL);
    return 0;
}
