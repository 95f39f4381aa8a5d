#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A meeting of four in gallery_view with everything beside the recording switched on: who stands
in which tile, with all their pictures; the shared screen; and each further artifact. In a real
Chromium against a real WebRTC meeting."""
import json
import subprocess

import harness  # puts band's folder on the path
import band
import measure
import numpy as np
from harness import check

WIDTH, HEIGHT = 1280, 720
SHARE = (12.0, 18.0)

MEETING = {
    "platform": "meet", "duration_s": 24, "lobby": {"mode": "none"},
    "participants": [
        {"id": f"p{i}", "name": name,
         "camera": {"source": "pattern:webcam", "width": 640, "height": 360, "fps": 25},
         "speech": [{"at_s": 1 + 5 * i, "tone_hz": 300 + 100 * i, "for_s": 4}]}
        for i, name in enumerate(["Alice Martin", "大谷 翔平", "محمد عبد الله", "🦊 Dana"])]}
MEETING["participants"][0]["screen"] = [
    {"from_s": SHARE[0], "to_s": SHARE[1], "source": "pattern:smpte", "width": 1280, "height": 720,
     "fps": 5}]


def fit(x, y, width, height):
    """The 16:9 picture inside a tile, as media/layout.c places it."""
    w, h = width, width * 9 // 16
    if h > height:
        w, h = height * 16 // 9, height
    w, h = min((w + 1) & ~1, width), min((h + 1) & ~1, height)
    return x + ((width - w) // 2 & ~1), y + ((height - h) // 2 & ~1), w, h


def tiles_of_four():
    return [fit(8 + 640 * column, 8 + 360 * row, 624, 344) for row in (0, 1) for column in (0, 1)]


def read(gray, rect):
    x, y, w, h = rect
    return band.read(gray[y:y + h, x:x + w])


def check_tiles(result, frames, until_s):
    """Everybody in a tile of their own, in a fixed order, and nearly all their pictures."""
    loops = {p["number"]: p["loop"] for p in result.bot["pictures"]}
    for index, rect in enumerate(tiles_of_four()):
        seen = [(t, *found) for t, gray in frames if 4 < t < until_s
                for found in [read(gray, rect)] if found]
        people = {person for _, person, _ in seen}
        check(len(people) == 1, f"tile {index} shows {people}")
        person = people.pop()
        steps = [(b - a) % loops[person] for (_, _, a), (_, _, b) in zip(seen, seen[1:])]
        share = sum(s > 0 for s in steps) / max(sum(s for s in steps if s < 50), 1)
        print(f"# tile {index}: person {person}, {len(seen)} pictures, {share * 100:.1f} % kept")
        check(share >= 0.95 and len(seen) > 50, f"tile {index} keeps {share:.3f} of {len(seen)}")
        yield person


def check_gallery(result):
    path = result.recording()
    harness.check_decodes(path)
    frames = list(band.frames(str(path)))
    check(frames[0][1].shape == (HEIGHT, WIDTH), f"size {frames[0][1].shape}")
    start, end = (result.to_recording(s) for s in SHARE)
    people = list(check_tiles(result, frames, start - 0.5))
    check(len(set(people)) == 4, f"tiles show {people}")
    screen = [found for t, gray in frames if start + 1.5 < t < end - 1
              for found in [read(gray, fit(0, 0, 1024, 720))]]
    shown = [found for found in screen if found and found[0] >= band.SCREEN]
    check(len(shown) > 0.9 * len(screen) > 5, f"the screen shows in {len(shown)} of {len(screen)}")
    back = [found[0] for t, gray in frames if t > end + 1.5
            for found in [read(gray, tiles_of_four()[0])] if found]
    check(set(back) == {people[0]}, f"after the share the first tile shows {set(back)}")


def probe(path, *options):
    out = subprocess.run(["ffprobe", "-v", "error", "-of", "json", *options, str(path)],
                         check=True, capture_output=True)
    return json.loads(out.stdout)


def samples(path, rate=16000):
    out = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-ac", "1", "-ar",
                          str(rate), "-f", "s16le", "-"], check=True, capture_output=True)
    return measure.pcm(out.stdout)


def power(sound, from_s, to_s, rate=16000):
    part = sound[int(from_s * rate):int(to_s * rate)]
    return float(np.mean(part ** 2)) if len(part) else 0.0


def check_tracks(result):
    """Each track holds its participant's words where they were said, and nobody else's."""
    listed = json.loads((result.worker.output / "participants.json").read_text())
    ids = {person["name"]: person["id"] for person in listed}
    # A busy machine may begin to record after the first words.
    runs = [run for run in result.report["speech"] if result.to_recording(run["start_s"]) >= 0]
    check(len(runs) >= 3, f"only {len(runs)} of {result.report['speech']} were recorded")
    for run in runs:
        start, end = result.to_recording(run["start_s"]), result.to_recording(run["end_s"])
        loud = power(samples(result.recording()), start + 0.3, end - 0.3)
        for person in result.report["participants"]:
            path = result.worker.output / f"tracks/{ids[person['name']]}.ogg"
            check(path.exists(), f"{path.name} is missing")
            level = power(samples(path), start + 0.3, end - 0.3)
            own = person["id"] == run["person"]
            check(level > loud / 4 if own else level < loud / 100,
                  f"{path.name} at {start:.1f} s: {level:.2e}, the mix {loud:.2e}, own: {own}")


def check_extras(result):
    names = [a["name"] for a in result.metadata["artifacts"]]
    check("audio.wav" in names and sum(n.startswith("tracks/") for n in names) == 4,
          f"artifacts {names}")
    check(sum(n.startswith("screenshots/at-") for n in names) >= 4, f"artifacts {names}")
    reported = [e["name"] for e in result.worker.events("artifact")]
    check(set(names) <= set(reported), f"not all of {names} were reported: {reported}")
    wav = probe(result.worker.output / "audio.wav", "-show_streams", "-show_format")
    length = float(probe(result.recording(), "-show_format")["format"]["duration"])
    check(wav["streams"][0]["sample_rate"] == "16000" and wav["streams"][0]["channels"] == 1,
          f"audio.wav: {wav['streams'][0]}")
    check(abs(float(wav["format"]["duration"]) - length) < 0.2, f"audio.wav: {wav['format']}")
    titles = [c["tags"]["title"] for c in probe(result.recording(), "-show_chapters")["chapters"]]
    check(titles == [p["name"] for p in MEETING["participants"]], f"chapters {titles}")


@harness.takes(1)
def gallery_with_everything(build):
    """Tiles, share, tracks, WAV, screenshots and chapters of a meeting of four."""
    recording = {"separate_audio": True, "audio_wav": True, "screenshots": 5, "chapters": True}
    with harness.session(build, MEETING) as (meeting, _, start):
        worker = start({"recording_mode": "gallery_view", "recording": recording})
        code = worker.wait(120)
        check(code == 0, f"exit code {code}; log:\n{worker.process.tail()}")
        result = harness.Run(meeting.report(), worker)
        harness.measured()
        check_gallery(result)
        check_extras(result)
        check_tracks(result)


TESTS = [gallery_with_everything]

if __name__ == "__main__":
    harness.main(TESTS)
