#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what a bot costs: processor time and memory by process group, for a talk of three
people with cameras, recorded and streamed; audio only beside it. Runs are interleaved, figures are
medians. Prints a table and writes build/bench/talk.json."""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
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


def cpu_s(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    except OSError:
        return 0.0


def pss_mib(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("names", nargs="*", choices=[[], "talk"])
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    build = pathlib.Path(args.build).resolve()
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
    (build / "bench").mkdir(exist_ok=True)
    (build / "bench/talk.json").write_text(json.dumps({"medians": table, "runs": runs}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
