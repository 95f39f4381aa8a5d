#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Zoom in a real Chromium: every way a bot can end there, in each client and wording that the two
readings of the platform list, who is there and who spoke, by what the page shows alone, and sound that
the page decodes itself."""
import json
import tempfile

import harness
import outcomes
import test_recording as recording
from harness import check
from outcomes import matched, rules_of, warnings_of

ALICE = outcomes.ALICE


def scenario(**keys):
    return {"platform": "zoom", "duration_s": 60, "lobby": {"mode": "none"},
            "participants": [ALICE], **keys}


everywhere = outcomes.Everywhere("zoom", scenario, ("button:not([disabled])", "Join"))


# --- before the call ---

def denied(build):
    for wording, rule in (("new", "denied/removed"), ("old", "denied/denied")):
        outcomes.failing(build, scenario(lobby={"mode": "deny", "after_s": 3},
                                         page={"wording": wording}),
                         "bot_rejected", "BotNotAccepted", "request_to_join_denied",
                         after=matched(rule))


def lobby_ignored(build):
    """In a frame of the page; the knock is taken back with the lobby's own button."""
    def after(worker, meeting):
        bots = [b for b in meeting.report()["bots"] if b["name"]]
        check(len(bots) == 1 and bots[0]["name"] == worker.name, f"knocked {bots}")
        check(bots[0]["how_left"] == "left", f"the knock was not taken back: {bots[0]}")

    outcomes.failing(build, scenario(lobby={"mode": "ignore"}, page={"frame": True}),
                     "waiting_room_timeout", "TimeoutWaitingToStart",
                     "waiting_room_timeout_exceeded", after=after,
                     automatic_leave={"waiting_room_timeout": 4})


def host_absent(build):
    """A lobby that says so; a page that has to be loaded again, which may say that the link is
    invalid."""
    for page, rule, warned in (({}, "host_absent/waiting", 0),
                               ({"wording": "old", "quirks": ["error_page"]},
                                "not_started/title", 1)):
        def after(worker, meeting):
            matched(rule)(worker, meeting)
            check(warnings_of(worker).count("not_started") == warned, f"{warnings_of(worker)}")

        outcomes.failing(build, scenario(lobby={"mode": "host_absent"}, page=page),
                         "waiting_room_timeout", "TimeoutWaitingToStart",
                         "meeting_not_started_waiting_for_host", after=after,
                         automatic_leave={"noone_joined_timeout": 4})


def host_arrives(build):
    """The page is loaded until the meeting is there; then the way in is gone through anew."""
    def after(worker, meeting):
        matched("not_started/title", "name_field/old")(worker, meeting)
        check(meeting.report()["bots"][-1]["name"] == worker.name, "another name")

    with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder:
        outcomes.outcome(build, scenario(lobby={"mode": "host_absent", "after_s": 3},
                                         page={"wording": "old"},
                                         events=[{"at_s": 6, "do": "end_meeting"}]),
                         exit_code=0, end_reason="meeting_ended", after=after,
                         codes=outcomes.LOBBY + outcomes.JOINED[1:] + ["call_ended", "complete"],
                         env=everywhere.hasty_rules(folder, reload_ms=1500))


def not_found(build):
    for wording, rule in (("new", "not_found/invalid_link"), ("old", "not_found/invalid_id")):
        outcomes.failing(build, scenario(page={"variant": "not_found", "wording": wording}),
                         "meeting_error", "CannotJoinMeeting", "meeting_not_found", lobby=False,
                         after=matched(rule))


def login_required(build):
    for wording, rule in (("new", "login_required/sign_in"), ("old", "login_required/sign_in"),
                          ("british", "login_required/commercial")):
        quirks = ["other_texts"] if wording == "old" else []
        outcomes.failing(build, scenario(page={"variant": "login_required", "wording": wording,
                                               "quirks": quirks}),
                         "meeting_error", "CannotJoinMeeting", "login_required", lobby=False,
                         after=matched(rule))


def captcha(build):
    """Its words, and its frame without any: not the one that asks for nothing."""
    for quirks, rule in (([], "captcha/button"), (["captcha_anchor"], "captcha/frame")):
        def after(worker, meeting):
            matched(rule, "join_button/preview")(worker, meeting)

        outcomes.failing(build, scenario(page={"variant": "captcha", "quirks": quirks}),
                         "meeting_error", "CannotJoinMeeting", "blocked_by_captcha", lobby=False,
                         after=after)


def bots_not_allowed(build):
    """Both apostrophes, and the other words for it: final, after one attempt."""
    for wording, quirks, rule in (("new", [], "blocked/no_bots"),
                                  ("british", [], "blocked/no_bots"),
                                  ("old", ["bot_wall"], "blocked/may_be_a_bot")):
        def after(worker, meeting):
            matched(rule)(worker, meeting)
            check(list((worker.output / "screenshots").glob("*bots_not_allowed*.png")), "no picture")
            check(sum(b["knocks"] for b in meeting.report()["bots"]) == 0, "knocked again")

        outcomes.failing(build, scenario(page={"variant": "blocked", "wording": wording,
                                               "quirks": quirks}),
                         "meeting_error", "CannotJoinMeeting", "bots_not_allowed", lobby=False,
                         after=after)


def passcode(build):
    """Right, it joins; wrong, missing, or longer than the field, the meeting is not found; it stands
    in no log."""
    def after(worker, meeting):
        matched("passcode_field/id")(worker, meeting)
        check("AbC123" not in worker.process.log_path.read_text(), "the passcode is in the log")
        check("AbC123" not in (worker.output / "events.ndjson").read_text(), "it is in the events")

    outcomes.recorded(build, scenario(page={"passcode": "right"},
                                      events=[{"at_s": 6, "do": "end_meeting"}]),
                      "meeting_ended", after=after)
    for page, rule in (({"passcode": "wrong", "quirks": ["other_texts"]}, "passcode_wrong/wrong"),
                       ({"passcode": "wrong", "quirks": ["short_passcode"]}, "passcode_field/id"),
                       ({"passcode": "missing"}, "passcode_field/id")):
        outcomes.failing(build, scenario(page=page), "meeting_error", "CannotJoinMeeting",
                         "meeting_not_found", lobby=False, after=matched(rule))


def passcode_that_the_field_does_not_take(build):
    """A link's token of 30 characters, a field of 10: it ends, and says why."""
    def after(worker, meeting):
        matched("passcode_field/id")(worker, meeting)
        message = worker.events()[-1]["message"]
        check("does not take the passcode in the link" in message, f"the message: {message}")

    outcomes.failing(build, scenario(page={"passcode": "right", "quirks": ["short_passcode"]}),
                     "meeting_error", "CannotJoinMeeting", "meeting_not_found", lobby=False,
                     after=after)


# --- in the call ---

def admitted_through_everything(build):
    """A registrant's link on the organizer's own host: launcher, cookies, prompts that do not go
    away, a disclaimer, fields that take only keys, a passcode, the lobby, one more for the sound."""
    def after(worker, meeting):
        matched("without_account/launch", "without_account/browser", "dismiss/cookies_text",
                "without_account/no_devices", "dismiss/terms", "name_field/old", "passcode_field/id", "join_button/preview",
                "lobby/let_in", "consent/join_audio")(worker, meeting)
        bot = meeting.report()["bots"][-1]
        closed = [d["what"] for d in bot["dialogs"]]
        check("cookies: accepted" in closed and "disclaimer: Agree" in closed, f"closed {closed}")
        check(bot["name"] == worker.name, f"another name: {bot['name']}")

    outcomes.outcome(build, scenario(lobby={"mode": "admit", "after_s": 3},
                                     page={"ui": "full", "wording": "old", "no_devices": True,
                                           "passcode": "right", "quirks": ["other_texts"]},
                                     events=[{"at_s": 6, "do": "end_meeting"}]),
                     exit_code=0, end_reason="meeting_ended", after=after, bot_name="Zoë «Steno» 2",
                     codes=outcomes.LOBBY + outcomes.JOINED[1:] + ["call_ended", "complete"])


def meeting_ended(build):
    """In a dialog, in other words, and by a page that goes away."""
    for page, rule in (({}, "ended/screen"),
                       ({"wording": "old", "quirks": ["other_texts"]}, "ended/screen"),
                       ({"quirks": ["redirected"]}, "ended_page/front_page")):
        outcomes.recorded(build, scenario(events=[{"at_s": 6, "do": "end_meeting"}], page=page),
                          "meeting_ended", after=matched(rule))


def removed(build):
    for wording, quirks in (("new", []), ("old", ["other_texts"])):
        outcomes.recorded(build, scenario(events=[{"at_s": 6, "do": "remove_bot"}],
                                          page={"wording": wording, "quirks": quirks}),
                          "bot_removed", ["bot_removed"], after=matched("removed/screen"))


def refused_in_the_call(build):
    """"Bots aren't allowed", said only now, is taken as being put out."""
    outcomes.recorded(build, scenario(events=[
        {"at_s": 6, "do": "show_dialog", "name": "no_bots"}]), "bot_removed", ["bot_removed"],
        after=matched("removed/no_bots"))


def maximum_duration(build):
    """Out of a frame, by the button, and by the one that asks whether that is meant."""
    everywhere.maximum_duration(build, page={"frame": True})


@harness.takes(1)
def speaks(build):
    """Out of a frame too."""
    everywhere.speaks(build, page={"frame": True})


def network_back_in_time(build):
    """A network that is away for three seconds ends nothing, and sound comes again afterwards."""
    talk = {**ALICE, "speech": [{"at_s": 1, "tone_hz": 300, "for_s": 22}]}

    def after(worker, meeting):
        result = outcomes.check_recorded_until(worker, meeting, 23.5)
        ends = [end for _, _, end in result.diarization()]
        check(max(ends) > result.to_recording(20),
              f"nothing was heard after the network came back: {ends}")

    outcomes.recorded(build, scenario(participants=[talk], events=[
        {"at_s": 6, "do": "drop_network"}, {"at_s": 9, "do": "restore_network"},
        {"at_s": 23.5, "do": "end_meeting"}]), "meeting_ended", after=after)


def chat_both_ways(build):
    """With a button and without; words of the chat, the bot's own too, end nothing."""
    entry = "Hello, I record. You have been removed from the meeting: that is what I do not say."
    for wording in ("new", "old"):
        def after(worker, meeting):
            bot = meeting.report()["bots"][-1]
            check([c["text"] for c in bot["chat"]] == [entry], f"wrote {bot['chat']}")
            chat = [(e["name"], e["text"]) for e in worker.events("chat")]
            check(chat == [("Alice Martin", "This meeting has ended"), ("Alice Martin", "Really?")],
                  f"read {chat}")

        outcomes.recorded(build, scenario(
            page={"wording": wording, "frame": wording == "old"},
            events=[{"at_s": 15, "do": "end_meeting"}],
            chat=[{"at_s": 6, "from": "alice", "text": "This meeting has ended"},
                  {"at_s": 7.5, "from": "alice", "text": "Really?"}]),
            "meeting_ended", after=after, entry_message=entry)


def dialogs(build):
    """Consent is given, an unknown dialog photographed, a refusal of recording obeyed."""
    events = [{"at_s": 1 + i, "do": "show_dialog", "name": name} for i, name in
              enumerate(["recorded", "transcribed", "unknown"])]

    def after(worker, meeting):
        closed = [d["what"] for d in meeting.report()["bots"][-1]["dialogs"]]
        for what in ("recorded: Got it", "transcribed: OK", "unknown: Close"):
            check(what in closed, f"{what} did not happen: {closed}")
        check(warnings_of(worker).count("unknown_dialog") == 1, f"{warnings_of(worker)}")
        pictures = list((worker.output / "screenshots").glob("*dialog*.png"))
        check(len(pictures) == 1, f"pictures of the unknown dialog: {pictures}")

    outcomes.recorded(build, scenario(events=events + [{"at_s": 8, "do": "deny_recording"},
                                                       {"at_s": 16, "do": "end_meeting"}]),
                      "meeting_ended", ["recording_paused"], sub_type="host_denied_permission",
                      after=after)


# --- who is there, and who spoke ---

def who_is_there(build):
    """Names, the host and who came and went, from the list; incoming pictures off for audio only."""
    people = [ALICE, {"id": "bob", "name": "Bob (Host)", "join_s": 2, "leave_s": 10},
              {"id": "cleo", "name": "Cleo", "muted": True, "camera": "pattern:ball"},
              {"id": "dan", "name": "Dan (me)"}]
    for result, _ in recording.run(build, scenario(duration_s=16, participants=people),
                                   recording_mode="audio_only"):
        told = sorted((e["op"], e["name"], e["is_host"])
                      for e in result.worker.events("participant") if e["op"] != "updated")
        check(told == [("joined", "Alice Martin", True), ("joined", "Bob (Host)", False),
                       ("joined", "Cleo", False), ("joined", "Dan (me)", False),
                       ("left", "Bob (Host)", False)], f"told {told}")
        check("video_off_button/incoming" in rules_of(result.worker), f"{rules_of(result.worker)}")
        check("video_not_tapped" not in warnings_of(result.worker), f"{warnings_of(result.worker)}")


def pictures_are_tiles(build):
    """When the page is not to be photographed, there are no pictures: that is said, and the video has
    tiles and sound."""
    people = [{**ALICE, "camera": "pattern:ball"}]
    for result, _ in recording.run(build, scenario(duration_s=8, participants=people),
                                   recording={"capture": "tap"}):
        check(warnings_of(result.worker).count("video_not_tapped") == 1,
              f"{warnings_of(result.worker)}")
        harness.check_decodes(result.recording())
        probe = harness.ffprobe(result.recording())
        lengths = [harness.stream_s(probe, kind) for kind in ("video", "audio")]
        check(min(lengths) > result.to_recording(7.5) and abs(lengths[0] - lengths[1]) < 0.1,
              f"video and audio of a meeting of 8 s: {lengths}, from {result.offset_s:.2f} s on")
        shown = {who for _, who, _ in recording.pictures(result.recording())}
        check(shown == {None}, f"somebody's picture shows: {shown}")


def told_by(build, limit, **keys):
    setting = {**recording.first_turns(camera=None), "platform": "zoom", **keys}
    for result, _ in recording.run(build, setting, recording_mode="audio_only"):
        recording.check_diarization(result, limit)
        check(not any(code.startswith("audio") for code in warnings_of(result.worker)),
              f"{warnings_of(result.worker)}")


@harness.takes(0.5)
def told_by_the_gallery(build):
    """Sound through an audio element; the gallery marks who speaks."""
    told_by(build, 0.10)


@harness.takes(0.5)
def told_by_the_speaker_view(build):
    """In a frame, sound into the audio context itself; the speaker's frame tells."""
    told_by(build, 0.15, wire={"audio": "context"}, page={"wording": "old", "frame": True})


def two_turns(build, **keys):
    """Alice, then somebody whose name is like a word of the list, three seconds each; nothing is heard
    twice, and nobody else."""
    setting = scenario(duration_s=12, participants=[
        {"id": "alice", "name": "Alice Martin", "speech": [{"at_s": 3, "tone_hz": 300, "for_s": 3}]},
        {"id": "bob", "name": "Okafor, muted", "speech": [{"at_s": 7, "tone_hz": 500, "for_s": 3}]}],
        **keys)
    for result, _ in recording.run(build, setting, recording_mode="audio_only"):
        for name in ("Alice Martin", "Okafor, muted"):
            named = sum(e - s for who, s, e in result.diarization() if who == name)
            check(2 < named < 4, f"{name} is named for {named:.1f} s of 3: {result.diarization()}")
        rows = json.loads((result.worker.output / "participants.json").read_text())
        check(sorted(r["name"] for r in rows) == ["Alice Martin", "Okafor, muted"], f"{rows}")
        check(not any(code.startswith("audio") for code in warnings_of(result.worker)),
              f"{warnings_of(result.worker)}")


@harness.takes(0.5)
def told_by_a_single_frame(build):
    """One frame is all that shows; names come from the list."""
    two_turns(build, page={"wording": "british"})


@harness.takes(0.5)
def quiet_gallery(build):
    """It marks nobody: the bot goes to the speaker view, which does."""
    setting = scenario(duration_s=17, page={"quirks": ["quiet_gallery"]}, participants=[
        {"id": "alice", "name": "Alice Martin", "speech": [{"at_s": 11, "tone_hz": 300, "for_s": 4}]},
        {"id": "bob", "name": "Bob Okafor"}])
    for result, _ in recording.run(build, setting, recording_mode="audio_only"):
        named = sum(e - s for who, s, e in result.diarization() if who == "Alice Martin")
        check(3 < named < 5, f"Alice is named for {named:.1f} s of 4: {result.diarization()}")


@harness.takes(0.5)
def sound_by_a_receiver(build):
    """Should the client use WebRTC for its sound, it is tapped."""
    two_turns(build, wire={"audio": "receiver"})


@harness.takes(0.5)
def meeting_of_25(build):
    """Names and speakers of 25 people; three of them speak, one after the other."""
    setting = {**recording.three_of_25(camera=None), "platform": "zoom"}
    for result, _ in recording.run(build, setting, recording_mode="audio_only"):
        rows = json.loads((result.worker.output / "participants.json").read_text())
        expected = {p["name"] for p in result.report["participants"]}
        check({r["name"] for r in rows} == expected, f"{len(rows)} names of {len(expected)}")
        recording.check_diarization(result, 0.10)


@harness.takes(0.5)
def live_client(build):
    """As the client was seen live: its device prompt leaves the bot without sound, a button joins it,
    which says "Audio" before and after; names in another place, chat rows with ids. Two people have
    one name: their pictures' numbers tell them apart."""
    setting = scenario(duration_s=24, page={"quirks": ["live_call", "device_prompt"]}, participants=[
        {"id": "first", "name": "Kim Lee", "camera": "pattern:ball"},
        {"id": "second", "name": "Kim Lee", "camera": "pattern:ball",
         "speech": [{"at_s": 14, "tone_hz": 300, "for_s": 5}]}],
        chat=[{"at_s": 12, "from": "second", "text": "Hello"}])
    for result, _ in recording.run(build, setting, recording={"capture": "tap"}):
        harness.measured()
        matched("without_account/no_devices", "join_audio/label")(result.worker, None)
        closed = [d["what"] for d in result.bot["dialogs"]]
        check(closed.count("audio: pressed") == 2, f"pressed {closed}")
        check("no_sound" not in warnings_of(result.worker), f"{warnings_of(result.worker)}")
        mic = [m["state"] for m in result.bot["mic"] if m["state"].startswith("mic")]
        check(mic[-1:] in ([], ["mic off"]), f"the microphone: {mic}")
        rows = json.loads((result.worker.output / "participants.json").read_text())
        check([r["name"] for r in rows] == ["Kim Lee"] * 2, f"{rows}")
        named = sum(e - s for who, s, e in result.diarization() if who == "Kim Lee")
        check(4 < named < 6, f"named for {named:.1f} s of 5: {result.diarization()}")
        speakers = {e["id"] for e in result.worker.events("speech")}
        check(len(speakers) == 1, f"spoke: {speakers}")
        chat = [(e["id"], e["name"], e["text"]) for e in result.worker.events("chat")]
        check(chat == [(*speakers, "Kim Lee", "Hello")], f"read {chat}, spoke: {speakers}")


def without_sound(build):
    """No button brings any: it is said, once. What a dialog invites to is not accepted."""
    events = [{"at_s": 6 + 2 * i, "do": "show_dialog", "name": name} for i, name in
              enumerate(["breakout", "unmute", "breakout_only"])]

    def after(worker, meeting):
        done = [d["what"] for d in meeting.report()["bots"][-1]["dialogs"]]
        check({"breakout: Later", "unmute: Stay Muted"} <= set(done), f"{done}")
        check(not {"breakout: Join Room", "breakout_only: Join Room", "unmute: Unmute"} & set(done),
              f"accepted: {done}")
        check(warnings_of(worker).count("no_sound") == 1, f"{warnings_of(worker)}")
        check(done.count("audio: pressed") >= 4, f"{done}")

    outcomes.recorded(build, scenario(events=events + [{"at_s": 34, "do": "end_meeting"}],
                                      page={"quirks": ["no_sound"]}), "meeting_ended", after=after)


def nobody_is_guessed(build):
    """Nothing marks who speaks: the voice is a numbered person's, and it is still speech. So it is
    when two people have the speaker's name."""
    talker = outcomes.LATE_TALKER
    twin = {"id": "twin", "name": "Alice Martin"}
    for keys in ({"wire": {"tells": "nothing"}, "participants": [talker]},
                 {"participants": [talker, twin]}):
        for result, _ in recording.run(build, scenario(duration_s=16, **keys),
                                       recording_mode="audio_only"):
            names = {who for who, _, _ in result.diarization()}
            check(names and "Alice Martin" not in names, f"guessed {names}")
            rows = json.loads((result.worker.output / "participants.json").read_text())
            wanted = len(keys["participants"])
            n = sum(row["name"] == "Alice Martin" for row in rows)
            check(n == wanted, f"{n} of that name, not {wanted}: {rows}")


@harness.takes(0.5)
def known_by_tiles_alone(build):
    """The list does not open: names and speakers come from the tiles. The menu for pictures lies
    below a group of its name, which does nothing."""
    setting = scenario(duration_s=16, wire={"roster": "nothing"}, page={"quirks": ["live_call"]},
                       participants=[{"id": "alice", "name": "Alice Martin", "speech": [
                           {"at_s": 10, "tone_hz": 300, "for_s": 4}]},
                           {"id": "bob", "name": "Bob Okafor"}])
    for result, _ in recording.run(build, setting, recording_mode="audio_only"):
        matched("video_off_button/incoming")(result.worker, None)
        joined = sorted(e["name"] for e in result.worker.events("participant")
                        if e["op"] == "joined")
        check(joined == ["Alice Martin", "Bob Okafor"], f"joined {joined}")
        named = sum(e - s for who, s, e in result.diarization() if who == "Alice Martin")
        check(3 < named < 5, f"Alice is named for {named:.1f} s of 4: {result.diarization()}")


TESTS = [denied, lobby_ignored, host_absent, host_arrives, not_found, login_required, captcha,
         bots_not_allowed, passcode, passcode_that_the_field_does_not_take,
         admitted_through_everything,
         everywhere.wording_mended_by_a_file, meeting_ended, removed, refused_in_the_call,
         everywhere.nobody_joined, everywhere.alone_again, everywhere.silence, maximum_duration,
         everywhere.leave_from_the_lobby, everywhere.page_frozen, everywhere.page_crashed,
         everywhere.network_lost, network_back_in_time, chat_both_ways, dialogs, who_is_there,
         pictures_are_tiles, nobody_is_guessed, without_sound, known_by_tiles_alone, live_client, speaks, told_by_the_gallery,
         told_by_the_speaker_view, told_by_a_single_frame, quiet_gallery, sound_by_a_receiver, meeting_of_25]

if __name__ == "__main__":
    harness.main(TESTS)
