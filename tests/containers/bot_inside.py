#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A bot whose programs and libraries are those of an image's root file system, as the image's user:
it joins a test meeting outside, records and delivers. Called by rootfs.sh, as root."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))
import harness  # noqa: E402

UID = 10001
SCENARIO = {"platform": "meet", "duration_s": 10, "lobby": {"mode": "admit", "after_s": 1},
            "participants": [{"id": "alice", "name": "Alice Martin",
                              "camera": {"source": "pattern:webcam"},
                              "speech": [{"at_s": 1, "tone_hz": 440, "for_s": 6}]}]}


def run(root):
    shared = pathlib.Path(tempfile.mkdtemp(dir="/tmp", prefix="steno-image-"))
    inside = root / shared.relative_to("/")
    inside.mkdir(parents=True)
    subprocess.run(["mount", "--bind", str(shared), str(inside)], check=True)
    try:
        meet(root, shared)
    finally:
        subprocess.run(["umount", str(inside)], check=True)
        inside.rmdir()
        shutil.rmtree(shared, ignore_errors=True)


def meet(root, shared):
    """The harness' own meeting and receivers; its worker is a program that goes inside first."""
    build = shared / "build"
    (build / "bot").mkdir(parents=True)
    (build / "tests").symlink_to(harness.ROOT / "build/tests")
    worker = build / "bot/steno-worker"
    worker.write_text(f'#!/bin/sh\nexec chroot --userspec={UID}:{UID} "{root}" env TMPDIR="$TMPDIR" '
                      f'HOME=/home/steno /usr/local/bin/steno-worker "$@"\n')
    worker.chmod(0o755)
    # What the harness makes is for the user inside, too.
    os.umask(0)
    os.chmod(shared, 0o777)
    make_folder = tempfile.mkdtemp

    def make_open_folder(**keys):
        folder = make_folder(**{**keys, "dir": shared})
        os.chmod(folder, 0o777)
        return folder

    tempfile.mkdtemp = make_open_folder
    with harness.session(build, SCENARIO) as (meeting, receivers, start):
        bot = start({"webhook_url": receivers.hook_url()})
        harness.check(bot.wait(120) == 0, bot.process.tail())
        harness.check_decodes(bot.output / "recording.mp4")
        probe = harness.ffprobe(bot.output / "recording.mp4")
        harness.check(receivers.codes()[-1] == "complete", f"{receivers.codes()}")
        harness.check((bot.output / "recording.mp4").stat().st_uid == UID, "not the image's user")
        print(f"# recorded {harness.stream_s(probe, 'video'):.1f} s inside the image")


if __name__ == "__main__":
    run(pathlib.Path(sys.argv[1]).resolve())
