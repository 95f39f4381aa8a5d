# SPDX-License-Identifier: Apache-2.0
"""Runs a test meeting, a worker in it and real receivers, and reads what came of it.

Everything is bounded in time, on loopback, and ends with the test: processes by their id,
folders with their context manager.
"""
import asyncio
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from aiohttp import WSMsgType, web

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "meeting"))


class Failure(AssertionError):
    """What a check found wrong, as a sentence."""


def check(condition, text):
    if not condition:
        raise Failure(text)


STALL_S = 40  # a shared machine's disk has stood still for that long; a wait tells what hangs


def wait_for(condition, seconds, what):
    """Polls until condition() is true; returns its value."""
    deadline = time.monotonic() + seconds + STALL_S
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < deadline, f"not within {seconds + STALL_S} s: {what}")
        time.sleep(0.05)


class Process:
    """A child in a group of its own, where a Ctrl-C does not reach it; ended by its id."""

    def __init__(self, command, log_path, env=None, stdin=None):
        self.log_path = pathlib.Path(log_path)
        self.log = open(log_path, "ab")
        self.popen = subprocess.Popen(command, stdin=stdin or subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=self.log, env=env,
                                      process_group=0)

    @property
    def pid(self):
        return self.popen.pid

    def wait(self, seconds):
        code = self.poll(seconds + STALL_S)
        check(code is not None, f"{self.popen.args[0]} still runs after {seconds} s; its log ends:\n"
              + self.tail())
        return code

    def poll(self, seconds):
        """The exit code, or None if it still runs after so long."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def tail(self, n_bytes=3000):
        return self.log_path.read_bytes()[-n_bytes:].decode(errors="replace")

    def close(self):
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait(10)
        self.popen.stdout.close()
        self.log.close()


class Meeting:
    """steno-meeting with one scenario (a dict, or the path of a file)."""

    def __init__(self, build, folder, scenario):
        folder = pathlib.Path(folder)
        if isinstance(scenario, dict):
            path = folder / "scenario.json"
            path.write_text(json.dumps(scenario))
        else:
            path = pathlib.Path(scenario)
        self.scenario = json.loads(path.read_text())
        self.report_path = folder / "report.json"
        self.process = Process([str(build / "tests/meeting/steno-meeting"), "--scenario",
                                str(path), "--report", str(self.report_path)],
                               folder / "meeting.log")
        line = self.process.popen.stdout.readline()
        check(line, "steno-meeting printed nothing; its log ends:\n" + self.process.tail())
        self.line = json.loads(line)
        self.url = self.line["meeting_url"]

    def browser(self):
        """The configuration's browser part; as root Chromium's sandbox can't be on."""
        part = dict(self.line["browser"])
        if os.geteuid() == 0:
            part["sandbox"] = False
        return part

    def report(self, seconds=30):
        """Ends the meeting if it still runs, and reads its report."""
        if self.process.popen.poll() is None:
            self.process.popen.send_signal(signal.SIGINT)
        self.process.wait(seconds)
        return json.loads(self.report_path.read_text())

    def close(self):
        self.process.close()


class Socket:
    """What one WebSocket connection brought, with the time of each message."""

    def __init__(self, path, headers=None):
        self.path = path
        self.headers = headers or {}
        self.messages = []  # (monotonic seconds, str or bytes)

    def texts(self):
        return [json.loads(m) for _, m in list(self.messages) if isinstance(m, str)]

    def audio(self):
        return b"".join(m for _, m in list(self.messages) if isinstance(m, bytes))

    def speakers(self):
        return [(t, json.loads(m)) for t, m in list(self.messages)
                if isinstance(m, str) and m.startswith("[")]


HOLDERS = []  # sockets, to the end of the process


def held_port():
    """A port on loopback that stays this process's, with servers and without: a socket that is bound
    and never listens refuses connections, keeps others off, and lets one in beside it that listens
    (both with SO_REUSEADDR, see socket(7))."""
    HOLDERS.append(socket.socket())
    HOLDERS[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    HOLDERS[-1].bind(("127.0.0.1", 0))
    return HOLDERS[-1].getsockname()[1]


class Receivers:
    """A real WebSocket and HTTP server on loopback, in a thread of its own."""

    def __init__(self):
        self.webhooks = []  # (headers, body)
        self.sockets = []
        self.fail_webhooks = 0
        self._loop = asyncio.new_event_loop()
        self._open = {}
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()

    def _run(self, started):
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/hook", self._on_hook)
        app.router.add_get("/{path:ws.*}", self._on_socket)
        runner = web.AppRunner(app)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.port = site._server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())

    async def _on_hook(self, request):
        body = await request.json()
        if self.fail_webhooks > 0:
            self.fail_webhooks -= 1
            return web.Response(status=503)
        self.webhooks.append((dict(request.headers), body))
        return web.Response(text="ok")

    async def _on_socket(self, request):
        ws = web.WebSocketResponse(max_msg_size=1 << 26)
        await ws.prepare(request)
        socket = Socket(request.path, dict(request.headers))
        self.sockets.append(socket)
        self._open[socket] = ws
        async for message in ws:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                socket.messages.append((time.monotonic(), message.data))
        del self._open[socket]
        return ws

    def send(self, socket, data):
        """Sends str or bytes on the connection and waits until it is written."""
        ws = self._open[socket]
        call = ws.send_bytes(data) if isinstance(data, bytes) else ws.send_str(data)
        asyncio.run_coroutine_threadsafe(call, self._loop).result(60)

    def drop(self, socket):
        asyncio.run_coroutine_threadsafe(self._open[socket].close(), self._loop).result(60)

    def hurry(self):
        """Ahead of other processes where that is allowed, for measurements on a busy machine."""
        def raise_priority():
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -10)
        self._loop.call_soon_threadsafe(raise_priority)

    def ws_url(self, path="/ws"):
        return f"ws://127.0.0.1:{self.port}{path}"

    def hook_url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def codes(self):
        """Status codes and final events, in the order of arrival."""
        return [body["data"]["status"]["code"] if body["event"] == "bot.status_change"
                else body["event"] for _, body in list(self.webhooks)]

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class Worker:
    """One steno-worker with a configuration document."""

    def __init__(self, build, folder, config, commands=False, name="bot", env=None):
        folder = pathlib.Path(folder)
        self.output = folder / name
        config = {"bot_id": "bot-1", "bot_name": "Steno Test", "output_dir": str(self.output),
                  **config}
        self.name = config["bot_name"]
        self.mode = config.get("recording_mode", "speaker_view")
        path = folder / f"{name}.json"
        path.write_text(json.dumps(config))
        self.tmp = folder / f"{name}-tmp"
        self.tmp.mkdir(exist_ok=True)
        env = dict(os.environ, TMPDIR=str(self.tmp), **(env or {}))
        env.setdefault("G_MESSAGES_DEBUG", "bot platforms media streaming")
        self.process = Process([str(build / "bot/steno-worker"), "--config", str(path)],
                               folder / f"{name}.log", env, subprocess.PIPE if commands else None)

    @property
    def pid(self):
        return self.process.pid

    def events(self, kind=None):
        path = self.output / "events.ndjson"
        if not path.exists():
            return []
        events = []
        for line in path.read_text().split("\n"):
            with contextlib.suppress(json.JSONDecodeError):
                events.append(json.loads(line))
        return [e for e in events if kind is None or e["type"] == kind]

    def states(self):
        return [e["new"] for e in self.events("state")]

    def wait_state(self, state, seconds=40):
        def reached():
            check(self.process.popen.poll() is None or state in self.states(),
                  f"the worker ended before {state}; its log ends:\n{self.process.tail()}")
            return state in self.states()
        wait_for(reached, seconds, f"state {state}; states: {self.states()}; log:\n"
                 + self.process.tail(1500))

    def command(self, id_, name, args=None):
        line = json.dumps({"id": id_, "name": name, "args": args or {}}) + "\n"
        self.process.popen.stdin.write(line.encode())
        self.process.popen.stdin.flush()

    def result(self, id_, seconds=15):
        def found():
            return [e for e in self.events("result") if e["id"] == id_]
        return wait_for(found, seconds, f"result of command {id_}")[0]

    def wait(self, seconds):
        return self.process.wait(seconds)

    def kill(self):
        """SIGKILL. Once it and the processes below it are gone: (their ids, when: Unix ms)."""
        pids = descendants(self.pid)
        self.process.popen.send_signal(signal.SIGKILL)
        killed_unix_ms = time.time() * 1000
        self.process.popen.wait(10)
        wait_gone(pids, "the dead worker's processes")
        return pids, killed_unix_ms

    def metadata(self):
        return json.loads((self.output / "metadata.json").read_text())

    def close(self):
        self.process.close()


class ObjectStore:
    """A real S3-compatible store on loopback (object_store.py), with faults on command."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.process = Process([sys.executable, str(ROOT / "tests/e2e/object_store.py"),
                                str(self.folder)], self.folder / "store.log",
                               stdin=subprocess.PIPE)
        line = self.process.popen.stdout.readline()
        check(line, "the object store printed nothing; its log ends:\n" + self.process.tail())
        self.line = json.loads(line)

    def config(self, **more):
        return {"s3": {"endpoint": f"http://127.0.0.1:{self.line['port']}", "path_style": True,
                       "bucket": self.line["bucket"], "access_key": self.line["access_key"],
                       "secret_key": self.line["secret_key"]}, **more}

    def set_faults(self, *faults):
        """Each "METHOD TEXT FAULT COUNT"; none takes them back."""
        (self.folder / "faults").write_text("".join(f"{fault}\n" for fault in faults))

    def requests(self):
        return (self.folder / "requests.log").read_text().splitlines()

    def close(self):
        self.process.popen.stdin.close()
        self.process.close()


@contextlib.contextmanager
def object_store():
    with tempfile.TemporaryDirectory(prefix="steno-e2e-store-") as folder:
        store = ObjectStore(pathlib.Path(folder) / "store")
        try:
            yield store
        finally:
            store.close()


def fetch(url):
    with urllib.request.urlopen(url, timeout=20 + STALL_S) as answer:
        return answer.read()


def recover(build, worker, seconds=60):
    return subprocess.run([str(build / "bot/steno-worker"), "--recover", str(worker.output)],
                          timeout=seconds, capture_output=True, text=True,
                          env=dict(os.environ, TMPDIR=str(worker.tmp)))


def descendants(pid):
    """Process ids below pid, children before theirs (numbers tell nothing: they begin anew)."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb", 0) as stat:
            parent = int(stat.read().rsplit(b")", 1)[1].split()[1])
            children.setdefault(parent, []).append(int(name))
    found, below = [], [pid]
    while below:
        below = [child for parent in below for child in children.get(parent, [])]
        found += below
    return found


def is_alive(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def wait_gone(pids, what="the worker's processes"):
    wait_for(lambda: not any(is_alive(p) for p in pids), 10, f"{what} are gone")


def check_clean(worker, pids):
    """No process of the worker's, no temporary file."""
    wait_gone(pids)
    left = [str(p) for p in worker.tmp.iterdir()]
    check(not left, f"temporary files left: {left}")


def check_nothing_left(worker, pids):
    """No process of the worker's, no temporary file, no half-written one in its output."""
    check_clean(worker, pids)
    inner = [p.name for p in worker.output.iterdir()
             if p.name.startswith(".") and p.name != ".lock"]
    check(not inner, f"working files left in the output folder: {inner}")


def ffprobe(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-show_streams", "-show_format", "-show_chapters",
                          "-of", "json",
                          str(path)], check=True, capture_output=True, text=True)
    check(out.stderr == "", f"ffprobe complains: {out.stderr}")
    return json.loads(out.stdout)


def check_decodes(path):
    out = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-f", "null",
                          "-"], capture_output=True, text=True)
    check(out.returncode == 0 and out.stderr == "", f"{path} does not decode: {out.stderr[:2000]}")


def stream_s(probe, kind):
    for stream in probe["streams"]:
        if stream["codec_type"] == kind:
            return float(stream["duration"])
    raise Failure(f"no {kind} stream")


class Run:
    """A finished meeting with one bot: the report, the files and the clock between them."""

    def __init__(self, report, worker):
        self.report = report
        self.bot = next(b for b in report["bots"] if b["name"] == worker.name)
        self.worker = worker
        self.metadata = worker.metadata()
        zero_unix_ms = self.bot["admitted_unix_ms"] - self.bot["admitted_s"] * 1000
        # meeting time of the recording's zero
        self.offset_s = ((self.metadata["recording_started_unix_ms"] or zero_unix_ms)
                         - zero_unix_ms) / 1000

    def recording(self):
        return self.worker.output / ("recording.mp3" if self.worker.mode == "audio_only"
                                     else "recording.mp4")

    def to_recording(self, meeting_s):
        return meeting_s - self.offset_s

    def name_of(self, person_id):
        return next(p["name"] for p in self.report["participants"] if p["id"] == person_id)

    def number_of(self, person_id):
        return next(p["number"] for p in self.report["participants"] if p["id"] == person_id)

    def truth(self):
        """[(name, start_s, end_s)] on the recording's time, from the energy of the speech."""
        return [(self.name_of(run["person"]), self.to_recording(a), self.to_recording(b))
                for run in self.report["speech"] for a, b in run["segments"]]

    def diarization(self):
        path = self.worker.output / "diarization.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        return [(r["speaker"], r["start_time"], r["end_time"]) for r in rows]


@contextlib.contextmanager
def session(build, scenario, keep=None, env=None, **config):
    """Yields (meeting, receivers, start): start(extra, commands) makes the worker."""
    folder = pathlib.Path(keep or tempfile.mkdtemp(prefix="steno-e2e-"))
    folder.mkdir(parents=True, exist_ok=True)
    receivers = Receivers()
    meeting = None
    workers = []
    try:
        meeting = Meeting(build, folder, scenario)

        def start(extra=None, commands=False, name="bot"):
            merged = {"meeting_url": meeting.url, "browser": meeting.browser(),
                      **config, **(extra or {})}
            workers.append(Worker(build, folder, merged, commands, name, env))
            come_first_once_recording(workers[-1])
            return workers[-1]

        yield meeting, receivers, start
        for worker in workers:
            worker.close()
        if keep is None:
            shutil.rmtree(folder)
    except BaseException:
        print(f"what there was is kept in {folder}", file=sys.stderr)
        for worker in workers:
            worker.close()
            print("--- the worker's log ends:\n" + worker.process.tail(4000), file=sys.stderr)
        raise
    finally:
        if meeting is not None:
            meeting.close()
        receivers.close()


def takes(cores):
    """Marks a case that measures sound or pictures, with the processors it keeps busy on average, in
    quarters; see run.py."""
    def mark(case):
        case.cores = cores
        return case
    return mark


def cores_of(case):
    """0 for a case that measures nothing that must come in time."""
    return getattr(case, "cores", 0)


SMALL_SHARE = 5  # as a niceness: a third of the usual share; a thirtieth of a bot's that records
FIRST = -10  # of a session whose bot records


def give_way():
    """Leave the processors to whoever measures: this process and what it starts run where nobody else
    wants to (sched(7), SCHED_IDLE), and so does the whole session, with a Chromium that chooses the
    niceness of its own processes ("The autogroup feature")."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    try:
        pathlib.Path("/proc/self/autogroup").write_text(str(SMALL_SHARE))
    except OSError as error:
        print(f"# no share of the processors by session here: {error}", flush=True)


def come_first_once_recording(worker):
    """In a case that measures: ahead of the sessions of others that only begin, as soon as the bot
    records. The superuser's right; without it all who measure have the same share."""
    def watch():
        while not worker.events("recording"):
            if worker.process.popen.poll() is not None:
                return
            time.sleep(0.2)
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/self/autogroup").write_text(str(FIRST))

    if os.environ.get("STENO_SHARES") == "whole":
        threading.Thread(target=watch, daemon=True).start()


def giving_way(executable, folder):
    """The path of a program that is the executable in a session of its own which gives way, too, if this
    case does: what a test starts starts it so."""
    if os.environ.get("STENO_SHARES") != "rest":
        return str(executable)
    wrapper = pathlib.Path(folder, "giving-way")
    wrapper.write_text(f'#!/bin/sh\necho {SMALL_SHARE} 2>/dev/null >/proc/self/autogroup\n'
                       f'exec "{executable}" "$@"\n')
    wrapper.chmod(0o755)
    return str(wrapper)


MEASURED = "# measured"


def measured():
    """For a case with takes(): the last meeting is over, what follows needs no room of its own."""
    print(MEASURED, flush=True)
    if os.environ.get("STENO_SHARES"):
        give_way()


def main(tests):
    """Runs the named tests (all without names) one after the other; prints TAP."""
    build = pathlib.Path(os.environ.get("STENO_BUILD", ROOT / "build")).resolve()
    chosen = [t for t in tests if not sys.argv[1:] or t.__name__ in sys.argv[1:]]
    check(chosen, f"there is no {' or '.join(sys.argv[1:])}; there are: "
          f"{', '.join(t.__name__ for t in tests)}")
    if os.environ.get("STENO_SHARES") == "rest":
        give_way()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # as an exception: nothing is left running
    print(f"1..{len(chosen)}", flush=True)
    n_failed = 0
    for number, test in enumerate(chosen, 1):
        begun = time.monotonic()
        try:
            test(build)
            print(f"ok {number} {test.__name__} # {time.monotonic() - begun:.1f} s", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            n_failed += 1
            text = str(error).replace("\n", "\n# ")
            print(f"not ok {number} {test.__name__}\n# {type(error).__name__}: {text}", flush=True)
    sys.exit(1 if n_failed else 0)
