#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The page itself as the picture: on a display of its own when that is asked for, and from the
browser's compositor where a picture turns out not to be tappable. In a real Chromium."""
import contextlib
import pathlib

import harness  # puts band's folder on the path
import band
from harness import check

WIDTH, HEIGHT = 1280, 720
PEOPLE = [{"id": f"p{i}", "name": f"Person {i}",
           "camera": {"source": "pattern:webcam", "width": 640, "height": 360, "fps": 25},
           "speech": [{"at_s": 1 + 2 * i, "tone_hz": 300 + 100 * i, "for_s": 1.9}]}
          for i in range(3)]
OFF_S = 8.0
MEETING = {"platform": "meet", "duration_s": 15, "lobby": {"mode": "none"}, "participants": PEOPLE,
           "events": [{"at_s": OFF_S, "do": "camera_off", "id": f"p{i}"} for i in range(3)]}


def tile(index, inset):
    """Where the page shows person index + 1: four tiles in a row, the bot's own first. The stage
    has 8 px above and 76 below them, and lies in the middle of the picture. @inset: of the picture
    in its tile."""
    width = (WIDTH - 16 - 3 * 8) / 4
    top = (HEIGHT - (8 + width * 9 / 16 + 76)) / 2 + 8
    left = 8 + (index + 1) * (width + 8)
    height = (width - inset) * 9 / 16
    return slice(round(top), round(top + height)), slice(round(left + inset), round(left + width))


def check_people(path, until_s, inset=0):
    """Each in their own place, moving (how smoothly is the machine's affair); none of the page's
    controls."""
    frames = [(t, gray) for t, gray in band.frames(str(path)) if 2.5 < t < until_s]
    check(frames and frames[0][1].shape == (HEIGHT, WIDTH), "no picture of the right size")
    numbers = set()
    for index in range(3):
        seen = [band.read(gray[tile(index, inset)]) for _, gray in frames]
        found = [s for s in seen if s]
        people = {person for person, _ in found}
        check(len(people) == 1, f"tile {index} shows {people} ({len(found)} of {len(seen)} read)")
        numbers |= people
        steps = [(b - a) % 250 for (_, a), (_, b) in zip(found, found[1:])]
        kept = sum(s > 0 for s in steps) / max(sum(steps), 1)
        print(f"# tile {index}: {kept * 100:.0f} % of the source's pictures")
        check(kept > 0.3, f"tile {index} keeps {kept:.2f}")
    check(len(numbers) == 3, f"the tiles show {numbers}")
    below = frames[-1][1][HEIGHT - 70:]
    check(below.max() - below.min() < 24, "the page's controls are in the picture")


def displays(pids):
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "Xvfb":
                found.append(pid)
    return found


def warnings_of(worker):
    return [e["code"] for e in worker.events("warning")]


@harness.takes(0.5)
def page_on_a_display(build):
    """Grabbed when it changes, and only then; the display goes with the worker."""
    with harness.session(build, MEETING) as (meeting, _, start):
        worker = start({"recording": {"capture": "screen"}})
        worker.wait_state("joined_recording")
        pids = harness.descendants(worker.pid)
        check(len(displays(pids)) == 1, "no display of its own")
        check(worker.wait(90) == 0, worker.process.tail())
        harness.check_nothing_left(worker, pids)
        result = harness.Run(meeting.report(), worker)
        harness.measured()
        off_s = result.to_recording(OFF_S)
        harness.check_decodes(result.recording())
        check_people(result.recording(), off_s - 0.5)
        still = [t for t, _ in band.frames(str(result.recording())) if off_s + 2 < t < off_s + 5]
        check(len(still) <= 9, f"{len(still)} pictures in three seconds of a page that stands still")
        check("screen_capture" not in warnings_of(worker), "a warning for what was asked for")
        check(all(e["found"] for e in worker.events("rule") if e["purpose"] == "capture_stage"),
              "the stage was not found")


@harness.takes(0.75)
def page_when_a_track_cannot_be_tapped(build):
    """A page with a transform of its own keeps it; its picture is taken from the page instead."""
    scenario = {**MEETING, "page": {"transforms": True}}
    with harness.session(build, scenario) as (meeting, _, start):
        worker = start()
        check(worker.wait(90) == 0, worker.process.tail())
        result = harness.Run(meeting.report(), worker)
        harness.measured()
        codes = warnings_of(worker)
        check("video_not_tapped" in codes and codes.count("screen_capture") == 1, f"{codes}")
        check_people(result.recording(), result.to_recording(OFF_S) - 0.5)


@harness.takes(0.75)
def page_that_draws_its_pictures(build):
    """Zoom: photographed from the start, also when the whole client lies in a frame."""
    scenario = {**MEETING, "platform": "zoom", "duration_s": 10, "events": [],
                "page": {"frame": True}}
    with harness.session(build, scenario) as (meeting, _, start):
        worker = start()
        check(worker.wait(90) == 0, worker.process.tail())
        result = harness.Run(meeting.report(), worker)
        harness.measured()
        codes = warnings_of(worker)
        check(codes.count("screen_capture") == 1 and "video_not_tapped" not in codes, f"{codes}")
        check_people(result.recording(), result.to_recording(9.0), inset=8)


TESTS = [page_on_a_display, page_when_a_track_cannot_be_tapped, page_that_draws_its_pictures]

if __name__ == "__main__":
    harness.main(TESTS)
