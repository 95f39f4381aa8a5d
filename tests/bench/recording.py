# SPDX-License-Identifier: Apache-2.0
"""Steno beside the usual way (usual.py): the same meetings, turn by turn. What is compared: processor
time and memory by group of processes, file size, the share of the source's pictures that arrived, and
their likeness (SSIM) to what the meeting sent. Figures are medians; the raw ones are in the JSON."""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "meeting"), str(ROOT / "e2e")]
import band  # noqa: E402
import harness  # noqa: E402
import proc  # noqa: E402
import usual  # noqa: E402

SETTLE_S, MEASURE_S = 6, 20
BANDS = 128  # above: a shared screen


def talk(n, width, height):
    """People with cameras who speak in turn, 5 s each."""
    return [{"id": f"p{i}", "name": f"Person {i}",
             "camera": {"source": "pattern:webcam", "width": width, "height": height, "fps": 25},
             "speech": [{"at_s": 1 + 5 * (i + n * k), "tone_hz": 300 + 60 * i, "for_s": 4.5}
                        for k in range(1 + 12 // n)]}
            for i in range(n)]


def slides():
    """One person shares a picture that does not change; another one speaks, both without camera."""
    people = talk(2, 640, 360)
    for person in people:
        person["camera"] = None
    people[0]["screen"] = [{"from_s": 0.2, "to_s": 300, "source": "pattern:smpte75", "fps": 1,
                            "loop_s": 1}]
    return people


CASES = {  # name: (people, worker's mode, the usual way's view)
    "talk_720": (talk(3, 1280, 720), "speaker_view", "speaker"),
    "talk_360": (talk(3, 640, 360), "speaker_view", "speaker"),
    "gallery_9": (talk(9, 640, 360), "gallery_view", "gallery"),
    "slides": (slides(), "speaker_view", "speaker"),
    "audio_only": (talk(3, 640, 360), "audio_only", "audio"),
}


def scenario(people, for_s=120):
    return {"platform": "meet", "duration_s": for_s, "lobby": {"mode": "none"},
            "participants": people}


# --- quality ---

def sources(build, people, folder):
    """{person's number: {the band's counter: gray picture}} of what is sent in a loop."""
    path = folder / "source.json"
    path.write_text(json.dumps(scenario(people)))
    subprocess.run([str(build / "tests/bench/clip-ivf"), str(path), str(folder)], check=True)
    pictures = {}
    for file in sorted(folder.glob("*.ivf")):
        shown = [gray for _, gray in band.frames(str(file))]
        pictures[int(file.stem)] = {band.read(gray)[1]: gray for gray in shown}
    return pictures


def grid_tiles(n, width=usual.WIDTH, height=usual.HEIGHT):
    """The worker's gallery (media/layout.c)."""
    def even(v):
        return int(v) & ~1

    def cell(columns):
        rows = -(-n // columns)
        return min(width // columns, height // rows * 16 // 9)
    columns = max(range(1, n + 1), key=lambda c: (cell(c), c))
    rows = -(-n // columns)
    w = even(cell(columns))
    h = even(min(w * 9 // 16 + 1, height // rows))
    gap = even(max(w // 80, 2)) if n > 1 else 0
    tiles = []
    for i in range(n):
        row = i // columns
        in_row = n - row * columns if row == rows - 1 else columns
        left = (width - in_row * w) // 2
        tiles.append(fit(even(left + (i - row * columns) * w) + gap,
                         even((height - rows * h) // 2 + row * h) + gap, w - 2 * gap, h - 2 * gap))
    return tiles


def fit(x, y, width, height):
    """A picture of 16:9 in the middle of a tile."""
    w, h = width, width * 9 // 16
    if h > height:
        w, h = height * 16 // 9, height
    w, h = min((w + 1) & ~1, width), min((h + 1) & ~1, height)
    return x + ((width - w) // 2 & ~1), y + ((height - h) // 2 & ~1), w, h


def ssim(a, b, block=8):
    """Mean structural similarity (Wang et al. 2004) over blocks of 8x8 without overlap."""
    height, width = (n // block * block for n in a.shape)

    def blocks(x):
        x = x[:height, :width].astype(np.float64)
        return x.reshape(height // block, block, width // block, block).swapaxes(1, 2).reshape(
            -1, block * block)
    a, b = blocks(a), blocks(b)
    mean_a, mean_b = a.mean(1), b.mean(1)
    var_a, var_b = a.var(1), b.var(1)
    cov = ((a - mean_a[:, None]) * (b - mean_b[:, None])).mean(1)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float((((2 * mean_a * mean_b + c1) * (2 * cov + c2))
                  / ((mean_a ** 2 + mean_b ** 2 + c1) * (var_a + var_b + c2))).mean())


def likeness(tile, source):
    """SSIM at the source's size, without the band, the name's label and the border."""
    height, width = source.shape
    shown = np.asarray(Image.fromarray(tile).resize((width, height), Image.Resampling.LANCZOS))
    y0, y1, x0, x1 = height // 8, height * 3 // 4, width // 40, width * 39 // 40
    return ssim(shown[y0:y1, x0:x1], source[y0:y1, x0:x1])


class Tile:
    """What one place of the picture shows, frame by frame."""

    def __init__(self, rect, pictures):
        self.rect, self.pictures = rect, pictures
        self.last, self.n_new, self.n_sent, self.alike = None, 0, 0, []

    def take(self, gray, sample):
        x, y, width, height = self.rect
        tile = np.ascontiguousarray(gray[y:y + height, x:x + width])
        seen = band.read(tile)
        if seen is None or seen[0] not in self.pictures:
            return
        clip = self.pictures[seen[0]]
        if self.last is not None and self.last[0] == seen[0]:
            step = (seen[1] - self.last[1]) % len(clip)
            if 0 < step < len(clip) // 2:
                self.n_new += 1
                self.n_sent += step
        self.last = seen
        if sample and seen[1] in clip:
            self.alike.append(likeness(tile, clip[seen[1]]))


def quality(path, rects, pictures):
    """(share of the source's pictures that arrived, median SSIM) after the first 2 s."""
    tiles = [Tile(rect, pictures) for rect in rects]
    for i, (_, gray) in enumerate(band.frames(str(path), 2, MEASURE_S)):
        for tile in tiles:
            tile.take(gray, i % 25 == 0)
    sent = sum(t.n_sent for t in tiles)
    alike = [v for t in tiles for v in t.alike]
    return (sum(t.n_new for t in tiles) / sent if sent else 0.0,
            statistics.median(alike) if alike else 0.0)


# --- one turn ---

def watch(groups):
    """Cores and PSS (MiB) of each group over MEASURE_S."""
    before = {g: sum(map(proc.cpu_s, pids)) for g, pids in groups.items()}
    begun = time.monotonic()
    time.sleep(MEASURE_S)
    elapsed = time.monotonic() - begun
    return {g: {"cores": (sum(map(proc.cpu_s, pids)) - before[g]) / elapsed,
                "pss_mib": sum(map(proc.pss_mib, pids))} for g, pids in groups.items()}


def describe(path):
    probe = harness.ffprobe(path)
    return {"kib_per_s": path.stat().st_size / 1024 / float(probe["format"]["duration"])}


def steno_turn(build, people, mode, folder):
    folder.mkdir()
    meeting = harness.Meeting(build, folder, scenario(people))
    started = time.time()
    worker = harness.Worker(build, folder, {
        "meeting_url": meeting.url, "browser": meeting.browser(), "recording_mode": mode}, True)
    try:
        worker.wait_state("joined_recording")
        begun = harness.wait_for(lambda: worker.events("recording"), 20, "recording")
        time.sleep(SETTLE_S)
        groups = watch({"browser": harness.descendants(worker.pid), "media": [worker.pid],
                        "helpers": []})
        worker.command("1", "leave")
        harness.check(worker.wait(60) == 0, worker.process.tail())
    finally:
        worker.close()
        meeting.close()
    path = worker.output / ("recording.mp3" if mode == "audio_only" else "recording.mp4")
    return {"groups": groups, "first_frame_s": begun[0]["time"] / 1000 - started,
            **describe(path)}, path


def usual_turn(build, people, view, folder):
    folder.mkdir()
    meeting = harness.Meeting(build, folder, scenario(people))
    bot = usual.UsualBot(folder, meeting, view)
    try:
        bot.wait_recording()
        time.sleep(SETTLE_S)
        groups = watch(bot.groups())
        rects = bot.tiles()
        bot.stop()
    except BaseException:
        bot.close()
        raise
    finally:
        meeting.close()
    return {"groups": groups, "first_frame_s": bot.first_frame_s, **describe(bot.file)}, \
        bot.file, rects


def turn(build, name, folder, steno_first):
    people, mode, view = CASES[name]
    result = {}

    def steno():
        result["steno"], result["steno_file"] = steno_turn(build, people, mode, folder / "steno")

    def other():
        result["usual"], result["usual_file"], result["rects"] = usual_turn(
            build, people, view, folder / "usual")
    for run in (steno, other) if steno_first else (other, steno):
        run()
    whole = [(0, 0, usual.WIDTH, usual.HEIGHT)]
    if view != "audio" and name != "slides":
        pictures = sources(build, people, folder)
        mine = grid_tiles(len(people)) if view == "gallery" else whole
        theirs = result["rects"] if view == "gallery" else whole
        for who, rects in (("steno", mine), ("usual", theirs)):
            kept, alike = quality(result[who + "_file"], rects, pictures)
            result[who].update(kept=kept, ssim=alike)
    return {"steno": result["steno"], "usual": result["usual"]}


# --- the table ---

def total(run, key):
    return sum(group[key] for group in run["groups"].values())


def median_of(runs, value):
    return statistics.median(value(run) for run in runs)


def row(turns):
    """Medians of both, and of the ratio within each turn."""
    out = {}
    for who in ("steno", "usual"):
        runs = [t[who] for t in turns]
        out[who] = {g: {k: median_of(runs, lambda r: r["groups"][g][k])
                        for k in ("cores", "pss_mib")} for g in ("browser", "media", "helpers")}
        out[who]["cores"] = median_of(runs, lambda r: total(r, "cores"))
        for key in ("kib_per_s", "first_frame_s", "kept", "ssim"):
            if key in runs[0]:
                out[who][key] = median_of(runs, lambda r: r[key])
    out["ratio"] = statistics.median(total(t["steno"], "cores") / total(t["usual"], "cores")
                                     for t in turns)
    return out


def print_table(table):
    print(f"{'case':<12}{'way':<7}{'cores':>7}{'browser':>9}{'media':>7}{'help':>6}{'media PSS':>11}"
          f"{'KiB/s':>8}{'1st s':>7}{'kept':>7}{'SSIM':>8}{'ratio':>7}")
    for name, result in table.items():
        for who in ("steno", "usual"):
            r = result[who]
            print(f"{name:<12}{who:<7}{r['cores']:>7.3f}{r['browser']['cores']:>9.3f}"
                  f"{r['media']['cores']:>7.3f}{r['helpers']['cores']:>6.2f}"
                  f"{r['media']['pss_mib']:>8.0f} MiB{r['kib_per_s']:>7.0f}"
                  f"{r['first_frame_s']:>7.1f}"
                  + (f"{r['kept'] * 100:>6.1f}%{r['ssim']:>8.4f}" if "kept" in r else " " * 15)
                  + (f"{result['ratio']:>7.2f}" if who == "steno" else ""))


def run(build, runs, cases=None):
    results = {name: [] for name in (cases or CASES)}
    for number in range(runs):
        for name in results:
            with tempfile.TemporaryDirectory(prefix="steno-bench-") as folder:
                results[name].append(turn(build, name, pathlib.Path(folder), number % 2 == 0))
    table = {name: row(turns) for name, turns in results.items()}
    print_table(table)
    return {"medians": table, "runs": results}


# --- how many bots a machine carries ---

def density_step(build, people, n_bots, folder, pictures):
    """The least share of pictures that one of n_bots kept, and all their cores."""
    meeting = harness.Meeting(build, folder, scenario(people))
    workers = []
    try:
        for i in range(n_bots):
            workers.append(harness.Worker(build, folder, {
                "meeting_url": meeting.url, "browser": meeting.browser(), "bot_id": f"b{i}",
                "bot_name": f"Bot {i}"}, True, f"bot{i}"))
        for worker in workers:
            worker.wait_state("joined_recording", 90)
        time.sleep(SETTLE_S)
        groups = watch({"bots": [p for w in workers
                                 for p in [w.pid, *harness.descendants(w.pid)]]})
        for worker in workers:
            worker.command("1", "leave")
        for worker in workers:
            harness.check(worker.wait(90) == 0, worker.process.tail())
    finally:
        for worker in workers:
            worker.close()
        meeting.close()
    whole = [(0, 0, usual.WIDTH, usual.HEIGHT)]
    kept = min(quality(w.output / "recording.mp4", whole, pictures)[0] for w in workers)
    return {"bots": n_bots, "kept": kept, "cores": groups["bots"]["cores"]}


def density(build, most=16):
    """One more bot each time, in one meeting, until one of them loses 5 % of the pictures."""
    people = CASES["talk_360"][0]
    steps = []
    with tempfile.TemporaryDirectory(prefix="steno-bench-") as folder:
        folder = pathlib.Path(folder)
        pictures = sources(build, people, folder)
        for n_bots in range(1, most + 1):
            step_folder = folder / str(n_bots)
            step_folder.mkdir()
            steps.append(density_step(build, people, n_bots, step_folder, pictures))
            print(f"{n_bots:>3} bots: {steps[-1]['kept'] * 100:.1f} % kept, "
                  f"{steps[-1]['cores']:.2f} cores", flush=True)
            if steps[-1]["kept"] < 0.95:
                break
    print(f"{max([s['bots'] for s in steps if s['kept'] >= 0.95], default=0)} bots keep 95 %")
    return {"steps": steps}
