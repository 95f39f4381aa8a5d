#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measurements, each as a table and as build/bench/NAME.json; figures are medians of interleaved
runs, ratios are taken within a run.

  talk       what a bot costs: processor time and memory by group of processes, for a talk of three
             with cameras, recorded and streamed, and audio only beside it
  recording  the same meetings recorded by Steno and the usual way (Xvfb, headed Chromium, ffmpeg):
             cores, memory, file size, pictures kept, likeness to the source; --case picks some
  density    one more bot each time, until pictures are lost
  streaming  the live sockets: latency by stage, round trip, interruption, holes in --minutes of tone
             under load, processor time of a stream; a target that is missed makes it fail
  orchestrator  bots made and webhooks delivered a second, GETs under load, from POST /bots to the
             page with a warm pool; a target that is missed makes it fail
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import control_plane  # noqa: E402
import harness  # noqa: E402
import streaming  # noqa: E402
from proc import cpu_s, pss_mib  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SETTLE_S = 5
MEASURE_S = 20

TALK = {
    "platform": "meet", "duration_s": 60, "lobby": {"mode": "none"},
    "participants": [
        {"id": f"p{i}", "name": f"Person {i}",
         "camera": {"source": "pattern:webcam", "width": 640, "height": 360, "fps": 25},
         "speech": [{"at_s": 1 + i * 10 + k * 30, "tone_hz": 300 + 100 * i, "for_s": 9}
                    for k in range(2)]}
        for i in range(3)]}


def measure(build, mode):
    with harness.session(build, TALK) as (meeting, receivers, start):
        worker = start({"recording_mode": mode, "streaming": {"input": receivers.ws_url()}})
        worker.wait_state("joined_recording")
        time.sleep(SETTLE_S)
        groups = {"worker": [worker.pid], "browser": harness.descendants(worker.pid),
                  "meeting": [meeting.process.pid]}
        before = {g: sum(map(cpu_s, pids)) for g, pids in groups.items()}
        begun = time.monotonic()
        time.sleep(MEASURE_S)
        elapsed = time.monotonic() - begun
        return {g: {"cores": (sum(map(cpu_s, pids)) - before[g]) / elapsed,
                    "pss_mib": sum(map(pss_mib, pids))} for g, pids in groups.items()}


def talk(build, args):
    modes = ["speaker_view", "audio_only"]
    runs = {mode: [] for mode in modes}
    for _ in range(args.runs):
        for mode in modes:
            runs[mode].append(measure(build, mode))
    table = {mode: {g: {k: statistics.median(r[g][k] for r in results) for k in results[0][g]}
                    for g in results[0]} for mode, results in runs.items()}
    print(f"{'mode':<14}{'group':<10}{'cores':>8}{'PSS MiB':>10}")
    for mode, groups in table.items():
        for group, row in groups.items():
            print(f"{mode:<14}{group:<10}{row['cores']:>8.3f}{row['pss_mib']:>10.0f}")
    return {"medians": table, "runs": runs}


def recording(build, args):
    subprocess.run([str(ROOT / "containers/deps.sh"), "bench"], check=True)
    import recording as both
    return both.run(build, args.runs, args.case)


def density(build, args):
    import recording as both
    return both.density(build)


def live(build, args):
    return streaming.run(build, args.runs, args.minutes)


def orchestrator(build, args):
    result = control_plane.measure(build, args.runs)
    text, met = control_plane.table(result)
    print(text)
    return {**result, "missed": not met}


BENCHES = {"talk": talk, "recording": recording, "density": density, "streaming": live,
           "orchestrator": orchestrator}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("names", nargs="*", choices=[[], *BENCHES], help="default: all")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--case", action="append", help="of recording; may be given again")
    parser.add_argument("--minutes", type=float, default=30, help="of streaming's tone; 0: none")
    args = parser.parse_args()
    build = pathlib.Path(args.build).resolve()
    (build / "bench").mkdir(exist_ok=True)
    failed = 0
    for name in args.names or BENCHES:
        result = BENCHES[name](build, args)
        (build / f"bench/{name}.json").write_text(json.dumps(result, indent=2))
        failed |= bool(result.get("missed"))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
