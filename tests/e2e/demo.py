#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo: a test meeting with three people, a bot in it, and what it delivered."""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402
import measure  # noqa: E402
import sheet  # noqa: E402

BAR = 60


def heading(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}")


def run_worker(build, folder, meeting, receivers, worker_folder):
    browser = json.dumps(meeting.browser())
    command = [str(build / "bot/steno-worker"), "join", meeting.url, "--name", "Steno",
               "--output-dir", str(worker_folder), "--browser", browser,
               "--stream-input", receivers.ws_url("/ws/live"),
               "--webhook-url", receivers.hook_url(),
               "--set", "webhook_api_key=demo-key", "--set", "bot_id=demo"]
    env = dict(os.environ)
    log = None
    if not sys.stderr.isatty():
        log = open(folder / "worker.log", "wb")
    worker = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stderr=log)
    try:
        return worker.wait(180)
    finally:
        if worker.poll() is None:
            worker.terminate()
            worker.wait(60)
        if log:
            log.close()


def show_timeline(segments, duration_s):
    merged = measure.merge(segments, 0.6)
    names = sorted({name for name, _, _ in merged})
    width = max([len(n) for n in names] + [1])
    for name in names:
        cells = [" "] * BAR
        for who, start, end in merged:
            if who == name:
                first = int(start / duration_s * BAR)
                for cell in range(first, max(first + 1, int(end / duration_s * BAR))):
                    if cell < BAR:
                        cells[cell] = "━"
        print(f"  {name:<{width}} │{''.join(cells)}│")
    print(f"  {'':<{width}} 0{'':>{BAR - 6}}{duration_s:5.1f} s")


def show_files(output):
    for path in sorted(output.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            print(f"  {path.name:<22} {path.stat().st_size:>10,} bytes")


def show(output, receivers, contact_sheet):
    metadata = json.loads((output / "metadata.json").read_text())
    recording = output / "recording.mp4"
    probe = harness.ffprobe(recording)
    duration_s = float(probe["format"]["duration"])
    heading("Recording")
    print(f"  {recording}")
    print(f"  {duration_s:.2f} s, {recording.stat().st_size:,} bytes, ended by: "
          f"{metadata['end_reason']}")
    for stream in probe["streams"]:
        detail = (f"{stream['width']}x{stream['height']}, {stream['nb_frames']} pictures"
                  if stream["codec_type"] == "video"
                  else f"{stream['sample_rate']} Hz, {stream['channels']} channel(s)")
        print(f"  {stream['codec_type']:<5} {stream['codec_name']:<5} {detail}, "
              f"{float(stream['duration']):.2f} s")
    heading("Who spoke (diarization.jsonl)")
    rows = [json.loads(line) for line in (output / "diarization.jsonl").read_text().splitlines()]
    show_timeline([(r["speaker"], r["start_time"], r["end_time"]) for r in rows], duration_s)
    heading("Live audio (WebSocket)")
    for socket in receivers.sockets:
        print(f"  {socket.path}: handshake {json.dumps(socket.texts()[0])}")
        print(f"  {len(socket.audio()) / 2 / 24000:.2f} s of PCM, "
              f"{len(socket.speakers())} speaker messages")
    heading("Webhooks")
    print("  " + " → ".join(receivers.codes()))
    heading("Files")
    show_files(output)
    sheet.make(recording, contact_sheet, rows)
    heading("Contact sheet")
    print(f"  {contact_sheet}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("folder", nargs="?", default="out/demo")
    args = parser.parse_args()
    build = pathlib.Path(args.build).resolve()
    folder = pathlib.Path(args.folder).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    receivers = harness.Receivers()
    meeting = harness.Meeting(build, folder,
                              harness.ROOT / "tests/meeting/scenarios/demo.json")
    try:
        heading("The bot joins " + meeting.url)
        exit_code = run_worker(build, folder, meeting, receivers, folder / "bot")
        meeting.report()
        if exit_code != 0:
            print(f"the worker ended with exit code {exit_code}; see {folder}", file=sys.stderr)
            return exit_code
        show(folder / "bot", receivers, folder / "contact-sheet.png")
        return 0
    finally:
        meeting.close()
        receivers.close()


if __name__ == "__main__":
    sys.exit(main())
