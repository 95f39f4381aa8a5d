#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Long runs: `kills` (STENO_KILLS, default 100, of recording bots at random times), `rounds` (all
of `./dev test` STENO_ROUNDS times, default 10), `memory` (a worker's memory over STENO_MINUTES
of meeting, default 45) and `sync` (picture and sound of STENO_MINUTES of clapper board with 2 % loss,
default 10), `media` (hours of meeting fed faster than life: memory, drifting clocks) and `network` (a
consumer's network lost for 1, 10 and 60 s), `orchestrator` (STENO_KILLS, default 20, of the orchestrator
during three running bots), `image` (the root file system of the worker's image and a bot in it; as
root). Stops at the first failure."""
import argparse
import os
import pathlib
import subprocess
import sys
import time

import numpy as np

E2E = pathlib.Path(__file__).resolve().parent.parent / "e2e"
sys.path.insert(0, str(E2E))
import harness  # noqa: E402
import lost_network  # noqa: E402
import proc  # noqa: E402


def run(script, build, *tests, **env):
    return subprocess.run([sys.executable, str(E2E / script), *tests],
                          env={**os.environ, "STENO_BUILD": str(build), **env}).returncode


def kills(build):
    count = os.environ.get("STENO_KILLS", "100")
    seed = os.environ.get("STENO_SEED", str(int(time.time())))
    print(f"# {count} kills, STENO_SEED={seed}", flush=True)
    return run("test_kill.py", build, STENO_KILLS=count, STENO_SEED=seed)


def orchestrator(build):
    count = os.environ.get("STENO_KILLS", "20")
    return run("test_workforce.py", build, "killed_orchestrator_loses_nothing", STENO_KILLS=count)


def rounds(build):
    for number in range(1, int(os.environ.get("STENO_ROUNDS", "10")) + 1):
        print(f"# round {number}", flush=True)
        begun = time.monotonic()
        if subprocess.run([str(E2E.parent.parent / "dev"), "test"]).returncode != 0:
            return 1
        print(f"# round {number}: {(time.monotonic() - begun) / 60:.1f} min", flush=True)
    return 0


def minutes(default):
    return float(os.environ.get("STENO_MINUTES", default))


def memory(build):
    """The slope of the worker's memory after ten minutes' warm-up is at most 1 MiB an hour."""
    length_s = minutes(45) * 60
    people = [{"id": f"p{i}", "name": f"Person {i}", "camera": {"source": "pattern:webcam"},
               "speech": [{"at_s": 1 + 15 * k + 5 * i, "tone_hz": 300 + 60 * i, "for_s": 4.5}
                          for k in range(int(length_s / 15) + 4)]} for i in range(3)]
    scenario = {"platform": "meet", "duration_s": length_s + 30, "lobby": {"mode": "none"},
                "participants": people}
    with harness.session(build, scenario) as (_, receivers, start):
        worker = start({"streaming": {"input": receivers.ws_url()}}, commands=True)
        worker.wait_state("joined_recording")
        begun, rows = time.monotonic(), []
        while time.monotonic() - begun < length_s:
            time.sleep(5)
            rows.append((time.monotonic() - begun, proc.anonymous_mib(worker.pid),
                         proc.pss_mib(worker.pid)))
            for socket in receivers.sockets:
                socket.messages.clear()
        worker.command("1", "leave")
        harness.check(worker.wait(120) == 0, worker.process.tail())
    t, heap, pss = np.array(rows).T
    late = t > min(600, length_s / 3)
    slope = np.polyfit(t[late] / 3600, heap[late], 1)[0]
    print(f"# {length_s / 60:.0f} min: PSS {pss[late].max():.1f} MiB at most, private memory "
          f"{heap[late][0]:.1f} -> {heap[-1]:.1f} MiB, slope {slope:.2f} MiB an hour")
    return 0 if slope <= 1 else 1


def sync(build):
    import test_recording
    length_s = minutes(10) * 60
    scenario = {"platform": "meet", "duration_s": length_s, "lobby": {"mode": "none"},
                "participants": [{"id": "clap", "name": "Clapper",
                                  "camera": {"source": "flash_beep"}}],
                "network": {"loss": 0.02}}
    with harness.session(build, scenario) as (_, _, start):
        worker = start()
        harness.check(worker.wait(length_s + 120) == 0, worker.process.tail())
        test_recording.check_sync(worker.output / "recording.mp4", length_s * 0.9)
    return 0


def media(build):
    """Four hours of meeting with memory flat, and an hour of drifting clocks, faster than life."""
    binary = pathlib.Path(build) / "tests/media/test_media_faults"
    env = {**os.environ, "STENO_LONG": "1", "G_TEST_SRCDIR": str(E2E.parent)}
    return max(subprocess.run([str(binary), "--verbose", "-p", f"/faults/{name}"], env=env).returncode
               for name in ("memory_stays_flat", "drift_does_not_part_sound_and_picture"))


def image(build):
    """The worker's image as a folder, and a bot that lives in it."""
    subprocess.run([str(E2E.parent.parent / "containers/deps.sh"), "bench"], check=True)
    return subprocess.run([str(E2E.parent / "containers/rootfs.sh")]).returncode


def main():
    soaks = {"kills": kills, "rounds": rounds, "memory": memory, "sync": sync, "media": media,
             "network": lost_network.run, "orchestrator": orchestrator, "image": image}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("names", nargs="*", choices=[[], *soaks], help="default: all")
    args = parser.parse_args()
    build = pathlib.Path(args.build).resolve()
    for name in args.names or soaks:
        if soaks[name](build) != 0:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
