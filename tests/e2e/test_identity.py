#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a bot shows of itself and who it is, on every platform: its picture as the camera's, and a
sign-in that was given to it as cookies or as a browser profile."""
import contextlib
import http.server
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import threading
import time
import zlib

import harness
import outcomes
from harness import check

ALICE = outcomes.ALICE
PLATFORMS = ("meet", "teams", "zoom")
SECRET = "c0ffee-and-a-half"


def scenario(platform, **keys):
    return {"platform": platform, "duration_s": 60, "lobby": {"mode": "none"},
            "participants": [ALICE], **keys}


def png(width, height, rgb):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    rows = b"".join(b"\0" + bytes(rgb) * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


class Pictures:
    """An HTTP server on loopback that serves one picture, and a way to another address."""

    def __init__(self):
        picture = png(300, 300, (220, 40, 40))
        self.folder = tempfile.TemporaryDirectory(prefix="steno-pictures-")
        self.file = pathlib.Path(self.folder.name) / "logo.png"
        self.file.write_bytes(picture)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/moved":
                    self.send_response(302)
                    self.send_header("Location", "/logo.png")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "image/png")
                self.send_header("Content-Length", str(len(picture)))
                self.end_headers()
                self.wfile.write(picture)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()


def devices(meeting):
    bot = meeting.report()["bots"][-1]
    return bot["camera"], [m["state"] for m in bot["mic"]]


# --- the picture ---

def picture_is_shown(platform):
    """From admission on, and not before: the camera is off on the way in. On one of the platforms the
    picture comes from a file, as the orchestrator keeps those that came by value."""
    def after(worker, meeting):
        camera, states = devices(meeting)
        check(camera["showed_picture"], f"no picture was shown: {camera}, {states}")
        check(camera["width"] * 9 == camera["height"] * 16, f"its shape: {camera}")
        check(camera["last_s"] - camera["first_s"] > 1, f"it did not stay: {camera}")
        switched = [s for s in states if s.startswith("camera")]
        check(switched[-1] == "camera on", f"the camera's states: {switched}")
        check("bot_image" not in [e["code"] for e in worker.events("warning")], "a warning")

    def run(build):
        with Pictures() as pictures:
            outcomes.recorded(build, scenario(platform,
                                              events=[{"at_s": 18, "do": "end_meeting"}]),
                              "meeting_ended", after=after, **(
                                  {"bot_image_file": str(pictures.file)} if platform == "teams" else
                                  {"bot_image": pictures.url("/logo.png"),
                                   "bot_image_private": True}))
    run.__name__ = f"picture_is_shown_on_{platform}"
    return run


def picture_at_a_private_address(build):
    """It is not fetched, nor is what a redirect leads to; the bot says so and does without."""
    with Pictures() as pictures:
        for path, allowed in (("/logo.png", False), ("/moved", True)):
            def after(worker, meeting):
                texts = [e["message"] for e in worker.events("warning") if e["code"] == "bot_image"]
                check(len(texts) == 1 and "private address" in texts[0], f"warned {texts}")
                camera, states = devices(meeting)
                check(not camera["showed_picture"], f"something was shown: {camera}")
                check([s for s in states if s.startswith("camera")][-1] == "camera off", str(states))

            outcomes.recorded(build, scenario("meet", events=[{"at_s": 6, "do": "end_meeting"}]),
                              "meeting_ended", after=after, bot_image=pictures.url(path),
                              bot_image_private=allowed)


# --- the sign-in ---

def wall(platform, **keys):
    return scenario(platform, page={"variant": "login_required", "cookie": f"session={SECRET}"},
                    events=[{"at_s": 6, "do": "end_meeting"}], **keys)


def write_cookies(folder, platform):
    host = {"meet": ".google.com", "teams": ".teams.microsoft.com", "zoom": ".zoom.us"}[platform]
    path = pathlib.Path(folder, "cookies.json")
    path.write_text(json.dumps([
        {"name": "session", "value": SECRET, "domain": host, "path": "/", "secure": True,
         "httpOnly": True, "expires": int(time.time()) + 86400},
        {"name": "other", "value": "x", "domain": host}]))
    return str(path)


def check_unlogged(worker, meeting):
    for path in (worker.process.log_path, worker.output / "events.ndjson",
                 worker.output / "metadata.json"):
        check(SECRET not in path.read_text(), f"the cookie's value stands in {path.name}")


def run_signed_in(build, setting, **browser):
    """Through the wall to the meeting's end."""
    with harness.session(build, setting) as (meeting, _, start):
        worker = start({"browser": {**meeting.browser(), **browser}, "recording_mode": "audio_only"})
        code = worker.wait(75)
        check(code == 0, f"exit code {code}; log:\n{worker.process.tail()}")
        check(worker.metadata()["end_reason"] == "meeting_ended", f"{worker.metadata()}")
        check_unlogged(worker, meeting)
        harness.check_nothing_left(worker, [])


def wall_without_a_cookie(build):
    outcomes.failing(build, wall("meet"), "meeting_error", "CannotJoinMeeting", "login_required",
                     lobby=False)


def cookies_open_the_wall(platform):
    def run(build):
        with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder:
            run_signed_in(build, wall(platform), cookies_file=write_cookies(folder, platform))
    run.__name__ = f"cookies_open_the_wall_of_{platform}"
    return run


def a_profile_stays_signed_in(build):
    """What one bot's browser was given, the next one finds in the profile, which is the user's."""
    with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder:
        profile = str(pathlib.Path(folder, "profile"))
        run_signed_in(build, wall("meet"), profile_dir=profile,
                      cookies_file=write_cookies(folder, "meet"))
        check(pathlib.Path(profile).is_dir(), "the profile was removed")
        pathlib.Path(folder, "cookies.json").unlink()
        run_signed_in(build, wall("meet"), profile_dir=profile)


@contextlib.contextmanager
def display():
    """A screen that somebody could sit before."""
    read_fd, write_fd = os.pipe()
    process = subprocess.Popen(["Xvfb", "-displayfd", str(write_fd), "-screen", "0", "1280x800x24",
                                "-nolisten", "tcp"], pass_fds=[write_fd],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write_fd)
    try:
        with os.fdopen(read_fd, encoding="ascii") as number:
            yield ":" + number.readline().strip()
    finally:
        process.terminate()
        process.wait(20)


def login(build, folder, meeting, *arguments, **env):
    return subprocess.run([str(build / "bot/steno-worker"), "login", *arguments, "--browser",
                           json.dumps(meeting.browser()), "--profile",
                           str(pathlib.Path(folder, "profile"))],
                          capture_output=True, text=True, timeout=150, check=False,
                          env={**{k: v for k, v in os.environ.items()
                                  if k not in ("DISPLAY", "WAYLAND_DISPLAY")}, **env})


def signed_in_by_hand(build):
    """Somebody signs in once, in a window; after that the bot passes the wall. Without a screen, and at
    an address that is no page, it says so; a session that is over is said, too."""
    page = "https://meet.google.com/_steno/sign-in"
    with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder:
        profile = str(pathlib.Path(folder, "profile"))
        with harness.session(build, wall("meet")) as (meeting, _, start):
            out = login(build, folder, meeting, page)
            check(out.returncode == 6 and "DISPLAY" in out.stderr, f"without a screen: {out}")
            with display() as screen:
                out = login(build, folder, meeting, "http://meet.google.com/", DISPLAY=screen)
                check(out.returncode == 2 and "https" in out.stderr, f"no https: {out}")
                out = login(build, folder, meeting, page + "?close=1", DISPLAY=screen)
            check(out.returncode == 0 and "browser.profile_dir" in out.stdout, f"login: {out}")
            check(pathlib.Path(profile).stat().st_mode & 0o77 == 0, "others may read the profile")
            signed_in = {"profile_dir": profile, "signed_in": True}
            worker = start({"browser": {**meeting.browser(), **signed_in},
                            "recording_mode": "audio_only"})
            code = worker.wait(75)
            check(code == 0, f"exit code {code}; log:\n{worker.process.tail()}")
            # Our page asks everybody for a name, as Meet does when the session is over.
            warnings = [w for w in worker.events("warning") if w["code"] == "signed_out"]
            check(len(warnings) == 1 and "steno-worker login" in warnings[0]["message"],
                  f"warnings {worker.events('warning')}")


def a_bad_cookie_file_is_named(build):
    """Which entry is wrong, and not what stands in it."""
    with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder:
        path = pathlib.Path(folder, "cookies.json")
        path.write_text(json.dumps([{"name": "session", "value": SECRET}]))
        with harness.session(build, wall("meet")) as (meeting, _, start):
            worker = start({"browser": {**meeting.browser(), "cookies_file": str(path)}})
            code = worker.wait(75)
            check(code == 6, f"exit code {code}")
            ended = worker.events()[-1]
            check("cookies_file: [0]" in ended["message"], f"says {ended['message']}")
            check_unlogged(worker, meeting)


TESTS = ([picture_is_shown(p) for p in PLATFORMS] + [picture_at_a_private_address,
         wall_without_a_cookie] + [cookies_open_the_wall(p) for p in PLATFORMS]
         + [a_profile_stays_signed_in, signed_in_by_hand, a_bad_cookie_file_is_named])

if __name__ == "__main__":
    harness.main(TESTS)
