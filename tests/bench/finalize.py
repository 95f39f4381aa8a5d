#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long the finalizer takes for an hour of 1280x720 at about 1 Mbit/s: working files as a recorder
leaves them are made once, then finalized STENO_TURNS (default 3) times; wall and processor time."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile

BUILD = pathlib.Path(os.environ.get("STENO_BUILD", "build")).resolve()
HOUR_S = 3600
FRAGMENTS = ["-movflags", "frag_keyframe+empty_moov+default_base_moof", "-frag_duration", "400000",
             "-min_frag_duration", "400000", "-use_editlist", "0"]


def ffmpeg(*args):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, args)], check=True)


def make(folder):
    """A minute of each, copied sixty times."""
    work = folder / "work"
    work.mkdir()
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25", "-t", 60, "-c:v", "libx264", "-preset",
           "ultrafast", "-b:v", "1000k", "-bf", 0, "-g", 250, folder / "minute.mp4")
    ffmpeg("-f", "lavfi", "-i", "anoisesrc=r=48000:a=0.1", "-t", 60, "-ac", 1, "-b:a", "96k",
           folder / "minute.m4a")
    loop = ["-stream_loop", HOUR_S // 60 - 1, "-i"]
    ffmpeg(*loop, folder / "minute.mp4", "-c", "copy", *FRAGMENTS, "-video_track_timescale", 90000,
           work / "video.mp4")
    ffmpeg(*loop, folder / "minute.m4a", "-c", "copy", *FRAGMENTS, work / "audio.mp4")
    state = {"version": 1, "mode": 0, "audio_priming": 5120, "ended": True,
             "duration_ns": HOUR_S * 10**9, "n_video_packets": HOUR_S * 25,
             "n_audio_packets": HOUR_S * 48000 // 1024 + 60}
    (work / "state.json").write_text(json.dumps(state))
    return work


def main():
    with tempfile.TemporaryDirectory(prefix="steno-finalize-") as name:
        folder = pathlib.Path(name)
        work, rows = make(folder), []
        for turn in range(int(os.environ.get("STENO_TURNS", "3"))):
            output = folder / f"turn-{turn}"
            output.mkdir()
            shutil.copytree(work, output / ".work")
            os.sync()
            out = subprocess.run([str(BUILD / "tests/bench/finalize-cost"), str(output)],
                                 check=True, capture_output=True, text=True).stdout
            rows.append(json.loads(out))
            print(out.strip(), flush=True)
            shutil.rmtree(output)
        print(f"median: {statistics.median(r['wall_s'] for r in rows):.2f} s, "
              f"{statistics.median(r['cpu_s'] for r in rows):.2f} s of processor time")


if __name__ == "__main__":
    main()
