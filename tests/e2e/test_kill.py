#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of the worker at any time: --recover makes a playable file up to two seconds before it."""
import json
import os
import pathlib
import random
import subprocess
import tempfile
import time

import harness
from harness import check

SCENARIO = {
    "platform": "meet", "duration_s": 60, "lobby": {"mode": "none"},
    "participants": [
        {"id": "alice", "name": "Alice Martin", "camera": {"source": "pattern:ball"},
         "speech": [{"at_s": 0.5, "tone_hz": 440, "for_s": 50}]},
        {"id": "bob", "name": "Bob Okafor", "camera": {"source": "pattern:webcam"}}]}
# A picture that never changes, and nobody's camera: next to nothing is written.
SLIDES = {
    "platform": "meet", "duration_s": 60, "lobby": {"mode": "none"},
    "participants": [
        {"id": "alice", "name": "Alice Martin",
         "screen": [{"from_s": 0.2, "to_s": 60, "source": "pattern:smpte75", "fps": 1, "loop_s": 1}],
         "speech": [{"at_s": 0.5, "tone_hz": 440, "for_s": 50}]}]}


def kill_and_recover(build, kill_after_s, at_finalizing=False, scenario=SCENARIO):
    with harness.session(build, scenario) as (meeting, receivers, start):
        worker = start({"webhook_url": receivers.hook_url(), "recording": {"chapters": True}},
                       commands=True)
        worker.wait_state("joined_recording")
        begun = harness.wait_for(lambda: worker.events("recording"), 20, "recording")[0]["start_time"]
        if at_finalizing:
            time.sleep(4)
            worker.command("1", "leave")
            worker.wait_state("post_processing")
        time.sleep(max(0, kill_after_s))
        pids, killed = worker.kill()
        out = harness.recover(build, worker)
        check(out.returncode == 0, f"--recover: {out.returncode}\n{out.stderr}")
        path = worker.output / "recording.mp4"
        harness.check_decodes(path)
        probe = harness.ffprobe(path)
        # Until it was told to leave at least; at most until it had left, which may take a moment.
        times = {e["new"]: e["time"] for e in worker.events("state")}
        length = (min(killed, times.get("leaving", killed)) - begun) / 1000
        most = (min(killed, times.get("post_processing", killed)) - begun) / 1000
        for kind in ("video", "audio"):
            got = harness.stream_s(probe, kind)
            check(length - 2.0 <= got <= most + 0.7,
                  f"{kind} is {got:.2f} s, the worker recorded for {length:.2f} to {most:.2f} s")
        spoke = any(e["op"] == "start" and (e["at_s"] or 0) < length - 3
                    for e in worker.events("speech"))
        titles = [c["tags"]["title"] for c in probe["chapters"]]
        check(titles == ["Alice Martin"] or not titles and not spoke, f"chapters {titles}")
        check(json.loads((worker.output / "metadata.json").read_text())["duration_s"] > 0,
              "metadata")
        check(receivers.codes()[-1] == "complete", f"codes {receivers.codes()}")
        harness.check_nothing_left(worker, pids)
        again = harness.recover(build, worker)
        check(again.returncode == 0, f"a second --recover: {again.stderr}")
        print(f"# {'slides' if scenario is SLIDES else 'talk'} killed after {length:.2f} s: video {harness.stream_s(probe, 'video'):.2f} s, "
              f"audio {harness.stream_s(probe, 'audio'):.2f} s"
              + (" (finalizing)" if at_finalizing else ""))


@harness.takes(1)
def at_random_times(build):
    """STENO_KILLS of them (3 in the tests, more in ./dev soak), by turns in a talk and slides."""
    seed = int(os.environ.get("STENO_SEED", "7"))
    rng = random.Random(seed)
    kills = int(os.environ.get("STENO_KILLS", "3"))
    for i in range(kills):
        kill_and_recover(build, 0.2 if i == 0 else rng.uniform(0.2, 12),
                         scenario=SLIDES if i % 2 else SCENARIO)


@harness.takes(0.75)
def while_finalizing(build):
    for after_s in (0.0, 0.15):
        kill_and_recover(build, after_s, at_finalizing=True)


def in_the_second_run(build):
    """A guest was refused, and the worker that came again with an account is killed: the first run's end is
    not the second's."""
    lines = [{"type": "state", "event": "join_requested", "old": "ready", "new": "joining"},
             {"type": "ended", "state": "fatal_error", "error": "CannotJoinMeeting", "exit": 3},
             {"type": "state", "event": "join_requested", "old": "ready", "new": "joining"}]
    with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder:
        output = pathlib.Path(folder)
        events = output / "events.ndjson"
        events.write_text("".join(json.dumps({"seq": i + 1, "time": 1000 + i, **line}) + "\n"
                                  for i, line in enumerate(lines)))
        (output / ".worker.json").write_text(json.dumps({
            "meeting_url": "https://meet.google.com/abc-defg-hij", "output_dir": folder}))
        out = subprocess.run([str(build / "bot/steno-worker"), "--recover", folder], check=False,
                             capture_output=True, text=True, timeout=60)
        check(out.returncode == 6, f"--recover: {out.returncode}\n{out.stderr}")
        last = json.loads(events.read_text().splitlines()[-1])
        check(last["type"] == "ended" and last["seq"] > 3, f"the last event is {last}")


TESTS = [at_random_times, while_finalizing, in_the_second_run]

if __name__ == "__main__":
    harness.main(TESTS)
