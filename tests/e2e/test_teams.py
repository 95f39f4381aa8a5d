#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Microsoft Teams in a real Chromium: every way a bot can end there, in each client and wording that
the two readings of the platform list, and who spoke, out of the server's mix."""
import json

import harness
import measure
import outcomes
import test_recording as recording
from harness import check
from outcomes import matched, rules_of, warnings_of

ALICE = outcomes.ALICE


def scenario(**keys):
    return {"platform": "teams", "duration_s": 60, "lobby": {"mode": "none"},
            "participants": [ALICE], **keys}


everywhere = outcomes.Everywhere("teams", scenario, ("button", "Join now"))


# --- before the call ---

def denied(build):
    """Told by the signalling socket, in the full client: launcher, old words, a lobby with a text."""
    outcomes.failing(build, scenario(lobby={"mode": "deny", "after_s": 3},
                                     page={"ui": "full", "wording": "old"}),
                     "bot_rejected", "BotNotAccepted", "request_to_join_denied")


def denied_by_the_page_alone(build):
    for wording, quirks, rule in (("new", [], "denied/denied_access"),
                                  ("old", ["other_texts"], "denied/declined")):
        def after(worker, meeting):
            check(rule in rules_of(worker), f"rules {rules_of(worker)}")

        outcomes.failing(build, scenario(lobby={"mode": "deny", "after_s": 3},
                                         wire={"farewell": False},
                                         page={"ui": "live", "wording": wording,
                                               "quirks": quirks}),
                         "bot_rejected", "BotNotAccepted", "request_to_join_denied", after=after)


def lobby_ignored(build):
    """The lobby shows only a button to cancel; the knock is taken back with it."""
    def after(worker, meeting):
        bots = meeting.report()["bots"]
        check(len(bots) == 1 and bots[0]["name"] == worker.name, f"knocked {bots}")
        check(bots[0]["how_left"] == "left", f"the knock was not taken back: {bots[0]}")
        check("lobby_hint/cancel" in rules_of(worker) or "leave_button/lobby_cancel"
              in rules_of(worker), f"rules {rules_of(worker)}")

    outcomes.failing(build, scenario(lobby={"mode": "ignore"}, page={"lobby_shows": "cancel"}),
                     "waiting_room_timeout", "TimeoutWaitingToStart",
                     "waiting_room_timeout_exceeded", after=after,
                     automatic_leave={"waiting_room_timeout": 4})


def lobby_without_a_sign(build):
    """Neither text nor button: what is no call and no wall some seconds after the knock is one."""
    outcomes.outcome(build, scenario(lobby={"mode": "admit", "after_s": 20},
                                     page={"lobby_shows": "nothing"},
                                     events=[{"at_s": 6, "do": "end_meeting"}]),
                     exit_code=0, end_reason="meeting_ended",
                     codes=outcomes.LOBBY + outcomes.JOINED[1:] + ["call_ended", "complete"])


def host_absent(build):
    for wording in ("new", "old", "british"):
        outcomes.failing(build, scenario(lobby={"mode": "host_absent"},
                                         page={"wording": wording, "ui": "live"}),
                         "waiting_room_timeout", "TimeoutWaitingToStart",
                         "meeting_not_started_waiting_for_host",
                         automatic_leave={"noone_joined_timeout": 3})


def not_found(build):
    for wording in ("new", "old"):
        outcomes.failing(build, scenario(page={"variant": "not_found", "wording": wording}),
                         "meeting_error", "CannotJoinMeeting", "meeting_not_found", lobby=False)


def login_required(build):
    """The page's words, British ones, and the sign-in page itself."""
    for wording, rule in (("new", "login_required/verify_info"),
                          ("british", "login_required/accounts_only"),
                          ("old", "login_required/login_field")):
        quirks = ["other_texts"] if wording == "british" else []

        def after(worker, meeting):
            check(rule in rules_of(worker), f"{rule}: {rules_of(worker)}")

        outcomes.failing(build, scenario(page={"variant": "login_required", "wording": wording,
                                               "quirks": quirks}),
                         "meeting_error", "CannotJoinMeeting", "login_required", lobby=False,
                         after=after)


def captcha(build):
    """As a dialog, behind which the join button stays."""
    outcomes.failing(build, scenario(page={"variant": "captcha", "ui": "live",
                                           "quirks": ["captcha_dialog"]}), "meeting_error",
                     "CannotJoinMeeting", "blocked_by_captcha", lobby=False,
                     after=matched("captcha/hip"))


def could_not_connect(build):
    outcomes.failing(build, scenario(page={"variant": "blocked"}), "meeting_error",
                     "InternalError", "internal_error", lobby=False, exit_code=6)


# --- in the call ---

def admitted_through_everything(build):
    """Launcher, a pre-join page in a frame with old words, a missing-devices prompt, "Don't use
    audio" chosen beforehand, the lobby."""
    def after(worker, meeting):
        rules = rules_of(worker)
        for rule in ("without_account/continue_on_browser", "name_field/placeholder",
                     "join_button/now", "dismiss/computer_audio", "lobby/let_in"):
            check(rule in rules, f"{rule} did not match: {rules}")
        check(rules & {"dismiss/no_devices", "consent/no_devices"}, f"the prompt stood: {rules}")
        bot = meeting.report()["bots"][0]
        check(bot["name"] == worker.name, "another name")
        check("audio: Computer audio" in [d["what"] for d in bot["dialogs"]], f"{bot['dialogs']}")

    outcomes.outcome(build, scenario(lobby={"mode": "admit", "after_s": 3},
                                     page={"ui": "full", "wording": "old", "frame": True,
                                           "no_devices": True,
                                           "quirks": ["no_audio", "other_texts"]},
                                     events=[{"at_s": 6, "do": "end_meeting"}]),
                     exit_code=0, end_reason="meeting_ended", after=after,
                     codes=outcomes.LOBBY + outcomes.JOINED[1:] + ["call_ended", "complete"])


def meeting_ended(build):
    """And not with the end of another call; a launcher in another language, a call with few
    controls."""
    def after(worker, meeting):
        matched("without_account/light_link")(worker, meeting)
        outcomes.check_recorded_until(worker, meeting, 6)

    outcomes.recorded(build, scenario(page={"ui": "full", "quirks": [
        "other_call", "few_controls", "spanish_launcher"]},
        events=[{"at_s": 6, "do": "end_meeting"}]), "meeting_ended", after=after)


def meeting_ended_by_the_page_alone(build):
    outcomes.recorded(build, scenario(wire={"farewell": False},
                                      page={"ui": "live", "quirks": ["other_texts"]},
                                      events=[{"at_s": 6, "do": "end_meeting"}]), "meeting_ended",
                      after=matched("ended_page/ended_title"))


def removed(build):
    outcomes.recorded(build, scenario(events=[{"at_s": 6, "do": "remove_bot"}]), "bot_removed",
                      ["bot_removed"])


def removed_by_the_page_alone(build):
    for wording, quirks in (("new", []), ("old", ["other_texts"])):
        outcomes.recorded(build, scenario(wire={"farewell": False},
                                          page={"wording": wording, "quirks": quirks},
                                          events=[{"at_s": 6, "do": "remove_bot"}]),
                          "bot_removed", ["bot_removed"])


def network_back_in_time(build):
    """Muting, and a network that is away for three seconds, end nothing."""
    events = [{"at_s": 5, "do": "mute", "id": "alice"}, {"at_s": 6, "do": "unmute", "id": "alice"},
              {"at_s": 7, "do": "drop_network"}, {"at_s": 10, "do": "restore_network"},
              {"at_s": 22, "do": "end_meeting"}]

    def after(worker, meeting):
        outcomes.check_recorded_until(worker, meeting, 22)

    outcomes.recorded(build, scenario(events=events), "meeting_ended", after=after)


def chat_both_ways(build):
    """In both editors; words of the chat, the bot's own too, end nothing."""
    entry = "Hello, I record. You've been removed from this meeting: that is what I do not say."
    for wording in ("new", "old"):
        def after(worker, meeting):
            bot = meeting.report()["bots"][0]
            check([c["text"] for c in bot["chat"]] == [entry], f"wrote {bot['chat']}")
            chat = [(e["name"], e["text"]) for e in worker.events("chat")]
            check(chat == [("Alice Martin", "The meeting has ended"), ("Alice Martin", "Really?")],
                  f"read {chat}")

        outcomes.recorded(build, scenario(
            page={"wording": wording}, events=[{"at_s": 16, "do": "end_meeting"}],
            chat=[{"at_s": 6, "from": "alice", "text": "The meeting has ended"},
                  {"at_s": 8, "from": "alice", "text": "Really?"}]),
            "meeting_ended", after=after, entry_message=entry)


def entry_message_tried_again(build):
    """The editor shows late, and lets go of what it was given, twice; two blanks are two blanks."""
    outcomes.entry_message_arrives(build, scenario(page={"chat": "late"}), "Hello  there", 1)
    outcomes.entry_message_arrives(build, scenario(page={"chat": "refusing"}), "Hello  there", 1,
                                   seconds=10)


def dialogs(build):
    """Consent is given, an unknown dialog photographed, a refusal of recording obeyed."""
    events = [{"at_s": 1 + i, "do": "show_dialog", "name": name} for i, name in
              enumerate(["recorded", "transcribed", "unknown"])]

    def after(worker, meeting):
        closed = [d["what"] for d in meeting.report()["bots"][0]["dialogs"]]
        for what in ("recorded: OK", "transcribed: Got it", "unknown: Dismiss"):
            check(what in closed, f"{what} did not happen: {closed}")
        check(warnings_of(worker).count("unknown_dialog") == 1, f"{warnings_of(worker)}")
        pictures = list((worker.output / "screenshots").glob("*dialog*.png"))
        check(len(pictures) == 1, f"pictures of the unknown dialog: {pictures}")

    outcomes.recorded(build, scenario(events=events + [{"at_s": 8, "do": "deny_recording"},
                                                       {"at_s": 16, "do": "end_meeting"}]),
                      "meeting_ended", ["recording_paused"], sub_type="host_denied_permission",
                      after=after)


# --- who spoke ---

def as_teams(setting, **keys):
    return {**setting, "platform": "teams", **keys}


@harness.takes(0.75)
def talk_of_three(build):
    """The right picture, diarization out of the mix, indications."""
    for result, receivers in recording.run(build, as_teams(recording.first_turns()), stream=True):
        harness.measured()
        harness.check_decodes(result.recording())
        recording.check_lengths(result)
        shown = recording.pictures(result.recording())
        recording.check_right_person(result, shown)
        share = recording.kept_share(result, shown)
        print(f"# {share * 100:.1f} % of the source's pictures kept")
        check(share >= 0.95, f"only {share * 100:.1f} % of the source's pictures are kept")
        recording.check_diarization(result)
        recording.check_pli(result)
        recording.check_speaker_messages(result, receivers)


def told_by(build, setting, tells, limit):
    for result, _ in recording.run(build, as_teams(setting, wire={"tells": tells}),
                                   recording_mode="audio_only"):
        recording.check_diarization(result, limit)


@harness.takes(0.5)
def overlaps_told_by_sources(build):
    told_by(build, recording.scenario_of("talk-overlap.json", camera=None), "sources", 0.05)


@harness.takes(0.5)
def told_by_dominant_speakers(build):
    """They name one at a time, a moment after he has begun."""
    told_by(build, recording.first_turns(camera=None), "dominant", 0.10)


@harness.takes(0.5)
def told_by_the_page_alone(build):
    """Neither roster nor speakers on the wire: names from the tiles, without the labels behind them,
    speakers from their rings. The bot's own tile is nobody."""
    for wording, quirks in (("new", []), ("old", []), ("british", ["labels"])):
        setting = scenario(duration_s=20, page={"wording": wording, "quirks": quirks},
                           chat=[{"at_s": 16, "from": "alice", "text": "Hello"}],
                           wire={"roster": "nothing", "tells": "page"}, participants=[
            {"id": "alice", "name": "Alice Martin", "speech": [
                {"at_s": 8, "tone_hz": 300, "for_s": 5}]},
            {"id": "bob", "name": "Bob Okafor", "camera": "pattern:ball", "speech": [
                {"at_s": 14, "tone_hz": 500, "for_s": 5}]}])
        for result, _ in recording.run(build, setting, recording_mode="audio_only"):
            joined = sorted(e["name"] for e in result.worker.events("participant")
                            if e["op"] == "joined")
            check(joined == ["Alice Martin", "Bob Okafor"], f"joined {joined}")
            chat = [(e["name"], e["id"] > 0) for e in result.worker.events("chat")]
            check(chat == [("Alice Martin", True)], f"read {chat}")
            truth = measure.merge(result.truth(), 0.3)
            error = measure.diarization_error(truth, measure.merge(result.diarization(), 0.3), 0.5)
            check(error < 0.1, f"{error:.3f}\n truth {truth}\n found {result.diarization()}")


@harness.takes(0.5)
def told_by_captions(build):
    """Nothing else tells: the bot turns captions on, and names from then on."""
    setting = scenario(duration_s=26, wire={"tells": "captions"}, participants=[
        {"id": "alice", "name": "Alice Martin", "host": True, "speech": [
            {"at_s": 1, "tone_hz": 300, "for_s": 10}]},
        {"id": "bob", "name": "Bob Okafor", "speech": [{"at_s": 13, "tone_hz": 500, "for_s": 10}]}])
    for result, _ in recording.run(build, setting, recording_mode="audio_only"):
        check("captions_button/captions" in rules_of(result.worker), f"{rules_of(result.worker)}")
        check("captions" not in warnings_of(result.worker), f"{warnings_of(result.worker)}")
        start, end = (result.to_recording(t) for t in (15, 22))
        named = sum(min(e, end) - max(s, start) for who, s, e in result.diarization()
                    if who == "Bob Okafor" and s < end and e > start)
        check(named > 6, f"Bob is named for {named:.1f} s of 7: {result.diarization()}")


def nobody_is_guessed(build):
    """Nothing tells who speaks: the voice is a numbered person's, and it is still speech."""
    setting = scenario(duration_s=18, wire={"tells": "nothing"}, participants=[outcomes.LATE_TALKER])
    for result, _ in recording.run(build, setting, recording_mode="audio_only"):
        names = {who for who, _, _ in result.diarization()}
        check(names and "Alice Martin" not in names, f"guessed {names}")


def late_joiner(build):
    """Who was there before comes by HTTP, who comes and goes by deltas; video off for audio only."""
    for wording in ("new", "old"):
        setting = scenario(duration_s=16, wire={"roster": "snapshot"}, page={"wording": wording},
                           participants=[ALICE, {"id": "bob", "name": "Bob Okafor", "join_s": 2,
                                                 "leave_s": 10},
                                         {"id": "cleo", "name": "Cleo", "muted": True}])
        for result, _ in recording.run(build, setting, recording_mode="audio_only"):
            told = [(e["op"], e["name"], e["is_host"])
                    for e in result.worker.events("participant")]
            check(sorted(told) == [("joined", "Alice Martin", True), ("joined", "Bob Okafor", False),
                                   ("joined", "Cleo", False), ("left", "Bob Okafor", False)],
                  f"told {told}")
            check("video_off_button/incoming" in rules_of(result.worker),
                  f"{rules_of(result.worker)}")


@harness.takes(1)
def screen_share(build):
    """The shared screen fills the picture while it lasts, as its owner's."""
    setting = as_teams(recording.scenario_of("screen.json"))
    for result, _ in recording.run(build, setting):
        harness.measured()
        spans = [(p["number"], result.to_recording(p["first_s"]), result.to_recording(p["last_s"]))
                 for p in result.bot["pictures"] if p["what"] == "screen"]
        check(len(spans) == 1, f"screens sent: {spans}")
        number, first, last = spans[0]
        shown = recording.pictures(result.recording())
        during = [who for t, who, _ in shown if first + 1.5 < t < last - 0.5]
        share = during.count(number + 128) / max(1, len(during))
        check(len(during) > 20 and share > 0.95,
              f"{share * 100:.0f} % of {len(during)} pictures show the screen {number + 128}: "
              f"{sorted(set(during), key=str)}")
        after = {who for t, who, _ in shown if t > last + 1.5}
        check(number + 128 not in after, f"after it shows {after}")


@harness.takes(1)
def meeting_of_25(build):
    """Names, speakers and pictures of 25 people; three of them speak, one after the other."""
    for result, _ in recording.run(build, as_teams(recording.three_of_25())):
        harness.measured()
        rows = json.loads((result.worker.output / "participants.json").read_text())
        expected = {p["name"] for p in result.report["participants"]}
        check({r["name"] for r in rows} == expected, f"{len(rows)} names of {len(expected)}")
        recording.check_right_person(result, recording.pictures(result.recording()))
        recording.check_diarization(result, 0.08)


TESTS = [denied, denied_by_the_page_alone, lobby_ignored, lobby_without_a_sign, host_absent,
         not_found, login_required, captcha, could_not_connect, everywhere.wording_mended_by_a_file,
         admitted_through_everything, meeting_ended, meeting_ended_by_the_page_alone, removed,
         removed_by_the_page_alone, everywhere.nobody_joined, everywhere.alone_again,
         everywhere.silence, everywhere.maximum_duration, everywhere.leave_from_the_lobby,
         everywhere.page_frozen, everywhere.page_crashed, everywhere.network_lost,
         network_back_in_time, chat_both_ways, entry_message_tried_again,
         dialogs, nobody_is_guessed, late_joiner,
         told_by_captions, told_by_the_page_alone, overlaps_told_by_sources,
         told_by_dominant_speakers, everywhere.speaks, talk_of_three, screen_share, meeting_of_25]

if __name__ == "__main__":
    harness.main(TESTS)
