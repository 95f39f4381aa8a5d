#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is in the files and on the live sockets, measured against what the meeting sent."""
import json
import wave

import numpy as np

import harness  # also makes tests/meeting importable
import band
import measure
from harness import check

SCENARIOS = harness.ROOT / "tests/meeting/scenarios"


def scenario_of(name, **person):
    """A committed scenario; @person: keys for everybody in it."""
    scenario = json.loads((SCENARIOS / name).read_text())
    for one in scenario["participants"]:
        one.update(person)
    return scenario


def run(build, scenario, keep=None, stream=False, **config):
    """One bot through one meeting; returns (Run, receivers)."""
    with harness.session(build, scenario, keep) as (meeting, receivers, start):
        extra = {"webhook_url": receivers.hook_url(), **config}
        if stream:
            extra["streaming"] = {"input": receivers.ws_url(), **config.get("streaming", {})}
        worker = start(extra)
        code = worker.wait(240)
        check(code == 0, f"exit code {code}; log:\n{worker.process.tail()}")
        result = harness.Run(meeting.report(), worker)
        yield result, receivers


def pictures(path):
    """[(time_s, person or None, counter)] of every picture in the file."""
    return [(t, *(band.read(gray) or (None, None))) for t, gray in band.frames(str(path))]


def check_lengths(result):
    """Video and audio are as long as the meeting was for the bot, within half a second. How soon it sees
    that the meeting is over is the machine's matter."""
    probe = harness.ffprobe(result.recording())
    over = result.to_recording(result.bot["left_s"])
    seen = max(over, (next(e["time"] for e in result.worker.events("status")
                           if e["code"] == "call_ended")
                      - result.metadata["recording_started_unix_ms"]) / 1000)
    for kind in ("video", "audio"):
        length = harness.stream_s(probe, kind)
        check(over - 0.5 < length < seen + 0.5,
              f"{kind} is {length:.3f} s, the meeting {over:.3f}, its end seen at {seen:.3f}")
    check(abs(harness.stream_s(probe, "video") - harness.stream_s(probe, "audio")) < 0.1,
          "video and audio differ")


def check_right_person(result, shown):
    """Within 1 s of each change of speaker the picture is that person's."""
    runs = sorted((result.to_recording(r["start_s"]), result.to_recording(r["end_s"]),
                   r["person"]) for r in result.report["speech"])
    n_checked = 0
    for i, (start, end, person) in enumerate(runs):
        others = [(s, e) for j, (s, e, p) in enumerate(runs) if j != i and p != person]
        from_s = start + 1.0
        to_s = min([end] + [s for s, e in others if s > start])
        if any(s < start < e for s, e in others) or to_s <= from_s:
            continue
        number = result.number_of(person)
        camera = camera_spans(result, person)
        rows = [(t, p) for t, p, _ in shown if from_s <= t < to_s]
        for t, p in rows:
            on = any(a + 0.7 < t < b - 0.7 for a, b in camera)
            off = not any(a - 0.7 < t < b + 0.7 for a, b in camera)
            if on:
                check(p == number, f"at {t:.2f} s shows {p}, not {number} ({person})")
                n_checked += 1
            elif off:
                check(p is None, f"at {t:.2f} s shows {p}, not the tile of {person}")
                n_checked += 1
    check(n_checked > 100, f"only {n_checked} pictures could be compared")


def camera_spans(result, person):
    return [(result.to_recording(p["first_s"]), result.to_recording(p["last_s"]))
            for p in result.bot["pictures"] if p["person"] == person and p["what"] == "camera"]


def kept_share(result, shown):
    """Of the source's pictures of whoever shows, how many are in the file."""
    loops = {p["number"]: p["loop"] for p in result.bot["pictures"]}
    n_shown = n_source = 0
    for (_, who, counter), (_, next_who, next_counter) in zip(shown, shown[1:]):
        if who is not None and who == next_who:
            step = (next_counter - counter) % loops[who]
            if step < loops[who] // 2:
                n_shown += step > 0
                n_source += step
    check(n_source > 200, f"only {n_source} source pictures were on show")
    return n_shown / n_source


def check_pli(result):
    """At most one picture loss indication a minute and stream after the first two seconds."""
    for stream in result.bot["streams"]:
        late = [t for t in stream["pli_s"] + stream["fir_s"] if t > 2]
        minutes = max(1, (result.bot["left_s"] - result.bot["admitted_s"]) / 60)
        check(len(late) <= minutes, f"stream {stream['stream']} ({stream['kind']}): {late}")


def check_diarization(result, limit=0.05):
    truth = measure.merge(result.truth(), 0.3)
    found = result.diarization()
    error = measure.diarization_error(truth, measure.merge(found, 0.3))
    print(f"# diarization error {error * 100:.2f} % of {sum(e - s for _, s, e in truth):.1f} s")
    check(error < limit, f"diarization error {error:.3f}\n truth {truth}\n found {found}")


def first_turns(**person):
    """The demo's meeting until each of the three has spoken once; @person: keys for everybody."""
    scenario = scenario_of("demo.json", **person)
    for one in scenario["participants"]:
        one["speech"] = one["speech"][:1]
    return {**scenario, "duration_s": 18.5, "events": [{"at_s": 18, "do": "end_meeting"}]}


def three_of_25(**person):
    """A meeting of 25, in which three speak, one after the other; @person: keys for everybody."""
    scenario = scenario_of("people-25.json", **person)
    for i, one in enumerate(scenario["participants"]):
        one["speech"] = [{**one["speech"][0], "at_s": 3.5 + 1.5 * i}] if i in (0, 4, 8) else []
    return {**scenario, "duration_s": 21}


@harness.takes(0.75)
def talk_of_three(build):
    """The demo's meeting: lengths, the right picture, frames kept, diarization, indications."""
    for result, receivers in run(build, SCENARIOS / "demo.json", stream=True):
        harness.measured()
        path = result.recording()
        harness.check_decodes(path)
        check_lengths(result)
        shown = pictures(path)
        check_right_person(result, shown)
        share = kept_share(result, shown)
        print(f"# {share * 100:.1f} % of the source's pictures kept")
        check(share >= 0.95, f"only {share * 100:.1f} % of the source's pictures are kept")
        check_diarization(result)
        check_pli(result)
        check_speaker_messages(result, receivers)
        codes = receivers.codes()
        check(codes[-2:] == ["call_ended", "complete"], f"codes {codes}")


def check_speaker_messages(result, receivers):
    """Handshake first, lists of everybody after it, those speaking first, never the bot."""
    socket = receivers.sockets[0]
    texts = socket.texts()
    check(texts[0]["protocol_version"] == 1 and texts[0]["offset"] == 0, f"handshake {texts[0]}")
    lists = [rows for _, rows in socket.speakers()]
    check(lists, "no speaker message came")
    names = {p["name"] for p in result.report["participants"]}
    for rows in lists:
        check({r["name"] for r in rows} <= names, f"unknown names in {rows}")
        speaking = [r["isSpeaking"] for r in rows]
        check(speaking == sorted(speaking, reverse=True), f"not those speaking first: {rows}")
    check({r["name"] for rows in lists for r in rows if r["isSpeaking"]}
          == {result.name_of(r["person"]) for r in result.report["speech"]}, "speakers differ")


def who_spoke(build, scenario, **config):
    for result, _ in run(build, scenario, **config):
        harness.measured()
        harness.check_decodes(result.recording())
        check_diarization(result)


@harness.takes(0.5)
def overlaps(build):
    who_spoke(build, scenario_of("talk-overlap.json", camera=None), recording_mode="audio_only")


@harness.takes(0.75)
def recycling(build):
    """Receivers handed over in the middle of a word; no audio levels."""
    recycled = scenario_of("recycle.json")
    recycled["wire"]["audio_level"] = False
    who_spoke(build, recycled)


def clap_differences(path):
    """How much later each flash of a recorded clapper board is than its beep, in seconds."""
    flashes, was_white = [], False
    for t, gray in band.frames(str(path)):
        white = gray[gray.shape[0] // 3:gray.shape[0] * 3 // 4].mean() > 180
        if white and not was_white:
            flashes.append(t)
        was_white = white
    signal, rate = read_audio(path)
    # Half of the beep's own level: AAC spreads a little of an attack ahead of it.
    beeps = measure.onsets(signal, rate, floor=np.sqrt((signal ** 2).max()) / 4)
    nearest = [min((abs(f - b), f - b) for b in beeps)[1] for f in flashes if f > 1]
    return [d for d in nearest if abs(d) < 0.5]  # the end may cut a pair apart


def check_sync(path, at_least=10):
    differences = clap_differences(path)
    check(len(differences) >= at_least, f"only {len(differences)} flashes")
    p95 = np.percentile(np.abs(differences), 95)
    print(f"# flash minus beep: median {np.median(differences) * 1000:.1f} ms, "
          f"95th percentile of the size {p95 * 1000:.1f} ms, n={len(differences)}")
    check(p95 <= 0.040, f"picture and sound are {p95 * 1000:.0f} ms apart: "
          f"{[round(d * 1000) for d in differences]}")


@harness.takes(1)
def flash_and_beep(build):
    """Picture and sound of a clapper board are within 40 ms at the 95th percentile."""
    for result, _ in run(build, SCENARIOS / "flash-beep.json"):
        harness.measured()
        harness.check_decodes(result.recording())
        check_sync(result.recording())


def read_audio(path):
    import subprocess
    out = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-map", "0:a:0",
                          "-ac", "1", "-ar", "48000", "-f", "s16le", "-"], check=True,
                         capture_output=True)
    return measure.pcm(out.stdout), 48000


def check_tone(result, socket, hz, rate):
    check(socket.texts()[0]["sample_rate"] == rate, "wrong rate")
    signal = measure.pcm(socket.audio())
    speech = result.report["speech"][0]
    start = measure.onsets(signal, rate)[0]
    length = speech["end_s"] - speech["start_s"]
    part = signal[int((start + 0.5) * rate):int((start + length - 0.5) * rate)]
    check(len(part) / rate > length - 1.1, f"only {len(part) / rate:.1f} s of tone arrived")
    phase = measure.tone_phase(part, hz, rate)
    drift = phase.max() - phase.min()
    joined = next(e["time"] for e in result.worker.events("state")
                  if e["new"] == "joined_not_recording")
    zero = result.bot["admitted_unix_ms"] - result.bot["admitted_s"] * 1000
    late = (joined + start * 1000 - zero) / 1000 - speech["start_s"]
    print(f"# {rate} Hz: {len(part) / rate:.1f} s of {hz} Hz, drift {drift:.3f} samples, onset "
          f"{late * 1000:.0f} ms after the scenario's")
    check(drift < 0.6, f"{drift:.2f} samples of drift: a sample is missing or doubled")
    check(abs(late) <= 0.1, f"the tone begins {late * 1000:.0f} ms off")


@harness.takes(2)  # no sample may be late
def tone_at_both_rates(build):
    """A tone of 60 s arrives on the live sockets with no sample missing or doubled."""
    scenario = scenario_of("tone-60s.json")
    tone = scenario["participants"][0]["speech"][0]
    hz, tone["at_s"], scenario["duration_s"] = tone["tone_hz"], 8, tone["for_s"] + 10
    with harness.session(build, scenario) as (meeting, receivers, start):
        workers = {}
        for khz in (24, 16):
            streaming = {"input": receivers.ws_url(f"/ws{khz}"), "audio_frequency": f"{khz}khz"}
            workers[khz] = start({"bot_name": f"Bot {khz}", "bot_id": f"bot-{khz}",
                                  "streaming": streaming, "recording_mode": "audio_only"},
                                 name=f"bot{khz}")
            workers[khz].wait_state("joined_recording")
        for worker in workers.values():
            check(worker.wait(120) == 0, worker.process.tail())
        report = meeting.report()
        for khz, worker in workers.items():
            socket = next(s for s in receivers.sockets if s.path == f"/ws{khz}")
            check_tone(harness.Run(report, worker), socket, hz, khz * 1000)


@harness.takes(2)  # no sample may be late
def speaks_into_the_meeting(build):
    """Speech sent on the socket is heard in the meeting; the microphone is open only for it."""
    scenario = {"platform": "meet", "duration_s": 14, "lobby": {"mode": "none"},
                "participants": [{"id": "alice", "name": "Alice Martin", "camera": None}]}
    with harness.session(build, scenario) as (meeting, receivers, start):
        worker = start({"streaming": {"input": receivers.ws_url(), "audio_frequency": "24khz"}})
        worker.wait_state("joined_recording")
        # The roster comes over the connection that carries speech: it stands at both ends.
        harness.wait_for(lambda: worker.events("participant"), 20, "Alice is known")
        t = np.arange(24000 * 2) / 24000
        speech = (np.sin(2 * np.pi * 500 * t) * 12000).astype("<i2").tobytes()
        for i in range(0, len(speech), 4001):  # odd pieces on purpose
            receivers.send(receivers.sockets[0], speech[i:i + 4001])
        check(worker.wait(60) == 0, worker.process.tail())
        report = meeting.report()
        said = report["bots"][0]["said"]
        heard = sum(s["end_s"] - s["start_s"] for s in said["sound"])
        bot = report["bots"][0]
        print(f"# connected {bot['connected_s']:.2f} s, heard from {said['start_s']:.2f} s: {said['sound']}")
        print(f"# 2 s said, {heard:.2f} s heard; microphone: {report['bots'][0]['mic']}")
        check(1.8 < heard < 2.3, f"{heard:.2f} s heard of 2 s said")
        states = [m["state"] for m in report["bots"][0]["mic"] if m["state"].startswith("mic")]
        check("mic on" in states and states[-1] == "mic off", f"microphone: {states}")
        with wave.open(said["wav"]) as file:
            sound = measure.pcm(file.readframes(file.getnframes()))
            rate = file.getframerate()
        spectrum = np.abs(np.fft.rfft(sound))
        peak = np.argmax(spectrum) * rate / len(sound)
        check(abs(peak - 500) < 5, f"heard {peak:.0f} Hz, said 500 Hz")


def audio_only_receives_no_pictures(build):
    """The platform's own control: a preference, or the settings where the page forgets that."""
    for forgetful, rule in ((False, "video_off_button/says_so"),
                            (True, "video_off_button/audio_only")):
        scenario = {"platform": "meet", "duration_s": 18, "lobby": {"mode": "none"},
                    "page": {"forgetful": forgetful}, "participants": [
                        {"id": "alice", "name": "Alice Martin", "camera": "pattern:webcam",
                         "speech": [{"at_s": 1, "tone_hz": 440, "for_s": 16}]}]}
        for result, _ in run(build, scenario, recording_mode="audio_only"):
            harness.check_decodes(result.worker.output / "recording.mp3")
            rules = [e["rule"] for e in result.worker.events("rule")]
            check(rule in rules, f"{rule} is not among {rules}")
            off_s = [m["at_s"] for m in result.bot["mic"] if m["state"] == "incoming video off"]
            check(len(off_s) == 1, f"turned off at {off_s}")
            late = [p for p in result.bot["pictures"] if p["last_s"] > off_s[0] + 1]
            check(not late, f"turned off at {off_s[0]:.1f} s, still sent: {late}")
            check(not result.worker.events("warning") or all(
                e["code"] == "browser_sandbox_off" for e in result.worker.events("warning")),
                  f"warnings: {result.worker.events('warning')}")
            print(f"# {rule}: off at {off_s[0]:.1f} s")


def live_socket_comes_back(build):
    """The consumer closes; the bot comes back with a handshake whose offset is right."""
    scenario = {"platform": "meet", "duration_s": 22, "lobby": {"mode": "none"},
                "participants": [{"id": "alice", "name": "Alice Martin", "camera": None,
                                  "speech": [{"at_s": 0.5, "tone_hz": 440, "for_s": 21}]}]}
    with harness.session(build, scenario) as (meeting, receivers, start):
        worker = start({"streaming": {"input": receivers.ws_url(), "audio_frequency": "16khz"}})
        worker.wait_state("joined_recording")
        harness.wait_for(lambda: len(receivers.sockets[0].audio()) > 64000, 20, "two seconds")
        receivers.drop(receivers.sockets[0])
        harness.wait_for(lambda: len(receivers.sockets) == 2, 20, "the bot comes back")
        check(worker.wait(60) == 0, worker.process.tail())
        first, second = receivers.sockets
        offset = second.texts()[0]["offset"]
        sent = len(first.audio()) / 2 / 16000
        check(sent < offset < sent + 15, f"offset {offset}, {sent} s were sent before")
        check(len(second.audio()) > 16000, "no audio after the reconnect")
        check([w for w in worker.events("warning") if w["code"] == "streaming_disconnected"],
              "no warning event")


TESTS = [talk_of_three, overlaps, recycling, flash_and_beep, tone_at_both_rates,
         speaks_into_the_meeting, audio_only_receives_no_pictures, live_socket_comes_back]

if __name__ == "__main__":
    harness.main(TESTS)
