#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A voice agent on Steno's live audio, as small as one can be: when people have finished, it says
back what they said, and it falls silent as soon as somebody speaks. Put a recogniser, a model and a
synthesiser where `answer` is. Needs python3-aiohttp.

  echo_agent.py --port 8765 &
  steno-worker join https://meet.google.com/… --stream-input ws://127.0.0.1:8765/
"""
import argparse
import asyncio
import json

from aiohttp import WSMsgType, web

PAUSE_S = 0.7  # of silence: the turn is over
BEFORE_S = 0.3  # kept from before the first word was noticed


def answer(pcm):
    """What to say to what was said: 16-bit PCM in, 16-bit PCM out."""
    return pcm


class Agent:
    def __init__(self, socket):
        self.socket = socket
        self.rate = 24000
        self.heard = bytearray()
        self.somebody_speaks = False
        self.turn = None  # the task that waits for the end of the turn

    async def speakers(self, rows):
        speaking = any(row["isSpeaking"] for row in rows)
        if speaking and not self.somebody_speaks:
            await self.socket.send_str('{"type":"flush"}')  # they interrupt
            if self.turn is not None:
                self.turn.cancel()
        elif self.somebody_speaks and not speaking:
            self.turn = asyncio.create_task(self.reply())
        self.somebody_speaks = speaking

    async def reply(self):
        await asyncio.sleep(PAUSE_S)
        said, self.heard = bytes(self.heard), bytearray()
        await self.socket.send_bytes(answer(said))

    def audio(self, pcm):
        self.heard += pcm
        if not self.somebody_speaks and (self.turn is None or self.turn.done()):
            del self.heard[:-int(BEFORE_S * self.rate) * 2]


async def serve(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    agent = Agent(socket)
    async for message in socket:
        if message.type == WSMsgType.BINARY:
            agent.audio(message.data)
        elif message.type == WSMsgType.TEXT:
            data = json.loads(message.data)
            if isinstance(data, list):
                await agent.speakers(data)
            elif "protocol_version" in data:
                agent.rate = data["sample_rate"]
    return socket


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8765)
    args = parser.parse_args()
    app = web.Application()
    app.router.add_get("/", serve)
    web.run_app(app, host="127.0.0.1", port=args.port)


if __name__ == "__main__":
    main()
