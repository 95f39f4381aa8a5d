#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The live sockets in a real meeting: an agent that is interrupted, every participant alone,
Attendee's form, and consumers that misbehave while the recording must not notice."""
import base64
import json
import socket
import struct
import threading
import time
import wave

import numpy as np

import harness
import measure
from harness import check, wait_for

HEADER = struct.Struct("<4sB3xIIQQ")


def sine(hz, seconds, rate, amplitude=12000):
    t = np.arange(int(rate * seconds)) / rate
    return (np.sin(2 * np.pi * hz * t) * amplitude).astype("<i2").tobytes()


def bot_speech(worker, op):
    return [e for e in worker.events("bot_speech") if e["op"] == op]


@harness.takes(2)  # no sample may be late
def interrupted_agent(build):
    """An agent's answer is cut off, by flush and by stop_speaking; the next one is said whole. What
    the meeting heard and what the events tell agree. Somebody echoes the bot: that is a participant
    like any other, the bot's own voice is never listed."""
    scenario = {"platform": "meet", "duration_s": None, "lobby": {"mode": "none"},
                "participants": [{"id": "echo", "name": "Echo", "echo": True}]}
    with harness.session(build, scenario) as (meeting, receivers, start):
        worker = start({"recording_mode": "audio_only", "streaming": {
            "input": receivers.ws_url(), "audio_frequency": "16khz"}}, commands=True)
        worker.wait_state("joined_recording")
        wait_for(lambda: receivers.sockets, 20, "the socket")
        live = receivers.sockets[0]
        for number, stop in enumerate((lambda: receivers.send(live, '{"type":"flush"}'),
                                       lambda: worker.command("s", "stop_speaking")), 1):
            receivers.send(live, sine(500, 8, 16000))
            wait_for(lambda n=number: len(bot_speech(worker, "started")) == n, 20, "it speaks")
            time.sleep(1.5)  # the length of what is to be heard
            stop()
            wait_for(lambda n=number: len(bot_speech(worker, "finished")) == n, 20, "it stops")
            time.sleep(1)  # quiet between the answers, so that the report tells them apart
        check(worker.result("s")["ok"], "stop_speaking was refused")
        receivers.send(live, sine(500, 1, 16000))
        wait_for(lambda: len(bot_speech(worker, "finished")) == 3, 20, "the last answer is said")
        time.sleep(1)
        worker.command("l", "leave")
        check(worker.wait(60) == 0, worker.process.tail())
        report = meeting.report()
        finished = bot_speech(worker, "finished")
        check([e["interrupted"] for e in finished] == [True, True, False], f"events {finished}")
        check(abs(finished[2]["said_s"] - 1) < 0.03, f"said {finished[2]}")
        sounds = [s for s in report["bots"][0]["said"]["sound"] if s["end_s"] - s["start_s"] > 0.1]
        heard = [s["end_s"] - s["start_s"] for s in sounds]
        print(f"# heard {[round(h, 2) for h in heard]} s, told "
              f"{[round(e['said_s'], 2) for e in finished]} s")
        check(len(heard) == 3, f"the meeting heard {sounds}")
        check(all(abs(h - e["said_s"]) < 0.25 for h, e in zip(heard, finished)),
              f"heard {heard}, told {finished}")
        check(heard[0] < 4 and heard[1] < 4, f"the interrupted went on: {heard}")
        names = {row["name"] for _, rows in live.speakers() for row in rows}
        check(names == {"Echo"}, f"the speakers list {names}")
        came_back = measure.pcm(live.audio())
        check(np.abs(came_back).max() > 0.1, "the echo was not streamed")


def frames(data_messages):
    """[(kind, participant, source, first sample, Unix s, samples)] of framed messages."""
    rows = []
    for _, message in data_messages:
        if isinstance(message, bytes):
            magic, kind, person, source, first, at_us = HEADER.unpack_from(message)
            check(magic == b"STA1", f"magic {magic}")
            rows.append((kind, person, source, first, at_us / 1e6,
                         np.frombuffer(message[HEADER.size:], "<i2").astype(np.int32)))
    return rows


def check_parts(rows, n_frame):
    """The participants' blocks stand behind the mix they are part of and add up to it."""
    mixes = {}
    sums = {}
    for kind, _, _, first, _, samples in rows:
        check(len(samples) == n_frame, f"a block of {len(samples)} samples")
        if kind == 0:
            mixes[first] = samples
        else:
            check(first in mixes, "a part before its mix")
            sums[first] = sums.get(first, 0) + samples
    firsts = sorted(mixes)
    check(all(b - a == n_frame for a, b in zip(firsts, firsts[1:])), "the mix has holes")
    worst, n_compared, quiet = 0, 0, 0
    for first in firsts:
        whole = sums.get(first, np.zeros(n_frame, int))
        quiet = 0 if np.abs(whole).max() > 30000 else quiet + 1
        if quiet > 100:  # the limiter has let go
            worst = max(worst, np.abs(mixes[first] - whole).max())
            n_compared += first in sums
    print(f"# {len(firsts)} blocks of the mix, {len(sums)} with parts; {n_compared} below full scale "
          f"differ by at most {worst}")
    check(n_compared > 300, "hardly anything to compare")
    check(worst <= 4, f"parts and mix differ by {worst}")


def check_who_when(result, worker, rows, rate):
    """Each participant's own sound is where the meeting's report has it, by the capture times."""
    people = {e["id"]: e["name"] for e in worker.events("participant")}
    zero_s = (result.bot["admitted_unix_ms"] - result.bot["admitted_s"] * 1000) / 1000
    found = []
    for kind, person, _, _, at_s, samples in rows:
        if kind == 1 and np.sqrt((samples.astype(float) ** 2).mean()) > 0.01 * 32768:
            begin = at_s - zero_s
            found.append((people.get(person, "?"), begin, begin + len(samples) / rate))
    found = measure.merge(found, 0.3)
    truth = measure.merge([(result.name_of(run["person"]), a, b) for run in result.report["speech"]
                           for a, b in run["segments"] if a > result.bot["connected_s"]], 0.3)
    check(len(truth) > 5, f"the bot came too late: {result.bot['connected_s']} s")
    error = measure.diarization_error(truth, found)
    offsets = [min((abs(s - a), s - a) for n, s, _ in found if n == name)[1]
               for name, a, _ in truth]
    print(f"# parts by capture time: error {error * 100:.2f} %, onsets off by "
          f"{[round(o * 1000) for o in offsets]} ms")
    check(error < 0.05, f"error {error:.3f}\n truth {truth}\n found {found}")
    # A second is no measure of speed: a wrong clock would be off by the time since 1970.
    check(max(map(abs, offsets)) < 0.5, f"capture times are off by {offsets}")


def check_attendee(receiver, worker, result):
    """Attendee's messages, of the mix and of everybody."""
    messages = receiver.texts()
    check(not receiver.audio(), "binary messages came")
    kinds = {m["trigger"] for m in messages}
    check(kinds == {"realtime_audio.mixed", "realtime_audio.per_participant"}, f"triggers {kinds}")
    check({m["bot_id"] for m in messages} == {"bot-att"}, "bot_id")
    uuids = {m["data"]["participant_uuid"] for m in messages
             if m["trigger"] == "realtime_audio.per_participant"}
    people = {e["platform_id"] for e in worker.events("participant")}
    speakers = {e["id"] for e in worker.events("speech")}
    check(len(uuids & people) >= len(speakers), f"uuids {uuids}, people {people}")
    mixed = b"".join(base64.b64decode(m["data"]["chunk"]) for m in messages
                     if m["trigger"] == "realtime_audio.mixed")
    check({m["data"]["sample_rate"] for m in messages} == {16000}, "sample_rate")
    seconds = len(mixed) / 2 / 16000
    stayed = result.bot["left_s"] - result.bot["admitted_s"]
    check(abs(seconds - stayed) < 3, f"{seconds:.1f} s of audio in {stayed:.1f} s")


@harness.takes(0.75)
def everybody_alone_and_attendee(build):
    """Two bots in one meeting of three who talk over each other: one with every participant alone at
    48 kHz, one in Attendee's form, which also speaks."""
    scenario = json.loads((harness.ROOT / "tests/meeting/scenarios/talk-overlap.json").read_text())
    scenario["duration_s"] += 4
    for person in scenario["participants"]:
        person["camera"] = None
        for speech in person["speech"]:
            speech["at_s"] += 4  # both bots are in by then
    with harness.session(build, scenario) as (meeting, receivers, start):
        framed = start({"bot_name": "Framed", "recording_mode": "audio_only", "streaming": {
            "input": receivers.ws_url("/ws/framed"), "per_participant": True,
            "audio_frequency": "48khz", "frame_ms": 10, "token": "t0ken"}}, name="framed")
        attendee = start({"bot_name": "Attendee", "bot_id": "bot-att",
                          "recording_mode": "audio_only", "streaming": {
                              "input": receivers.ws_url("/ws/att"), "format": "attendee",
                              "per_participant": True, "audio_frequency": "16khz",
                              "frame_ms": 30}}, name="attendee")
        for worker in (framed, attendee):
            worker.wait_state("joined_recording")
        sockets = {s.path: s for s in receivers.sockets}
        speech = {"trigger": "realtime_audio.bot_output", "data": {
            "chunk": base64.b64encode(sine(700, 2, 8000)).decode(), "sample_rate": 8000}}
        receivers.send(sockets["/ws/att"], json.dumps(speech))
        for worker in (framed, attendee):
            check(worker.wait(90) == 0, worker.process.tail())
        report = meeting.report()
        check(sockets["/ws/framed"].headers.get("Authorization") == "Bearer t0ken", "no token")
        rows = frames(sockets["/ws/framed"].messages)
        check_parts(rows, 480)
        check_who_when(harness.Run(report, framed), framed, rows, 48000)
        result = harness.Run(report, attendee)
        check_attendee(sockets["/ws/att"], attendee, result)
        heard = sum(s["end_s"] - s["start_s"] for s in result.bot["said"]["sound"])
        check(1.8 < heard < 2.3, f"{heard:.2f} s heard of 2 s said in Attendee's form")
        with wave.open(result.bot["said"]["wav"]) as file:
            sound = measure.pcm(file.readframes(file.getnframes()))
            peak = np.argmax(np.abs(np.fft.rfft(sound))) * file.getframerate() / len(sound)
        check(abs(peak - 700) < 5, f"heard {peak:.0f} Hz, said 700 Hz")


class Deaf:
    """A consumer that accepts the socket and never reads again, with a small buffer."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        self.taken = []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def url(self):
        return f"ws://127.0.0.1:{self.listener.getsockname()[1]}/"

    def _run(self):
        import hashlib
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(4096)
            key = next(line.split(b":", 1)[1].strip() for line in request.split(b"\r\n")
                       if line.lower().startswith(b"sec-websocket-key"))
            accept = base64.b64encode(hashlib.sha1(
                key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept
                               + b"\r\n\r\n")
            self.taken.append(connection)

    def close(self):
        self.listener.close()
        for connection in self.taken:
            connection.close()


@harness.takes(2)
def recording_never_notices(build):
    """While one consumer is deaf and another one goes away with a code again and again, both bots'
    recordings have every sample of a tone, and the meeting sees nothing."""
    seconds = 24
    scenario = {"platform": "meet", "duration_s": seconds + 4, "lobby": {"mode": "none"},
                "participants": [{"id": "a", "name": "A", "speech": [
                    {"at_s": 4, "tone_hz": 440, "for_s": seconds - 4}]}]}
    deaf = Deaf()
    with harness.session(build, scenario) as (meeting, receivers, start):
        workers = {
            "deaf": start({"bot_name": "Deaf", "recording_mode": "audio_only",
                           "streaming": {"input": deaf.url(), "audio_frequency": "48khz"}},
                          name="deaf"),
            "fickle": start({"bot_name": "Fickle", "recording_mode": "audio_only",
                             "streaming": {"input": receivers.ws_url(), "replay_s": 10}},
                            name="fickle")}
        for worker in workers.values():
            worker.wait_state("joined_recording")
        for count, seconds_first in ((1, 2), (2, 13)):  # the second time replay_s has a beginning
            wait_for(lambda n=count, s=seconds_first: len(receivers.sockets) == n
                     and len(receivers.sockets[-1].audio()) > s * 48000, 40, "some audio")
            receivers.drop(receivers.sockets[-1])
        for worker in workers.values():
            check(worker.wait(90) == 0, worker.process.tail())
        deaf.close()
        report = meeting.report()
        for name, worker in workers.items():
            result = harness.Run(report, worker)
            check(result.bot["how_left"] == "meeting_ended", f"{name}: {result.bot['how_left']}")
            check_tone_in_file(worker.output / "recording.mp3", 440, seconds - 6)
        codes = {name: [w["code"] for w in worker.events("warning")]
                 for name, worker in workers.items()}
        check("streaming_dropped" in codes["deaf"], f"the deaf one was not told of: {codes}")
        check(codes["fickle"].count("streaming_disconnected") == 2, f"warnings {codes}")
        check("streaming_dropped" not in codes["fickle"], f"replay_s lost something: {codes}")
        check_stitched(receivers.sockets)


def check_tone_in_file(path, hz, seconds):
    import subprocess
    out = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-ac", "1", "-ar",
                          "48000", "-f", "s16le", "-"], check=True, capture_output=True)
    signal = measure.pcm(out.stdout)
    begin = measure.onsets(signal, 48000)[0]
    part = signal[int((begin + 0.5) * 48000):int((begin + 0.5 + seconds) * 48000)]
    check(len(part) / 48000 > seconds - 0.5, f"only {len(part) / 48000:.1f} s of tone in {path}")
    phase = measure.tone_phase(part, hz, 48000, block=2400)  # whole periods
    check(np.abs(np.diff(phase)).max() < 0.3, f"{path}: the tone breaks")


def check_stitched(sockets):
    """What came over all connections, laid at its offsets, is one tone without a hole."""
    pieces = [(round(one.texts()[0]["offset"] * 24000), measure.pcm(one.audio()))
              for one in sockets]
    check(len(pieces) == 3 and pieces[2][0] > 0, f"offsets {[at for at, _ in pieces]}")
    end = max(at + len(piece) for at, piece in pieces)
    whole, known = np.zeros(end), np.zeros(end, bool)
    for at, piece in pieces:
        both = known[at:at + len(piece)]
        check(np.array_equal(whole[at:at + len(piece)][both], piece[both]),
              "what came twice differs")
        whole[at:at + len(piece)] = piece
        known[at:at + len(piece)] = True
    check(known.all(), f"{(~known).sum()} samples never came")
    begin = int((measure.onsets(whole, 24000)[0] + 0.5) * 24000)
    phase = measure.tone_phase(whole[begin:begin + 24000 * 14], 440, 24000, block=1200)
    print(f"# stitched from {len(pieces)} connections, drift {phase.max() - phase.min():.3f}")
    check(phase.max() - phase.min() < 0.3, "the tone breaks where the connections meet")


EXAMPLES = harness.ROOT / "docs/examples"


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def check_saved(folder, worker, result):
    """The WAV is the meeting's length, and its labels are who spoke when."""
    with wave.open(str(folder / "meeting.wav")) as file:
        seconds, rate = file.getnframes() / file.getframerate(), file.getframerate()
    check(rate == 24000, f"{rate} Hz")
    stayed = result.bot["left_s"] - result.bot["admitted_s"]
    check(abs(seconds - stayed) < 3, f"{seconds:.1f} s saved of {stayed:.1f} s")
    rows = [line.split("\t") for line in
            (folder / "meeting.txt").read_text(encoding="utf-8").splitlines()]
    joined = next(e["time"] for e in worker.events("state") if e["new"] == "joined_not_recording")
    zero = result.bot["admitted_unix_ms"] - result.bot["admitted_s"] * 1000
    shift = (joined - zero) / 1000
    found = measure.merge([(name, float(a) + shift, float(b) + shift) for a, b, name in rows], 0.5)
    truth = measure.merge([(result.name_of(run["person"]), a, b) for run in result.report["speech"]
                           for a, b in run["segments"]], 0.5)
    error = measure.diarization_error(truth, found)
    print(f"# saved {seconds:.1f} s, labels' error {error * 100:.1f} %")
    # They are as late as the speaker messages, which say so when somebody has spoken for a moment.
    check(error < 0.15, f"error {error:.3f}\n truth {truth}\n found {found}")


def run_examples(build, commands):
    """Alice speaks, the agent says it back until Bob speaks into it, then says back Bob; another bot
    of the same meeting has it saved."""
    scenario = {"platform": "meet", "duration_s": 24, "lobby": {"mode": "none"}, "participants": [
        {"id": "alice", "name": "Alice", "speech": [{"at_s": 5, "wav": "alice-3.wav"}]},
        {"id": "bob", "name": "Bob", "speech": [{"at_s": 12, "wav": "bob-3.wav"}]}]}
    with harness.session(build, scenario) as (meeting, _, start):
        folder = meeting.report_path.parent
        ports = {name: harness.held_port() for name in commands}
        programs = []
        try:
            for name, command in commands.items():
                programs.append(harness.Process(command(ports[name], folder / "saved"),
                                                folder / f"{name}.log"))
                wait_for(lambda n=name: listens(ports[n]), 20, f"{name} listens")
            workers = {name: start({"bot_name": name, "recording_mode": "audio_only", "streaming": {
                "input": f"ws://127.0.0.1:{ports[name]}/"}}, name=name) for name in commands}
            for worker in workers.values():
                check(worker.wait(90) == 0, worker.process.tail())
        finally:
            for program in programs:
                program.close()
        report = meeting.report()
        check_saved(folder / "saved", workers["saver"], harness.Run(report, workers["saver"]))
        finished = bot_speech(workers["agent"], "finished")
        print(f"# the agent: {[(e['said_s'], e['interrupted']) for e in finished]}")
        check(any(e["interrupted"] and e["said_s"] > 0.5 for e in finished), "not interrupted")
        check(not finished[-1]["interrupted"] and finished[-1]["said_s"] > 2, "Bob was not said back")
        agent = harness.Run(report, workers["agent"]).bot
        heard = sum(s["end_s"] - s["start_s"] for s in agent["said"]["sound"])
        check(heard > 3, f"the meeting heard {heard:.1f} s of the agent")


@harness.takes(0.75)
def examples_in_python(build):
    run_examples(build, {
        "saver": lambda port, out: [str(EXAMPLES / "save_wav.py"), "--port", str(port), "--out",
                                    str(out)],
        "agent": lambda port, out: [str(EXAMPLES / "echo_agent.py"), "--port", str(port)]})


@harness.takes(0.75)
def examples_in_node(build):
    node = ["env", "NODE_PATH=/usr/share/nodejs", "node"]
    run_examples(build, {
        "saver": lambda port, out: [*node, str(EXAMPLES / "save_wav.js"), str(port), str(out)],
        "agent": lambda port, out: [*node, str(EXAMPLES / "echo_agent.js"), str(port)]})


TESTS = [interrupted_agent, everybody_alone_and_attendee, recording_never_notices,
         examples_in_python, examples_in_node]

if __name__ == "__main__":
    harness.main(TESTS)
