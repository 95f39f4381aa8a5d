# SPDX-License-Identifier: Apache-2.0
"""Measures the live sockets: how long a packet takes from the page to a consumer and where the time
goes, the round trip of a word spoken by the bot, how fast it falls silent when interrupted, holes
over minutes with every core busy, and what a stream costs."""
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

import harness
import live_trace
import measure

RATE_HZ = 24000
SENTENCES = {"Alice": ["alice-1.wav", "alice-2.wav", "alice-3.wav"],
             "Bob": ["bob-1.wav", "bob-2.wav", "bob-3.wav"], "Carol": ["carol-1.wav", "carol-2.wav"]}
MEASURE_S = 30
SETTLE_S = 4
HZ = 440
LIMITS = {"idle": (40, 80), "busy": (None, 120)}  # whole packet: p50, p99 in ms


def talk(jitter_ms):
    """Three people in spoken sentences, a third of the time over one another."""
    people = []
    for number, (name, wavs) in enumerate(SENTENCES.items()):
        people.append({"id": name, "name": name,
                       "speech": [{"at_s": 1 + 4 * (3 * k + number), "wav": wavs[k % len(wavs)]}
                                  for k in range(20)]})
    return {"platform": "meet", "duration_s": None, "lobby": {"mode": "none"},
            "network": {"jitter_ms": jitter_ms}, "participants": people}


@contextlib.contextmanager
def load(busy):
    """As many endless loops as there are cores."""
    count = os.cpu_count() if busy else 0
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@contextlib.contextmanager
def listening(build, scenario, **streaming):
    """A bot that streams to us: yields (worker, receivers, meeting, path of its trace)."""
    with harness.session(build, scenario) as (meeting, receivers, start):
        receivers.hurry()
        trace = pathlib.Path(meeting.report_path).with_name("trace.txt")
        os.environ["STENO_TRACE"] = str(trace)
        try:
            worker = start({"recording_mode": "audio_only", "automatic_leave": {
                "noone_joined_timeout": 7200, "silence_timeout": 7200},
                            "streaming": {"input": receivers.ws_url(), **streaming}})
        finally:
            del os.environ["STENO_TRACE"]
        worker.wait_state("joined_recording")
        harness.wait_for(lambda: receivers.sockets and receivers.sockets[0].texts(), 20,
                         "the handshake")
        yield worker, receivers, meeting, trace


def finish(worker):
    worker.process.popen.terminate()
    code = worker.wait(60)
    harness.check(code == 0, f"the worker ended with {code}:\n{worker.process.tail()}")


def arrivals(socket):
    """[(first sample, monotonic s)] of the audio messages, and all samples in one array."""
    rows, pieces, at = [], [], None
    for moment, message in list(socket.messages):
        if isinstance(message, str):
            data = json.loads(message)
            if isinstance(data, dict):
                at = round(data["offset"] * data["sample_rate"])
        else:
            rows.append((at, moment))
            at += len(message) // 2
            pieces.append(message)
    return rows, measure.pcm(b"".join(pieces))


def thread_cpu_s(pid):
    """Processor seconds of the worker's threads by name."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            head, tail = (task / "stat").read_text().rsplit(")", 1)
            fields = tail.split()
            name = head.split("(", 1)[1]
            found[name] = found.get(name, 0) + (int(fields[11]) + int(fields[12])) / ticks
    return found


# --- latency -------------------------------------------------------------------------------------


def latency(build, busy, jitter_ms):
    """One run: quantiles in ms, the samples made up, and the cores that the stream's threads took."""
    with listening(build, talk(jitter_ms)) as (worker, receivers, _, path), load(busy):
        time.sleep(SETTLE_S)
        begin_ns, before = time.monotonic_ns(), thread_cpu_s(worker.pid)
        time.sleep(MEASURE_S)
        end_ns, after = time.monotonic_ns(), thread_cpu_s(worker.pid)
        finish(worker)
        trace = live_trace.Trace(path)
        trace.units = [u for u in trace.units if u[:2] in trace.packets
                       and begin_ns < trace.packets[u[:2]][0] < end_ns]
        rows = trace.latencies(arrivals(receivers.sockets[0])[0])
        cores = {name: (after[name] - before.get(name, 0)) / MEASURE_S
                 for name in ("stream", "streaming")}
        return {"packets": len(rows), "ms": live_trace.quantiles(rows), "cores": cores}


def medians(runs):
    return {column: {q: statistics.median(r["ms"][column][q] for r in runs)
                     for q in ("p50", "p95", "p99", "max")} for column in live_trace.COLUMNS}


def measure_latency(build, n_runs):
    cases = {f"{'busy' if busy else 'idle'}{', 30 ms jitter' if jitter else ''}": (busy, jitter)
             for busy in (False, True) for jitter in (0, 30)}
    runs = {name: [] for name in cases}
    for _ in range(n_runs):
        for name, (busy, jitter) in cases.items():
            runs[name].append(latency(build, busy, jitter))
    table = {name: medians(results) for name, results in runs.items()}
    print(f"\nlatency, ms from the browser's receipt of a packet; medians of {n_runs} runs of "
          f"{MEASURE_S} s; the stages are those of the packet's last sample")
    print(f"{'':<22}{'':<14}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}")
    for name, columns in table.items():
        for column, row in columns.items():
            print(f"{name:<22}{column:<14}" + "".join(f"{row[q]:>8.1f}" for q in row))
            name = ""
    missed = []
    for name, (p50_ms, p99_ms) in LIMITS.items():
        row = table[name]["whole packet"]
        for q, limit in (("p50", p50_ms), ("p99", p99_ms)):
            if limit is not None and row[q] > limit:
                missed.append(f"{name}: {q} {row[q]:.1f} ms, wanted {limit}")
    cores = {name: statistics.median(r["cores"][name] for r in runs["idle"])
             for name in ("stream", "streaming")}
    print(f"processor time of a stream: playout {cores['stream'] * 100:.2f} %, socket "
          f"{cores['streaming'] * 100:.2f} % of a core")
    return {"medians": table, "runs": runs, "cores": cores}, missed


# --- speech ---------------------------------------------------------------------------------------

BEEP = (np.sin(2 * np.pi * 600 * np.arange(RATE_HZ // 10) / RATE_HZ) * 12000).astype("<i2").tobytes()


def onset_times(socket, since):
    """Monotonic times at which a message came in which sound begins."""
    rows, sound = arrivals(socket)
    firsts = np.array([r[0] for r in rows])
    times = []
    for onset_s in measure.onsets(sound, RATE_HZ, floor=0.02, gap_s=0.25):
        i = int(np.searchsorted(firsts, firsts[0] + onset_s * RATE_HZ, side="right")) - 1
        times.append(rows[i][1])
    return [t for t in times if t > since]


def round_trip(build, n_beeps=20):
    """ms from the bytes of a beep on our socket until we hear it back from somebody who echoes the
    bot. The first opens the microphone and is told apart."""
    scenario = {"platform": "meet", "duration_s": None, "lobby": {"mode": "none"},
                "participants": [{"id": "echo", "name": "Echo", "echo": True}]}
    with listening(build, scenario) as (worker, receivers, _, _):
        socket, sent = receivers.sockets[0], []
        for _ in range(n_beeps):
            sent.append(time.monotonic())
            receivers.send(socket, BEEP)
            time.sleep(0.42)  # shorter than the microphone takes to close
        time.sleep(1.5)
        heard = onset_times(socket, sent[0])
        finish(worker)
    trips = []
    for i, at in enumerate(sent):
        later = [t for t in heard if at < t < (sent[i + 1] if i + 1 < len(sent) else at + 2)]
        if later:
            trips.append((later[0] - at) * 1000)
    return {"beeps": len(sent), "heard": len(heard), "first_ms": trips[0] if trips else None,
            "p50_ms": statistics.median(trips[1:]), "max_ms": max(trips[1:])}


def interrupt(build, n_times=8):
    """ms from the flush message on our socket to the last sound of the bot in the meeting."""
    scenario = {"platform": "meet", "duration_s": None, "lobby": {"mode": "none"},
                "participants": [{"id": "a", "name": "A"}]}
    t = np.arange(RATE_HZ * 10) / RATE_HZ
    speech = (np.sin(2 * np.pi * 500 * t) * 12000).astype("<i2").tobytes()
    flushed = []
    with listening(build, scenario) as (worker, receivers, meeting, _):
        for _ in range(n_times):
            receivers.send(receivers.sockets[0], speech)
            time.sleep(1.5)
            flushed.append(time.time())
            receivers.send(receivers.sockets[0], '{"type":"flush"}')
            time.sleep(1.2)
        finish(worker)
        report = meeting.report()
    zero_s = report["started_unix_ms"] / 1000
    sounds = [(s["start_s"] + zero_s, s["end_s"] + zero_s)
              for s in report["bots"][0]["said"]["sound"]]
    delays = []
    for at in flushed:
        ends = [end for start, end in sounds if start < at and end > at - 0.05]
        if ends:
            delays.append((max(ends) - at) * 1000)
    harness.check(len(delays) == n_times, f"{len(delays)} of {n_times} interrupts were heard: "
                  f"{sounds}")
    return {"times": n_times, "p50_ms": statistics.median(delays), "max_ms": max(delays)}


# --- holes ----------------------------------------------------------------------------------------


def holes(build, minutes):
    """A steady tone with every core busy: breaks in its phase, samples made up, and missing ones."""
    scenario = {"platform": "meet", "duration_s": None, "lobby": {"mode": "none"},
                "participants": [{"id": "a", "name": "A", "speech": [
                    {"at_s": 2, "tone_hz": HZ, "for_s": minutes * 60 + 60}]}]}
    with listening(build, scenario) as (worker, receivers, _, path):
        time.sleep(SETTLE_S)
        with load(True):
            begin = time.monotonic()
            time.sleep(minutes * 60)
            end = time.monotonic()
        finish(worker)
        rows, sound = arrivals(receivers.sockets[0])
        trace = live_trace.Trace(path)
    inside = [r[0] for r in rows if begin + 2 < r[1] < end]
    chosen = sound[inside[0] - rows[0][0]:inside[-1] - rows[0][0]]
    phase = measure.tone_phase(chosen, HZ, RATE_HZ)
    level, _ = measure.envelope(chosen, RATE_HZ, ms=20)
    steps = int((np.abs(np.diff(phase)) > 0.5).sum())
    quiet = int((level < np.median(level) / 2).sum())
    return {"minutes": minutes, "breaks": steps, "quiet_20_ms": quiet,
            "made_up_ms": trace.made_up_ms(inside[0], inside[-1]), "samples": len(chosen)}


def run(build, runs, minutes):
    result, missed = measure_latency(build, runs)
    trip = result["round_trip"] = round_trip(build)
    print(f"round trip of a word, consumer → bot → meeting → bot → consumer: p50 "
          f"{trip['p50_ms']:.0f} ms, max {trip['max_ms']:.0f} ms; the first, with the microphone to "
          f"be opened, {trip['first_ms']:.0f} ms")
    stop = result["interrupt"] = interrupt(build)
    print(f"interrupt: silent in the meeting after p50 {stop['p50_ms']:.0f} ms, "
          f"max {stop['max_ms']:.0f} ms")
    if stop["max_ms"] > 150:
        missed.append(f"interrupt: {stop['max_ms']:.0f} ms, wanted 150")
    if minutes > 0:
        hole = result["holes"] = holes(build, minutes)
        print(f"holes in {minutes} minutes of tone with every core busy: {hole['breaks']} breaks, "
              f"{hole['quiet_20_ms']} quiet pieces of 20 ms, {hole['made_up_ms']:.0f} ms made up")
        if hole["breaks"] or hole["quiet_20_ms"]:
            missed.append(f"holes: {hole}")
    result["missed"] = missed
    for line in missed:
        print(f"MISSED {line}")
    return result
