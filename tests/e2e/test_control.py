#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The control link and the standby, in a real Chromium, against a small control server."""
import asyncio
import contextlib
import http.server
import json
import os
import signal
import subprocess
import tempfile
import threading
import time

from aiohttp import WSMsgType, web

import harness
from harness import check, wait_for

ALICE = {"id": "alice", "name": "Alice Martin", "host": True, "camera": None,
         "speech": [{"at_s": 1.0, "tone_hz": 440, "for_s": 160}]}
SCENARIO = {"platform": "meet", "duration_s": 170, "lobby": {"mode": "none"},
            "participants": [ALICE]}


class Control:
    """The orchestrator's end: keeps and acknowledges events; can go away and come back."""

    def __init__(self):
        self.events = []  # once each, in order
        self.repeats = 0
        self.hellos = []
        self.results = []
        self.problems = []
        self._socket = None
        self._loop = asyncio.new_event_loop()
        self._runner = None
        self.port = harness.held_port()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.listen()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def listen(self):
        self._call(self._listen())

    def die(self):
        self._call(self._die())

    async def _listen(self):
        app = web.Application()
        app.router.add_get("/control", self._on_socket)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, shutdown_timeout=0.1,
                          reuse_address=True).start()

    async def _die(self):
        runner, self._runner = self._runner, None
        if self._socket is not None and self._socket._req.transport is not None:
            self._socket._req.transport.abort()  # as a killed process does it
        await runner.cleanup()

    async def _on_socket(self, request):
        if request.headers.get("Authorization") != "Bearer secret":
            return web.Response(status=401)
        ws = web.WebSocketResponse(protocols=("steno.control.v1",))
        await ws.prepare(request)
        self._socket = ws
        async for message in ws:
            if message.type == WSMsgType.TEXT:
                await self._take(ws, json.loads(message.data))
        return ws

    async def _take(self, ws, message):
        if message["type"] == "hello":
            self.hellos.append(message)
            await ws.send_json({"type": "ack", "seq": len(self.events)})
        elif message["type"] == "event":
            event = message["event"]
            if event["seq"] == len(self.events) + 1:
                self.events.append(event)
            elif event["seq"] <= len(self.events):
                self.repeats += 1
                if event != self.events[event["seq"] - 1]:
                    self.problems.append(f"another event with a known seq: {event}")
            else:
                self.problems.append(f"a gap before {event}")
            await ws.send_json({"type": "ack", "seq": len(self.events)})
        elif message["type"] == "result":
            self.results.append(message)
        else:
            self.problems.append(f"an unknown message: {message}")

    def command(self, id_, name, args=None):
        self._call(self._socket.send_json({"type": "command", "id": id_, "name": name,
                                           "args": args or {}}))

    def result(self, id_, n=1):
        found = wait_for(lambda: len(r := [r for r in self.results if r["id"] == id_]) >= n and r,
                         20, f"{n} results of command {id_}")
        return found[-1]

    def states(self):
        return [e["new"] for e in list(self.events) if e["type"] == "state"]

    def wait_state(self, state, seconds=40):
        wait_for(lambda: state in self.states(), seconds, f"{state}; states {self.states()}")

    def config(self):
        return {"control_url": f"ws://127.0.0.1:{self.port}/control", "control_token": "secret",
                "worker_id": "worker-7"}

    def close(self):
        if self._runner is not None:
            self.die()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@contextlib.contextmanager
def control():
    server = Control()
    try:
        yield server
        check(not server.problems, f"problems: {server.problems}")
    finally:
        server.close()


class Standby(harness.Worker):
    """A worker that waits; its standard input is a pipe of ours."""

    def __init__(self, build, folder, base):
        self.output = folder / "bot"
        self.tmp = folder / "standby-tmp"
        self.tmp.mkdir()
        path = folder / "base.json"
        path.write_text(json.dumps(base))
        env = dict(os.environ, TMPDIR=str(self.tmp),
                   G_MESSAGES_DEBUG="bot platforms media streaming")
        self.process = harness.Process(
            [str(build / "bot/steno-worker"), "--standby", "--events", "-", "--config", str(path)],
            folder / "standby.log", env, subprocess.PIPE)

    def log(self):
        lines = []
        for line in self.process.log_path.read_text().splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                lines.append(json.loads(line))
        return lines

    def chromium(self):
        """The browser's main process."""
        return [p for p in harness.descendants(self.pid) if harness.is_alive(p)][:1]


@contextlib.contextmanager
def standby(build, meeting, base):
    with tempfile.TemporaryDirectory(prefix="steno-e2e-") as name:
        folder = meeting.report_path.parent / os.path.basename(name)
        folder.mkdir()
        worker = Standby(build, folder, base)
        try:
            yield worker
        except BaseException:
            print("--- the standby's log ends:\n" + worker.process.tail(4000))
            raise
        finally:
            worker.close()


def document(meeting, worker, **more):
    return {"bot_id": "bot-1", "bot_name": "Steno Test", "output_dir": str(worker.output),
            "meeting_url": meeting.url, **more}


def stays_while_the_orchestrator_restarts(build):
    """Nothing is lost or doubled, a command's id counts once, the end is acknowledged."""
    with control() as server, harness.session(build, SCENARIO) as (meeting, receivers, start):
        server.die()  # it is away while the bot joins
        worker = start({**server.config(), "webhook_url": receivers.hook_url()})
        worker.wait_state("joined_recording")
        server.listen()
        server.wait_state("joined_recording")
        check(server.hellos[0]["bot_id"] == "bot-1" and server.hellos[0]["worker_id"] == "worker-7",
              f"hello {server.hellos[0]}")
        for _ in range(3):
            server.die()
            time.sleep(0.7)
            check(worker.process.popen.poll() is None, "the worker ended with its orchestrator")
            n_hellos = len(server.hellos)
            server.listen()
            wait_for(lambda n=n_hellos: len(server.hellos) > n, 15, "the worker comes back")
        server.command("p", "resume_recording")
        check(server.result("p")["error"]["code"] == "state", "a refusal says why")
        server.command("1", "leave")
        server.command("1", "leave")
        check(server.result("1", 2)["ok"], "leave")
        check(worker.wait(40) == 0, f"exit code; its log ends:\n{worker.process.tail()}")
        check(server.events == worker.events(), "the server's events are those of the log")
        check(server.events[-1]["type"] == "ended", f"the last event is {server.events[-1]}")
        check(server.states().count("leaving") == 1, f"states {server.states()}")
        check(not receivers.webhooks, "webhooks are the orchestrator's")
        harness.check_decodes(worker.output / "recording.mp4")
        harness.check_nothing_left(worker, [])


def standby_is_assigned(build):
    """Chromium runs before the bot is known; a bad document leaves the standby as it is."""
    with control() as server, harness.session(build, SCENARIO) as (meeting, _receivers, _start):
        with standby(build, meeting, {**server.config(), "browser": meeting.browser()}) as worker:
            hello = wait_for(lambda: server.hellos and server.hellos[0], 30, "hello")
            check(hello["bot_id"] is None and hello["worker_id"] == "worker-7", f"hello {hello}")
            chromium = worker.chromium()
            check(chromium, "no Chromium runs yet")
            server.command("0", "leave")
            check(server.result("0")["error"]["code"] == "state", "leave without a bot")
            server.command("1", "assign", document(meeting, worker, bot_nam="x"))
            bad = server.result("1")
            check(bad["error"]["code"] == "bad_config" and "$.bot_nam" in bad["error"]["message"],
                  f"a wrong document: {bad}")
            server.command("2", "assign", document(meeting, worker))
            check(server.result("2")["ok"], f"assign: {server.results}")
            server.command("3", "assign", document(meeting, worker, bot_id="bot-2"))
            check(server.result("3")["error"]["code"] == "state", "a second bot")
            server.wait_state("joined_recording")
            check(worker.chromium() == chromium, "another browser was started")
            check(server.hellos[-1]["bot_id"] == "bot-1", f"hellos {server.hellos}")
            worker.process.popen.stdin.close()  # its parent goes: the bot stays
            time.sleep(1.5)
            server.command("4", "leave")
            check(worker.wait(40) == 0, "exit code")
            check(server.events == worker.events(), "the server's events are those of the log")
            harness.check_decodes(worker.output / "recording.mp4")
            harness.check_nothing_left(worker, chromium)


def standby_with_another_browser(build):
    """A document whose browser part differs gets a browser of its own; commands by stdin."""
    with harness.session(build, SCENARIO) as (meeting, _receivers, _start):
        other = {**meeting.browser(), "args": ["--disable-logging"]}
        with standby(build, meeting, {"browser": other}) as worker:
            wait_for(lambda: any(x["message"] == "standing by" for x in worker.log()), 30, "ready")
            chromium = worker.chromium()
            worker.command("1", "assign", document(meeting, worker, browser=meeting.browser()))
            worker.wait_state("joined_recording")
            harness.wait_gone(chromium, "the first browser's processes")
            check(worker.chromium(), "there is no other browser")
            worker.command("2", "leave")
            check(worker.wait(40) == 0, "exit code")
            harness.check_nothing_left(worker, [])


def standby_nobody_needs(build):
    """It ends with its parent and at SIGTERM, and leaves nothing behind."""
    with control() as server, harness.session(build, SCENARIO) as (meeting, _receivers, _start):
        for config, end in (({}, "stdin"), (server.config(), "stdin"), (server.config(), "term")):
            with standby(build, meeting, {**config, "browser": meeting.browser()}) as worker:
                wait_for(lambda w=worker: any(x["message"] == "standing by" for x in w.log()), 30,
                         "ready")
                pids = harness.descendants(worker.pid)
                if end == "stdin":
                    worker.process.popen.stdin.close()
                else:
                    worker.process.popen.send_signal(signal.SIGTERM)
                check(worker.wait(15) == 0, "exit code")
                harness.check_clean(worker, pids)


def recovered_over_the_link(build):
    """A worker is killed; --recover tells the orchestrator the rest, from where it was."""
    with control() as server, harness.session(build, SCENARIO) as (_meeting, _receivers, start):
        worker = start(server.config())
        worker.wait_state("joined_recording")
        wait_for(lambda: worker.events("recording"), 20, "it records")
        time.sleep(4)
        server.die()
        time.sleep(1)
        worker.kill()
        server.listen()
        out = harness.recover(build, worker)
        check(out.returncode == 0, f"--recover: {out.returncode}\n{out.stderr}")
        check(server.events[-1]["type"] == "ended", f"the last event is {server.events[-1]}")
        check(server.events == worker.events(), "the server's events are those of the log")
        harness.check_decodes(worker.output / "recording.mp4")


class Shelf(http.server.BaseHTTPRequestHandler):
    """Takes a PUT whose link has not expired, as a store takes a presigned one."""
    taken = {}

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = self.path.endswith("signature=new")
        if good:
            self.taken[self.path] = body
        answer = b"" if good else b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
        self.send_response(200 if good else 403)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args):
        pass


def renewed_credentials(build):
    """A presigned link that expired during the meeting is asked for anew, kept, and used."""
    shelf = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    threading.Thread(target=shelf.serve_forever, daemon=True).start()
    link = f"http://127.0.0.1:{shelf.server_port}/recording?signature="
    with control() as server, harness.session(build, SCENARIO) as (_meeting, _receivers, start):
        worker = start({**server.config(), "upload": {"put_url": link + "old"}})
        server.wait_state("joined_recording")
        server.command("0", "credentials", {"upload": {"put_url": link + "unasked"}})
        check(server.result("0")["ok"], "some may come unasked")
        kept = (worker.output / ".worker.json").read_text()
        check("unasked" in kept, "--recover would not have them")
        server.command("1", "leave")
        asked = wait_for(lambda: [e for e in server.events if e["type"] == "credentials_needed"], 60,
                         "that the worker asks")[0]
        check(asked["for"] == "upload" and "expired" in asked["message"], f"asked: {asked}")
        check("signature" not in json.dumps(asked), f"a secret is told: {asked}")
        server.command("2", "credentials", {"upload": {"headers": 7}})
        check(server.result("2")["error"]["code"] == "bad_config", "a wrong answer is refused")
        server.command("3", "credentials", {"upload": {"put_url": link + "new"}})
        check(server.result("3")["ok"], "the right one is taken")
        check(worker.wait(40) == 0, "exit code")
        check(list(Shelf.taken) == ["/recording?signature=new"], f"taken: {list(Shelf.taken)}")
        harness.check_decodes(worker.output / "recording.mp4")
    shelf.shutdown()


TESTS = [renewed_credentials, stays_while_the_orchestrator_restarts, standby_is_assigned, standby_with_another_browser,
         standby_nobody_needs, recovered_over_the_link]

if __name__ == "__main__":
    harness.main(TESTS)
