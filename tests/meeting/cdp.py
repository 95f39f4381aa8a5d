# SPDX-License-Identifier: Apache-2.0
"""A small DevTools driver over a pipe, for the test meeting's own tests.

    with Browser(settings) as browser:      # settings: the "browser" part of the meeting's line
        browser.open(url)
        browser.wait("document.querySelector('input')")

Chromium ends with the `with` block, and its profile folder goes.
"""
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time


class Browser:
    def __init__(self, settings, executable="chromium", args=(), headless=True, env=None):
        self.profile = tempfile.mkdtemp(prefix="steno-cdp-")
        to_browser, self.write_fd = os.pipe()
        self.read_fd, from_browser = os.pipe()
        # Chromium wants the pipe on descriptors 3 and 4; dup'ed high first, so that neither
        # overwrites the other.
        high_in, high_out = os.dup2(to_browser, 200), os.dup2(from_browser, 201)

        def place():
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)

        self.process = subprocess.Popen(
            [executable, *(["--headless=new", "--mute-audio"] if headless else []),
             "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "--lang=en-US",
             "--no-first-run", "--autoplay-policy=no-user-gesture-required",
             f"--host-resolver-rules={settings['host_rules']}",
             f"--ignore-certificate-errors-spki-list={settings['trusted_spki']}",
             f"--ip-address-space-overrides={settings['address_space_overrides']}",
             "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,"
             "LocalNetworkAccessChecksWebRTC", *settings.get("args", ()), *args, "about:blank"],
            # libpulse would make a folder in the temporary one, and link to it from ~/.config.
            env={"PULSE_RUNTIME_PATH": self.profile, **(env or os.environ)}, preexec_fn=place, pass_fds=(3, 4, high_in, high_out), close_fds=True,
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for fd in (to_browser, from_browser, high_in, high_out):
            os.close(fd)
        self.buffer = b""
        self.next_id = 0
        self.session = None
        self.events = []
        # With them Chromium tries every network for WebRTC, loopback included; without, only the
        # default route, which a machine with nothing but loopback does not have.
        self.call("Browser.grantPermissions", browser=True,
                  permissions=["audioCapture", "videoCapture"])
        targets = self.call("Target.getTargets", browser=True)["targetInfos"]
        page = next(t for t in targets if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", browser=True,
                                 targetId=page["targetId"], flatten=True)["sessionId"]
        self.call("Page.enable")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        for fd in (self.write_fd, self.read_fd):
            os.close(fd)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _read(self, deadline):
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.read_fd], [], [], left)[0]:
                raise TimeoutError("no answer from the browser")
            data = os.read(self.read_fd, 1 << 16)
            if not data:
                raise EOFError("the browser is gone")
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, browser=False, timeout=60, **params):
        self.next_id += 1
        message = {"id": self.next_id, "method": method, "params": params}
        if not browser:
            message["sessionId"] = self.session
        os.write(self.write_fd, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + timeout
        while True:
            answer = self._read(deadline)
            if answer.get("id") == self.next_id:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            if "method" in answer:
                self.events.append(answer["method"])

    def wait_event(self, method, timeout=60):
        deadline = time.monotonic() + timeout
        while method not in self.events:
            message = self._read(deadline)
            if "method" in message:
                self.events.append(message["method"])

    def open(self, url):
        self.call("Page.navigate", url=url)

    def evaluate(self, expression, timeout=60):
        answer = self.call("Runtime.evaluate", timeout=timeout, expression=expression,
                           returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait(self, expression, timeout=60):
        """Waits until the expression holds; returns its value."""
        deadline = time.monotonic() + timeout
        while True:
            value = self.evaluate(f"(async () => {{ const v = await ({expression}); "
                                  "return v instanceof Element ? true : v; })()")
            if value:
                return value
            if time.monotonic() > deadline:
                raise TimeoutError(f"never true: {expression}")
            time.sleep(0.1)


class Meeting:
    """A steno-meeting process and the line that it printed."""

    def __init__(self, executable, scenario, folder, args=()):
        self.report_path = os.path.join(folder, "report.json")
        self.process = subprocess.Popen(
            [executable, "--scenario", scenario, "--report", self.report_path, "--verbose",
             *args], stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"steno-meeting ended with {self.process.wait()}")
        self.line = json.loads(line)
        self.url = self.line["meeting_url"]
        self.browser = self.line["browser"]

    def report(self, timeout=60):
        """Waits for the meeting's end; returns its report."""
        self.process.wait(timeout)
        with open(self.report_path, encoding="utf-8") as file:
            return json.load(file)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()


def join(browser, url, name="Steno"):
    """Goes through the pre-join page as a person does."""
    browser.open(url)
    browser.wait("document.querySelector('input[type=\"text\"][aria-label=\"Your name\"]')")
    browser.evaluate("""(() => {
        const input = document.querySelector('input[aria-label="Your name"]');
        input.value = %s;
        input.dispatchEvent(new Event('input', {bubbles: true}));
    })()""" % json.dumps(name))
    browser.wait("state.socket.readyState === 1 && state.token")
    browser.wait("""[...document.querySelectorAll('button')].find((b) =>
        ['Ask to join', 'Join now'].includes(b.textContent.trim()) && !b.disabled)""")
    browser.evaluate("""[...document.querySelectorAll('button')].find((b) =>
        ['Ask to join', 'Join now'].includes(b.textContent.trim())).click()""")
