#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo: a test meeting with three people, a bot in it, and what it delivered; then the same through
the orchestrator's HTTP API, as a client would do it."""
import argparse
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness  # noqa: E402
import measure  # noqa: E402
import orchestrator  # noqa: E402
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


# --- through the orchestrator ---

CALL = {"platform": "meet", "duration_s": 12, "lobby": {"mode": "admit", "after_s": 1},
        "participants": [
            {"id": "alice", "name": "Alice Martin", "camera": {"source": "pattern:webcam"},
             "speech": [{"at_s": 1.5, "wav": "alice-1.wav"}]}]}


def curl(api, method, path, body=None):
    """Shows the command as it can be typed, and runs it."""
    command = ["curl", "-sS", "-X", method, f"http://127.0.0.1:{api.port}{path}",
               "-H", f"x-meeting-baas-api-key: {api.key}"]
    if body is not None:
        command += ["-H", "content-type: application/json", "-d", json.dumps(body)]
    shown = shlex.join(command).replace(api.key, "$KEY")
    print(f"  $ {shown}")
    out = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
    print(f"    {out.strip()[:300]}")
    return json.loads(out)


def ask_for_a_bot(api, meeting, hooks, folder):
    answer = curl(api, "POST", "/bots", {
        "meeting_url": meeting.url, "bot_name": "Steno", "recording_mode": "speaker_view",
        "webhook_url": hooks.url()})
    bot = answer["bot_id"]
    final = harness.wait_for(lambda: hooks.final(bot), 120, "the end of the bot")
    print("  webhooks: " + " → ".join(hooks.codes(bot)))
    if final["event"] != "complete":
        raise harness.Failure(f"the bot failed: {final}")
    data = curl(api, "GET", f"/bots/meeting_data?bot_id={bot}")
    path = folder / "downloaded.mp4"
    path.write_bytes(harness.fetch(data["mp4"]))
    harness.check_decodes(path)
    print(f"  downloaded {path} ({path.stat().st_size:,} bytes), it plays")


def through_the_api(build, folder):
    heading("The same through the orchestrator's API")
    meeting = harness.Meeting(build, folder, CALL)
    hooks = orchestrator.Hooks()
    api = orchestrator.Orchestrator(build, folder, meeting.browser(), max=1)
    try:
        api.start()
        ask_for_a_bot(api, meeting, hooks, folder)
        api.stop()
    finally:
        api.close()
        meeting.close()
        hooks.close()


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
    finally:
        meeting.close()
        receivers.close()
    (folder / "api").mkdir()
    through_the_api(build, folder / "api")
    return 0


if __name__ == "__main__":
    sys.exit(main())
