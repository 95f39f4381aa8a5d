# SPDX-License-Identifier: Apache-2.0
"""A real steno-orchestrator with real workers, and a webhook receiver that can be away."""
import asyncio
import collections
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from aiohttp import web

import harness
from harness import check, wait_for

SECRET = "a secret of at least 32 characters"


class Hooks:
    """Takes webhooks. While it is down nobody listens; while it is rude it reads a webhook and breaks
    the connection instead of answering."""

    def __init__(self):
        self.taken = []  # (webhook-id, body bytes, headers), also those that were not answered
        self.rude = False
        self.port = harness.held_port()
        self._loop = asyncio.new_event_loop()
        self._runner = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.up()

    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _up(self):
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/hook", self._on_hook)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, shutdown_timeout=0.1,
                          reuse_address=True).start()

    async def _on_hook(self, request):
        body = await request.read()
        self.taken.append((request.headers["webhook-id"], body, dict(request.headers)))
        if self.rude and random.random() < 0.3:
            request.transport.abort()
        return web.Response(text="ok")

    def up(self):
        if self._runner is None:
            self._call(self._up())

    def down(self):
        if self._runner is not None:
            runner, self._runner = self._runner, None
            self._call(runner.cleanup())

    def by_bot(self):
        """{bot id: [body]} in the order of arrival, without repeats of one id."""
        seen, bots = {}, collections.defaultdict(list)
        for id_, body, _ in list(self.taken):
            if id_ in seen:
                check(seen[id_] == body, f"other bytes under the known id {id_}")
                continue
            seen[id_] = body
            parsed = json.loads(body)
            bots[parsed["data"]["bot_id"]].append(parsed)
        return bots

    def codes(self, bot_id):
        return [b["data"]["status"]["code"] if b["event"] == "bot.status_change" else b["event"]
                for b in self.by_bot()[bot_id]]

    def final(self, bot_id):
        last = self.by_bot()[bot_id][-1:]
        return last[0] if last and last[0]["event"] in ("complete", "failed") else None

    def close(self):
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class Orchestrator:
    """steno-orchestrator on a port and a data folder of its own, which survive it."""

    def __init__(self, build, folder, browser=None, limits=None, upload=None, leaving=None,
                 accounts=None, **workers):
        self.build, self.folder = build, pathlib.Path(folder)
        self.data = self.folder / "data"
        self.port = harness.held_port()
        self.tmp = self.folder / "tmp"
        self.tmp.mkdir()
        config = {"listen": {"port": self.port}, "data_dir": str(self.data),
                  "workers": {"max": 3, "pool": 1,
                              "executable": harness.giving_way(build / "bot/steno-worker", folder),
                              **workers},
                  "webhooks": {"allow_private": True, "retry_s": [1] * 20}}
        config.update(accounts or {})
        if limits is not None:
            config["limits"] = limits
        config["worker_defaults"] = {
            name: value for name, value in (("browser", browser), ("upload", upload),
                                        ("automatic_leave", leaving))
            if value is not None}
        self.config = self.folder / "orchestrator.json"
        self.config.write_text(json.dumps(config))
        self.env = dict(os.environ, STENO_SECRET=SECRET, TMPDIR=str(self.tmp),
                        G_MESSAGES_DEBUG="orchestrator bot platforms")
        self.process = None
        self.key = self.run("keys", "create", "--account", "tests").strip()

    def run(self, *args):
        return subprocess.run([str(self.build / "orchestrator/steno-orchestrator"), *args,
                               "--config", str(self.config)], check=True, text=True,
                              capture_output=True, env=self.env, timeout=20 + harness.STALL_S).stdout

    def start(self):
        check(self.process is None, "it runs already")
        self.process = harness.Process([str(self.build / "orchestrator/steno-orchestrator"),
                                        "--config", str(self.config)],
                                       self.folder / "orchestrator.log", self.env)
        check(self.process.popen.stdout.readline(),
              "it did not start; its log ends:\n" + self.process.tail())

    def kill(self):
        self.process.popen.kill()
        self.process.popen.wait(10)
        self.process.close()
        self.process = None

    def stop(self, seconds=20):
        if self.process is not None:
            self.process.popen.send_signal(signal.SIGTERM)
            code = self.process.wait(seconds)
            self.process.close()
            self.process = None
            check(code == 0, f"exit code {code}")

    def request(self, method, path, body=None):
        """(status, parsed answer)"""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"x-meeting-baas-api-key": self.key, "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20 + harness.STALL_S) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def join(self, meeting_url, hooks, **more):
        status, answer = self.request("POST", "/bots", {
            "meeting_url": meeting_url, "bot_name": "Steno Test", "reserved": False,
            "webhook_url": hooks.url(), "deduplication_key": str(random.random()), **more})
        check(status in (200, 201), f"POST /bots: {status} {answer}")
        return answer["bot_id"]

    def leave(self, bot_id):
        status, answer = self.request("DELETE", f"/bots/{bot_id}")
        check(status == 200, f"DELETE /bots: {status} {answer}")

    def output(self, bot_id):
        return self.data / "bots" / bot_id

    def events(self, bot_id, kind=None):
        """What the bot's worker wrote down, whatever the orchestrator knows of it."""
        path = self.output(bot_id) / "events.ndjson"
        events = []
        for line in path.read_text().split("\n") if path.exists() else []:
            with contextlib.suppress(json.JSONDecodeError):
                events.append(json.loads(line))
        return [e for e in events if kind is None or e["type"] == kind]

    def wait_state(self, bot_id, state, seconds=40):
        wait_for(lambda: state in [e["new"] for e in self.events(bot_id, "state")], seconds,
                 f"bot {bot_id} in {state}; {self.process.tail(1500) if self.process else ''}")

    def workers(self):
        """{pid: command line} of the worker processes in this orchestrator's folder, without what one of
        them is about to execute."""
        found = {}
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                line = (entry / "cmdline").read_bytes().split(b"\0")
                env = (entry / "environ").read_bytes()
                if line[0].endswith(b"/steno-worker") and f"TMPDIR={self.tmp}".encode() in env:
                    if harness.is_alive(int(entry.name)):
                        found[int(entry.name)] = b" ".join(line).decode()
        forked = {child for pid in found for child in harness.descendants(pid)}
        return {pid: line for pid, line in found.items() if pid not in forked}

    def is_idle(self):
        """A standby has said hello: it has read its first configuration, which is gone then."""
        names = [p.suffix for p in (self.data / "workers").iterdir()]
        return ".log" in names and ".json" not in names

    def worker_of(self, bot_id):
        """The process that holds the bot's folder."""
        lock = (self.output(bot_id) / ".lock").stat()
        for pid in self.workers():
            for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    if fd.stat().st_ino == lock.st_ino and fd.stat().st_dev == lock.st_dev:
                        return pid
        return None

    def close(self):
        if self.process is not None:
            self.process.close()
            self.process = None
        for pid in self.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def remove(folder):
    """A killed worker's Chromium may still write while it dies."""
    def gone():
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
        return not folder.exists()
    wait_for(gone, 20, f"{folder} is removed")


@contextlib.contextmanager
def running(build, scenario=None, **workers):
    """Yields (orchestrator, meeting or None, hooks), started."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="steno-e2e-"))
    hooks = Hooks()
    meeting = orchestrator = None
    try:
        if scenario is not None:
            meeting = harness.Meeting(build, folder, scenario)
        orchestrator = Orchestrator(build, folder, meeting.browser() if meeting else None,
                                    **workers)
        orchestrator.start()
        yield orchestrator, meeting, hooks
        orchestrator.stop()
        wait_for(lambda: not orchestrator.workers(), 20, "the standbys end")
        orchestrator.close()
        remove(folder)
    except BaseException:
        print(f"what there was is kept in {folder}", file=sys.stderr)
        if orchestrator is not None:
            log = folder / "orchestrator.log"
            print("--- the orchestrator's log ends:\n"
                  + log.read_bytes()[-6000:].decode(errors="replace"), file=sys.stderr)
            orchestrator.close()
        raise
    finally:
        if meeting is not None:
            meeting.close()
        hooks.close()


def timed(function):
    begun = time.monotonic()
    function()
    return time.monotonic() - begun
