#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A consumer of Steno's live audio: saves the meeting as meeting.wav, and who spoke when as
meeting.txt, labels that Audacity imports. Needs python3-aiohttp.

  save_wav.py --port 8765 --out recording &
  steno-worker join https://meet.google.com/… --stream-input ws://127.0.0.1:8765/
"""
import argparse
import json
import pathlib
import wave

from aiohttp import WSMsgType, web


class Recording:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.rate = None
        self.wav = None
        self.written = 0  # samples: the stream time of what comes next
        self.since = {}  # name -> stream time at which they began to speak
        self.labels = []

    def handshake(self, message):
        if self.wav is None:
            self.rate = message["sample_rate"]
            self.wav = wave.open(str(self.folder / "meeting.wav"), "wb")
            self.wav.setnchannels(1)
            self.wav.setsampwidth(2)
            self.wav.setframerate(self.rate)
        # After a reconnect the stream goes on further along: what was missed becomes silence.
        missed = round(message["offset"] * self.rate) - self.written
        if missed > 0:
            self.audio(bytes(2 * missed))

    def audio(self, pcm):
        self.wav.writeframes(pcm)
        self.written += len(pcm) // 2

    def speakers(self, rows):
        now = self.written / self.rate
        speaking = {row["name"] for row in rows if row["isSpeaking"]}
        for name in speaking - self.since.keys():
            self.since[name] = now
        for name in self.since.keys() - speaking:
            self.labels.append((self.since.pop(name), now, name))

    def close(self):
        if self.wav is None:
            return
        self.speakers([])
        self.wav.close()
        lines = [f"{start:.3f}\t{end:.3f}\t{name}\n" for start, end, name in sorted(self.labels)]
        (self.folder / "meeting.txt").write_text("".join(lines), encoding="utf-8")


async def serve(request):
    recording = request.app["recording"]
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type == WSMsgType.BINARY:
            recording.audio(message.data)
        elif message.type == WSMsgType.TEXT:
            data = json.loads(message.data)
            if isinstance(data, list):
                recording.speakers(data)
            elif "protocol_version" in data:
                recording.handshake(data)
    return socket


async def close(app):
    app["recording"].close()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--out", default=".")
    args = parser.parse_args()
    app = web.Application()
    app["recording"] = Recording(args.out)
    app.router.add_get("/", serve)
    app.on_cleanup.append(close)
    web.run_app(app, host="127.0.0.1", port=args.port)  # until Ctrl-C or SIGTERM


if __name__ == "__main__":
    main()
