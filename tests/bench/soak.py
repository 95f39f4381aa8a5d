#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Long runs: `kills` (STENO_KILLS, default 100, of recording bots at random times) and `rounds` (the
whole end-to-end suite STENO_ROUNDS times, default 10). Stops at the first failure."""
import argparse
import os
import pathlib
import subprocess
import sys
import time

E2E = pathlib.Path(__file__).resolve().parent.parent / "e2e"


def run(script, build, **env):
    return subprocess.run([sys.executable, str(E2E / script)],
                          env={**os.environ, "STENO_BUILD": build, **env}).returncode


def kills(build):
    count = os.environ.get("STENO_KILLS", "100")
    seed = os.environ.get("STENO_SEED", str(int(time.time())))
    print(f"# {count} kills, STENO_SEED={seed}", flush=True)
    return run("test_kill.py", build, STENO_KILLS=count, STENO_SEED=seed)


def rounds(build):
    for number in range(1, int(os.environ.get("STENO_ROUNDS", "10")) + 1):
        print(f"# round {number}", flush=True)
        for script in ("test_recording.py", "test_outcomes.py", "test_kill.py"):
            if run(script, build) != 0:
                return 1
    return 0


def main():
    soaks = {"kills": kills, "rounds": rounds}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("names", nargs="*", choices=[[], *soaks], help="default: all")
    args = parser.parse_args()
    build = str(pathlib.Path(args.build).resolve())
    for name in args.names or soaks:
        if soaks[name](build) != 0:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
