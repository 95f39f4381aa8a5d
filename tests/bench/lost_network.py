# SPDX-License-Identifier: Apache-2.0
"""The network between a bot and its consumer, lost for a while: a TCP relay that stands still, and
what must be true afterwards."""
import select
import socket
import subprocess
import threading
import time

import numpy as np

import harness
import measure
from harness import check, wait_for

LOSSES_S = (1, 10, 60)
BETWEEN_S = 12
HZ = 440
RATE = 24000


class Relay:
    """Relays to a port on loopback; while lost, nothing passes and nobody is told."""

    def __init__(self, to_port):
        self.to_port = to_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.lost = False
        self.pairs = {}  # socket -> its other end
        self.stopped = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def url(self):
        return f"ws://127.0.0.1:{self.listener.getsockname()[1]}/ws"

    def _drop(self, one):
        other = self.pairs.pop(one)
        self.pairs.pop(other, None)
        one.close()
        other.close()

    def _pass(self, ready):
        for one in ready:
            if one is self.listener:
                bot, _ = self.listener.accept()
                consumer = socket.create_connection(("127.0.0.1", self.to_port))
                self.pairs.update({bot: consumer, consumer: bot})
            elif one in self.pairs:
                try:
                    data = one.recv(65536)
                    if data:
                        self.pairs[one].sendall(data)
                        continue
                except OSError:
                    pass
                self._drop(one)

    def _run(self):
        while not self.stopped:
            if self.lost:
                time.sleep(0.01)
                continue
            self._pass(select.select([self.listener, *self.pairs], [], [], 0.05)[0])

    def close(self):
        self.stopped = True
        self.thread.join()
        for one in list(self.pairs):
            one.close()
        self.listener.close()


def streamed_s(one):
    """Stream time that a connection has reached."""
    texts = one.texts()
    return texts[0]["offset"] + len(one.audio()) / 2 / RATE if texts else 0


def check_connections(sockets):
    """Each connection is one tone but for what a full queue dropped, and says where it begins."""
    ends = 0
    for one in sockets:
        if not one.texts():
            continue  # a dial that the bot had given up when it came through
        offset, sound = one.texts()[0]["offset"], measure.pcm(one.audio())
        check(offset >= ends - 1e-6, f"a connection begins at {offset}, the last ended at {ends}")
        ends = offset + len(sound) / RATE
    return ends


def check_recording(path, seconds):
    out = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-ac", "1", "-ar",
                          "48000", "-f", "s16le", "-"], check=True, capture_output=True)
    signal = measure.pcm(out.stdout)
    begin = int((measure.onsets(signal, 48000)[0] + 0.5) * 48000)
    phase = measure.tone_phase(signal[begin:begin + int(seconds * 48000)], HZ, 48000, block=2400)
    check(np.abs(np.diff(phase)).max() < 0.3, "the recording's tone breaks")


def run(build):
    """Losses of 1, 10 and 60 s: the stream comes back by itself every time, what was dropped is
    told, and the recording has every sample."""
    length_s = sum(LOSSES_S) + BETWEEN_S * (len(LOSSES_S) + 1)
    scenario = {"platform": "meet", "duration_s": None, "lobby": {"mode": "none"}, "participants": [
        {"id": "a", "name": "A", "speech": [{"at_s": 3, "tone_hz": HZ, "for_s": length_s + 60}]}]}
    with harness.session(build, scenario) as (_, receivers, start):
        relay = Relay(receivers.port)
        worker = start({"recording_mode": "audio_only", "streaming": {"input": relay.url()}},
                       commands=True)
        worker.wait_state("joined_recording")
        joined = time.monotonic()
        time.sleep(BETWEEN_S)
        for loss_s in LOSSES_S:
            relay.lost = True
            time.sleep(loss_s)
            relay.lost = False
            wait_for(lambda: streamed_s(receivers.sockets[-1]) > time.monotonic() - joined - 3, 120,
                     f"the stream is up to date again after {loss_s} s")
            print(f"# after {loss_s} s: {len(receivers.sockets)} connections, "
                  f"{[w['code'] for w in worker.events('warning')][1:]}", flush=True)
            time.sleep(BETWEEN_S)
        worker.command("l", "leave")
        check(worker.wait(60) == 0, worker.process.tail())
        relay.close()
        check_connections(receivers.sockets)
        codes = [w["code"] for w in worker.events("warning")]
        check("streaming_dropped" in codes, f"nothing was told of what was dropped: {codes}")
        check_recording(worker.output / "recording.mp3", length_s - 6)
    return 0
