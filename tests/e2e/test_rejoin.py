#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Out of the call and in again: a page that crashed, a network that was away, a host who puts the bot
back into the waiting room. One recording comes of it, with the same people, and says what it lacks."""
import json
import signal
import tempfile

import harness
import measure
import outcomes
from harness import check
from outcomes import JOINED

ALICE = {"id": "alice", "name": "Alice Martin", "host": True,
         "camera": {"source": "pattern:ball", "width": 320, "height": 180},
         "speech": [{"at_s": t, "tone_hz": 440, "for_s": 3.0} for t in (1, 7, 19, 25, 37, 43)]}
BOB = {"id": "bob", "name": "Bob Okafor", "camera": None,
       "speech": [{"at_s": t, "tone_hz": 700, "for_s": 2.0} for t in (4.5, 22.5, 40.5)]}
CAROL = {"id": "carol", "name": "Carol Jones", "camera": None, "leave_s": 16}
AGAIN = ["recording_paused", "joining_call", "in_call_not_recording", "recording_resumed"]


def scenario(**keys):
    return {"platform": "meet", "duration_s": 90, "lobby": {"mode": "none"},
            "participants": [ALICE, BOB], **keys}


def out_of_call(worker):
    """[(from, to)] in Unix milliseconds: when the recording paused, and went on."""
    times = {"paused": [], "resumed": []}
    for event in worker.events("recording"):
        times.get(event["op"], []).append(event["time"])
    return list(zip(times["paused"], times["resumed"]))


def truth(report, worker):
    """[(name, start_s, end_s)] on the recording's time, which leaves out when the bot was out."""
    bot = report["bots"][0]
    zero = bot["admitted_unix_ms"] - bot["admitted_s"] * 1000
    begun = worker.metadata()["recording_started_unix_ms"]
    gaps = [((a - begun) / 1000, (b - begun) / 1000) for a, b in out_of_call(worker)]

    def to_recording(meeting_s):
        at_s = zero / 1000 + meeting_s - begun / 1000
        return at_s - sum(max(0, min(at_s, b) - a) for a, b in gaps)

    names = {p["id"]: p["name"] for p in report["participants"]}
    rows = [(names[run["person"]], to_recording(a), to_recording(b))
            for run in report["speech"] for a, b in run["segments"]]
    return [row for row in rows if row[2] - row[1] > 0.05]


def check_one_recording(worker, meeting, n_gaps):
    report = meeting.report()
    metadata = worker.metadata()
    path = worker.output / "recording.mp4"
    harness.check_decodes(path)
    probe = harness.ffprobe(path)
    gaps = metadata["gaps"]
    check(len(gaps) == n_gaps and all(g["missing_s"] > 0 for g in gaps), f"gaps {gaps}")
    ops = [e["op"] for e in worker.events("gap")]
    check(ops == ["begin", "end"] * n_gaps, f"gap events {ops}")
    end_ms = [e["time"] for e in worker.events("state") if e["new"] == "post_processing"][0]
    out_s = sum(b - a for a, b in out_of_call(worker)) / 1000
    length_s = (end_ms - metadata["recording_started_unix_ms"]) / 1000 - out_s
    for kind in ("video", "audio"):
        got_s = harness.stream_s(probe, kind)
        check(abs(got_s - length_s) < 1.5, f"{kind} of {got_s:.2f} s, expected {length_s:.2f} s")
    rows = [json.loads(line) for line in
            (worker.output / "diarization.jsonl").read_text().splitlines()]
    found = [(r["speaker"], r["start_time"], r["end_time"]) for r in rows]
    return report, found, rows


@harness.takes(1)
def crashed_twice(build):
    """The page dies twice: everybody keeps their number, and the times are right before, between and
    after. Carol leaves while the bot is out, and is gone when it is back."""
    events = [{"at_s": 12, "do": "crash_page"}, {"at_s": 30, "do": "crash_page"},
              {"at_s": 48, "do": "end_meeting"}]
    with harness.session(build, scenario(participants=[ALICE, BOB, CAROL], events=events)) \
            as (meeting, receivers, start):
        worker = start({"webhook_url": receivers.hook_url(), "entry_message": "Hello"})
        pids = set()
        code = outcomes.wait_and_watch(worker, 140, pids)
        check(code == 0, f"exit code {code}: {worker.states()}")
        check(receivers.codes() == JOINED + AGAIN + AGAIN + ["call_ended", "complete"],
              f"codes {receivers.codes()}")
        report, found, rows = check_one_recording(worker, meeting, 2)
        error = measure.diarization_error(truth(report, worker), found)
        print(f"# diarization error over two crashes: {error:.2%}")
        check(error < 0.05, f"diarization error {error:.2%}: {found} of {truth(report, worker)}")
        numbers = {(r["speaker"], r["user_id"]) for r in rows}
        check(len(numbers) == 2, f"numbers changed: {numbers}")
        people = json.loads((worker.output / "participants.json").read_text())
        check(sorted(p["name"] for p in people) == ["Alice Martin", "Bob Okafor", "Carol Jones"],
              f"people {people}")
        gone = [p["name"] for p in people if p["left_s"] is not None]
        check("Carol Jones" in gone, f"left: {people}")
        said = [c["text"] for b in report["bots"] for c in b["chat"]]
        check(said == ["Hello"], f"the entry message was sent {len(said)} times")
        check(len(report["bots"]) == 3, f"{len(report['bots'])} bots came")
        harness.check_nothing_left(worker, pids)


def network_away(build):
    """Away for longer than is waited for: the bot comes back when the network does."""
    events = [{"at_s": 6, "do": "drop_network"}, {"at_s": 20, "do": "restore_network"},
              {"at_s": 44, "do": "end_meeting"}]
    meet = outcomes.Everywhere("meet", scenario, None)
    with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder, \
            harness.session(build, scenario(events=events),
                            env=meet.hasty_rules(folder, network_lost_ms=4000, prejoin_ms=12000)) \
            as (meeting, receivers, start):
        worker = start({"webhook_url": receivers.hook_url(), "rejoin_attempts": 10})
        pids = set()
        code = outcomes.wait_and_watch(worker, 160, pids)
        check(code == 0, f"exit code {code}: {worker.states()}\n{worker.process.tail()}")
        check(worker.metadata()["end_reason"] == "meeting_ended", worker.metadata())
        gaps = worker.metadata()["gaps"]
        check([g["reason"] for g in gaps] == ["network_lost"] and gaps[0]["missing_s"] > 5,
              f"gaps {gaps}")
        check(receivers.codes()[-3:] == ["recording_resumed", "call_ended", "complete"],
              f"codes {receivers.codes()}")
        harness.check_nothing_left(worker, pids)


def meeting_gone(build):
    """Nothing answers any more: so many attempts, and only then meeting_error."""
    with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder, \
            harness.session(build, scenario(), env=outcomes.Everywhere("meet", scenario, None)
                            .hasty_rules(folder, network_lost_ms=3000)) as (meeting, receivers, start):
        worker = start({"webhook_url": receivers.hook_url(), "rejoin_attempts": 2})
        worker.wait_state("joined_recording")
        harness.wait_for(lambda: worker.events("recording"), 20, "recording")
        meeting.process.popen.send_signal(signal.SIGKILL)
        pids = set()
        code = outcomes.wait_and_watch(worker, 120, pids)
        check(code == 0, f"exit code {code}: {worker.states()}")
        check(receivers.codes() == JOINED + ["recording_paused", "joining_call", "meeting_error",
                                             "call_ended", "complete"],
              f"codes {receivers.codes()}")
        ended = worker.events("ended")[0]
        check("joining again failed 2 times" in ended["message"], f"message {ended['message']}")
        gaps = worker.metadata()["gaps"]
        check(len(gaps) == 1 and gaps[0]["missing_s"] is None, f"gaps {gaps}")
        check(harness.stream_s(harness.ffprobe(worker.output / "recording.mp4"), "audio") > 0,
              "no audio")
        harness.check_nothing_left(worker, pids)


def back_to_the_waiting_room(build, platform):
    """The recording pauses, and goes on when the bot is let in again."""
    setting = scenario(platform=platform, participants=[ALICE], events=[
        {"at_s": 8, "do": "send_to_lobby"}, {"at_s": 16, "do": "admit_bot"},
        {"at_s": 26, "do": "end_meeting"}])
    with harness.session(build, setting) as (meeting, receivers, start):
        worker = start({"webhook_url": receivers.hook_url()})
        pids = set()
        code = outcomes.wait_and_watch(worker, 120, pids)
        check(code == 0, f"exit code {code}: {worker.states()}")
        check(receivers.codes() == JOINED + ["recording_paused", "in_waiting_room",
                                             "in_call_not_recording", "recording_resumed",
                                             "call_ended", "complete"],
              f"codes {receivers.codes()}")
        gaps = worker.metadata()["gaps"]
        check([g["reason"] for g in gaps] == ["waiting_room"] and 4 < gaps[0]["missing_s"] < 30,
              f"gaps {gaps}")
        check(len(meeting.report()["bots"]) == 1, "it came more than once")
        harness.check_nothing_left(worker, pids)


def back_to_meets_waiting_room(build):
    back_to_the_waiting_room(build, "meet")


def back_to_teams_waiting_room(build):
    back_to_the_waiting_room(build, "teams")


def back_to_zooms_waiting_room(build):
    back_to_the_waiting_room(build, "zoom")


TESTS = [crashed_twice, network_away, meeting_gone, back_to_meets_waiting_room,
         back_to_teams_waiting_room, back_to_zooms_waiting_room]

if __name__ == "__main__":
    harness.main(TESTS)
