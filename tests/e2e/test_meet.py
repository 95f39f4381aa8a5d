#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What only Google Meet does: sound that its page decodes itself, rooms whose devices share their
sound, people with two devices, the page in each wording that the two readings list; and a meeting of
25 people."""
import json

import harness
import band
import outcomes
import test_recording as recording
import test_views as views
from harness import check
from outcomes import matched

ALICE = outcomes.ALICE
ROOM = "Alice Martin, Bob Okafor"


def scenario(**keys):
    return {"platform": "meet", "duration_s": 60, "lobby": {"mode": "none"},
            "participants": [ALICE], **keys}


everywhere = outcomes.Everywhere("meet", scenario, ("button", "Join now"))


def rows_of(worker):
    return json.loads((worker.output / "participants.json").read_text())


def tone(at_s, for_s, hz=300):
    return {"at_s": at_s, "tone_hz": hz, "for_s": for_s}


# --- before the call ---

def walls_in_other_words(build):
    for wording, rule in (("old", "not_found/invalid_name"), ("british", "not_found/expired")):
        outcomes.failing(build, scenario(page={"variant": "not_found", "wording": wording}),
                         "meeting_error", "CannotJoinMeeting", "meeting_not_found", lobby=False,
                         after=matched(rule))


def bots_not_allowed(build):
    for wording, rule in (("new", "blocked/cannot_join"), ("old", "blocked/problem_connecting")):
        outcomes.failing(build, scenario(page={"variant": "blocked", "wording": wording}),
                         "meeting_error", "CannotJoinMeeting", "bots_not_allowed", lobby=False,
                         after=matched(rule))


def walls_that_say_why(build):
    """What looks like one refusal has several causes, and is named with all of them."""
    def says(rule, *words):
        def after(worker, meeting):
            matched(rule)(worker, meeting)
            message = worker.events()[-1]["message"]
            check(all(word in message for word in words), f"the message: {message}")
        return after

    for variant, after in (
            ("full", says("blocked/full", "the meeting is full")),
            ("blocked", says("blocked/cannot_join", "no guests", "sign-in has expired", "bot"))):
        outcomes.failing(build, scenario(page={"variant": variant}), "meeting_error",
                         "CannotJoinMeeting", "bots_not_allowed", lobby=False, after=after)


def nobody_has_begun_it(build):
    """A guest can't: the bot waits for the host, as in a lobby."""
    outcomes.failing(build, scenario(page={"variant": "cannot_create"}), "waiting_room_timeout",
                     "TimeoutWaitingToStart", "meeting_not_started_waiting_for_host",
                     automatic_leave={"noone_joined_timeout": 3},
                     after=matched("not_started/cannot_create"))


def name_as_the_page_takes_it(build):
    """A field of one line and of 60 characters: the bot joins by what it takes, and says what is lost."""
    def after(worker, meeting):
        took = ("Notes Bot " + "x" * 80)[:60]
        check(meeting.report()["bots"][0]["name"] == took, f"{meeting.report()['bots'][0]['name']}")
        told = [e["message"] for e in worker.events("warning") if e["code"] == "bot_name"]
        check(len(told) == 2 and "line breaks" in told[0] and '"' + "x" * 30 + '"' in told[1],
              f"warnings {told}")

    outcomes.recorded(build, scenario(), "recording_timeout", after=after,
                      sub_type="auto_leave_max_uptime_exceeded", bot_name="Notes\nBot " + "x" * 80,
                      automatic_leave={"max_duration": 2})


def denied_in_other_words(build):
    outcomes.failing(build, scenario(lobby={"mode": "deny", "after_s": 3}, page={"wording": "old"}),
                     "bot_rejected", "BotNotAccepted", "request_to_join_denied",
                     after=matched("denied/request_denied"))


def lobby_expires(build):
    """Meet itself gives up on a knock after a while."""
    outcomes.failing(build, scenario(lobby={"mode": "expire", "after_s": 3}),
                     "waiting_room_timeout", "TimeoutWaitingToStart",
                     "waiting_room_timeout_exceeded", after=matched("lobby_timeout/no_one_responded"))


# --- in the call ---

def in_other_words(wording, lobby, out, how, codes, rules):
    """Past the choice of an account and the lobby, a chat in the other field, an end in other words;
    what the chat says of ends, the bot's own message too, means nothing."""
    entry = "Hello, I record. You've been removed from the meeting: that is what I do not say."

    def after(worker, meeting):
        matched(*rules)(worker, meeting)
        bot = meeting.report()["bots"][0]
        check([c["text"] for c in bot["chat"]] == [entry], f"wrote {bot['chat']}")
        chat = [(e["name"], e["text"]) for e in worker.events("chat")]
        check(chat == [("Alice Martin", "The call ended")], f"read {chat}")

    def run(build):
        begin = outcomes.LOBBY + outcomes.JOINED[1:] if lobby else outcomes.JOINED
        outcomes.outcome(build, scenario(
            lobby={"mode": "admit", "after_s": 3} if lobby else {"mode": "none"},
            page={"wording": wording}, events=[{"at_s": 12, "do": out}],
            chat=[{"at_s": 6, "from": "alice", "text": "The call ended"}]),
            exit_code=0, end_reason=how, codes=begin + codes + ["call_ended", "complete"],
            after=after, entry_message=entry)
    run.__name__ = f"in_the_{wording}_words"
    return run


IN_OTHER_WORDS = [
    in_other_words("old", True, "remove_bot", "bot_removed", ["bot_removed"],
                   ["without_account/span", "dismiss/got_it", "name_field/only_text",
                    "join_button/ask", "lobby/asking", "removed/dialog"]),
    in_other_words("british", False, "end_meeting", "meeting_ended", [],
                   ["join_button/now", "ended/dialog"]),
    in_other_words("new", True, "end_meeting", "meeting_ended", [],
                   ["join_button/ask", "lobby/asking", "ended/dialog"])]


def entry_message_in_parts(build):
    """The chat shows late, and takes 500 characters at a time."""
    text = " ".join(f"This is sentence {i} of what the bot has to say." for i in range(25))
    outcomes.entry_message_arrives(build, scenario(page={"chat": "late"}), text, 3)


def entry_message_in_an_editor(build):
    """Which keeps blanks and lines in its own way."""
    outcomes.entry_message_arrives(build, scenario(page={"chat": "editor"}),
                                   "Two  blanks,\nand a second line", 1, seconds=8)


def in_a_language_without_rules(build):
    """An account's own: what has no language leads in, past a lobby whose text nobody knows and that
    shows some of the call's controls; the chat is written into, the list of people read."""
    def after(worker, meeting):
        matched("join_button/other_languages", "lobby_hint/leave", "leave_button/label")(worker,
                                                                                       meeting)
        bot = meeting.report()["bots"][0]
        check([c["text"] for c in bot["chat"]] == ["Guten Tag"], f"wrote {bot['chat']}")
        check(bot["how_left"] == "left", f"{bot['how_left']}")
        check("Alice, Bob" in {e["name"] for e in worker.events("participant")},
              f"the list was not read: {worker.events('participant')}")

    outcomes.outcome(build, scenario(
        lobby={"mode": "admit", "after_s": 9}, page={"wording": "german"}, participants=[
            {"id": "alice", "name": "Alice", "room": "den"},
            {"id": "bob", "name": "Bob", "room": "den"}]),
        exit_code=0, end_reason="recording_timeout", sub_type="auto_leave_max_uptime_exceeded",
        codes=outcomes.LOBBY + outcomes.JOINED[1:] + ["call_ended", "complete"], after=after,
        entry_message="Guten Tag", automatic_leave={"max_duration": 15})


# --- rooms, and people with two devices ---

def check_room(result, receivers, joined_s, tolerance_s):
    """Everybody once: in the list of participants, the live lists and the count of the company."""
    rows = rows_of(result.worker)
    ids = {row["name"]: row["id"] for row in rows}
    check(sorted(ids) == sorted(["Alice Martin", ROOM, "Bob Okafor", "Cleo"]) and len(rows) == 4,
          f"participants {rows}")
    room = next(row for row in rows if row["name"] == ROOM)
    check(room["members"] == [ids["Alice Martin"], ids["Bob Okafor"]], f"{room}")
    check(not any("members" in row for row in rows if row is not room), f"{rows}")
    check(abs(room["left_s"] - result.to_recording(10)) < 1.5, f"the room ended at {room['left_s']}")
    names = [sorted(r["name"] for r in rows) for _, rows in receivers.sockets[0].speakers()]
    check(sorted([ROOM, "Cleo"]) in names, f"lists {names}")
    for listed in names:
        check(not (ROOM in listed and {"Alice Martin", "Bob Okafor"} & set(listed)),
              f"somebody is listed twice: {listed}")
    said = {}
    for who, start, end in result.diarization():
        if start > joined_s:
            said[who] = said.get(who, 0) + end - start
    check(said.keys() == {ROOM, "Cleo", "Alice Martin"}, f"speakers {said}")
    for who, seconds in ((ROOM, 3), ("Cleo", 1), ("Alice Martin", 1.5)):
        check(abs(said[who] - seconds) < tolerance_s, f"{who} for {said[who]:.1f} s of {seconds}")


def merged_room(wording, audio):
    """Two devices in one room: what either hears is said by both, until one of them goes."""
    @harness.takes(0.5)
    def run(build):
        setting = scenario(duration_s=13, wire={"audio": audio}, page={"wording": wording},
                           participants=[
            {"id": "alice", "name": "Alice Martin", "room": "den",
             "speech": [tone(6.2, 1.5), tone(11, 1.5)]},
            {"id": "bob", "name": "Bob Okafor", "room": "den", "leave_s": 10,
             "speech": [tone(8, 1.5, 500)]},
            {"id": "cleo", "name": "Cleo", "speech": [tone(9.8, 1, 700)]}])
        for result, receivers in recording.run(build, setting, stream=True,
                                               recording_mode="audio_only"):
            joined = [e for e in result.worker.events("participant") if e["name"] == ROOM]
            check([e["op"] for e in joined] == ["joined", "left"], f"the room {joined}")
            joined_s = (joined[0]["time"] - result.metadata["recording_started_unix_ms"]) / 1000
            check(joined_s < result.to_recording(6.2), f"it was known after {joined_s:.1f} s")
            # What a page marks lasts a little longer than the word.
            check_room(result, receivers, joined_s, 0.6 if audio == "receiver" else 1)
    run.__name__ = f"merged_room_in_the_{wording}_words"
    return run


@harness.takes(0.5)
def companion_is_nobody_else(build):
    """What it shares is the person's second picture; when she goes, the bot is alone."""
    people = [{**ALICE, "speech": [tone(1, 6)], "camera": "pattern:ball", "leave_s": 8},
              {"id": "second", "companion_of": "alice", "join_s": 1, "leave_s": 8, "screen": [
                  {"from_s": 2, "to_s": 6, "source": "pattern:smpte"}]}]

    def after(worker, meeting):
        result = harness.Run(meeting.report(), worker)
        told = [(e["op"], e["name"]) for e in worker.events("participant")]
        check(told == [("joined", "Alice Martin"), ("left", "Alice Martin")], f"told {told}")
        check(len(rows_of(worker)) == 1, f"{rows_of(worker)}")
        check({who for who, _, _ in result.diarization()} == {"Alice Martin"},
              f"{result.diarization()}")
        shown = recording.pictures(result.recording())
        during = [who for t, who, _ in shown
                  if result.to_recording(3.5) < t < result.to_recording(5.5)]
        number = result.number_of("second") + band.SCREEN
        check(during.count(number) > 0.9 * len(during) > 5, f"the screen {number}: {set(during)}")
        before = {who for t, who, _ in shown if t < result.to_recording(1.9) and who}
        check(before <= {result.number_of("alice")}, f"before it: {before}")

    outcomes.recorded(build, scenario(participants=people), "no_attendees", after=after,
                      sub_type="auto_leave_only_participant_in_meeting",
                      automatic_leave={"alone_timeout": 2})


# --- sound that the page decodes itself ---

def decoded_by_the_page(audio):
    """Nothing names who speaks but the tiles' marks; who is there comes by the wire as ever."""
    @harness.takes(0.5)
    def run(build):
        setting = {**recording.first_turns(camera=None), "wire": {"audio": audio}}
        for result, _ in recording.run(build, setting, recording_mode="audio_only"):
            recording.check_diarization(result)
            joined = sorted(e["name"] for e in result.worker.events("participant")
                            if e["op"] == "joined")
            check(joined == ["Alice Martin", "Bob Okafor", "Carol Nguyễn"], f"joined {joined}")
    run.__name__ = f"decoded_by_the_page_into_the_{audio}"
    return run


# --- many people ---

def check_25_tiles(result):
    """Each in a tile of their own, always the same one, 5 by 5."""
    rects = [views.fit(256 * (i % 5) + 2, 144 * (i // 5) + 2, 252, 140) for i in range(25)]
    frames = [gray for t, gray in band.frames(str(result.recording()), 8, 3)]
    seen = [{found[0] for gray in frames for found in [views.read(gray, rect)] if found}
            for rect in rects]
    check(all(len(people) == 1 for people in seen), f"tiles show {seen}")
    check(len(set.union(*seen)) == 25, f"tiles show {sorted(set.union(*seen))}")


@harness.takes(1)
def meeting_of_25(build):
    """Names, speakers and tiles of 25 people; three of them speak, one after the other."""
    setting = recording.three_of_25(camera={"source": "pattern:webcam", "width": 320, "height": 180,
                                            "fps": 15})
    for result, _ in recording.run(build, setting, recording_mode="gallery_view"):
        harness.measured()
        expected = {p["name"] for p in result.report["participants"]}
        check({row["name"] for row in rows_of(result.worker)} == expected
              and len(rows_of(result.worker)) == 25, f"{rows_of(result.worker)}")
        harness.check_decodes(result.recording())
        recording.check_diarization(result)
        check_25_tiles(result)


TESTS = [walls_in_other_words, walls_that_say_why, nobody_has_begun_it,
         name_as_the_page_takes_it, bots_not_allowed, denied_in_other_words, lobby_expires,
         everywhere.wording_mended_by_a_file, *IN_OTHER_WORDS,
         entry_message_in_parts, entry_message_in_an_editor, in_a_language_without_rules, merged_room("new", "receiver"),
         merged_room("old", "element"), merged_room("british", "receiver"),
         companion_is_nobody_else, decoded_by_the_page("element"), decoded_by_the_page("context"),
         meeting_of_25]

if __name__ == "__main__":
    harness.main(TESTS)
