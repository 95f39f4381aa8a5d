# SPDX-License-Identifier: Apache-2.0
"""The usual way to record a meeting, to compare with: Xvfb, a headed Chromium that shows the meeting,
PulseAudio's null sink, and one ffmpeg that grabs the screen (x11grab, libx264 veryfast crf 23, AAC)
or, for audio only, just the sound (MP3). Everything is our own child, on loopback and a display of its
own."""
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "meeting"), str(ROOT / "e2e")]
import cdp  # noqa: E402
import harness  # noqa: E402

WIDTH, HEIGHT, FPS = 1280, 720, 25

# The page as bots of this kind arrange it: nothing but pictures, the speaker's or everybody's.
CSS = {
    "speaker": """
        .bar, .panel, [role=alert] { display: none !important }
        main { padding: 0 !important; display: block !important }
        .tile { display: none !important; position: fixed !important; inset: 0; border-radius: 0 }
        .tile.shown { display: flex !important }""",
    "gallery": """
        .bar, .panel, [role=alert] { display: none !important }
        main { position: fixed; inset: 0; padding: 0 !important; gap: 8px !important;
               grid-template-columns: repeat(3, 1fr) !important; align-content: center }
        .tile { border-radius: 0 }
        .tile[data-self] { display: none !important }""",
}
# Spotlight: a shared screen, else whoever speaks, else who spoke last. (Style sheets and timers only:
# the page has a strict policy.)
SPOTLIGHT = """
(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(%s);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const show = () => {
    const tiles = [...document.querySelectorAll('.tile')];
    const pick = tiles.find((t) => t.querySelector('.name').textContent.includes('(Presentation)'))
      || tiles.find((t) => t.querySelector('.speaks:not(.gjg47c)'))
      || tiles.find((t) => t.classList.contains('shown')) || tiles.find((t) => t.querySelector('video'));
    tiles.forEach((t) => t.classList.toggle('shown', t === pick));
  };
  setInterval(show, 200);
  show();
  return true;
})()"""


def free_display():
    """Starts Xvfb on a display that it picks itself; returns (process, ":N")."""
    read_fd, write_fd = os.pipe()
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_fd), "-screen", "0", f"{WIDTH}x{HEIGHT}x24",
         "-nolisten", "tcp", "-nocursor"], pass_fds=(write_fd,), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    os.close(write_fd)
    with os.fdopen(read_fd) as pipe:
        number = pipe.readline().strip()
    harness.check(number, "Xvfb did not start")
    return process, f":{number}"


class Pulse:
    """A PulseAudio of its own with one null sink, reached by a socket in folder."""

    def __init__(self, folder):
        self.socket = folder / "pulse.sock"
        env = dict(os.environ, XDG_RUNTIME_DIR=str(folder), HOME=str(folder),
                   PULSE_RUNTIME_PATH=str(folder))
        self.process = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
             "--disallow-exit", "--log-level=error",
             "--load=module-null-sink sink_name=meeting rate=48000 channels=2",
             f"--load=module-native-protocol-unix socket={self.socket} auth-anonymous=1"],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        harness.wait_for(self.socket.exists, 10, "PulseAudio's socket")


class UsualBot:
    """Joins by hand of cdp.join, then records; groups() are its processes by what they are for."""

    def __init__(self, folder, meeting, view):
        self.folder = pathlib.Path(folder)
        self.view = view
        self.started = time.monotonic()
        self.file = self.folder / ("usual.mp3" if view == "audio" else "usual.mp4")
        self.xvfb, self.display = free_display()
        self.pulse = Pulse(self.folder)
        self.env = dict(os.environ, DISPLAY=self.display, PULSE_SERVER=f"unix:{self.pulse.socket}")
        self.browser = cdp.Browser(
            meeting.line["browser"], headless=False, env=self.env,
            args=["--kiosk", f"--window-size={WIDTH},{HEIGHT}", "--window-position=0,0",
                  "--hide-scrollbars"])
        cdp.join(self.browser, meeting.url, "Usual Bot")
        self.browser.wait("document.querySelector('button[aria-label=\"Turn on captions\"]')")
        css = CSS["gallery" if view == "gallery" else "speaker"]
        self.browser.evaluate(SPOTLIGHT % repr(css).replace("\\n", " "))
        self.ffmpeg = self.record()
        self.first_frame_s = None

    def record(self):
        sound = ["-f", "pulse", "-thread_queue_size", "1024", "-i", "meeting.monitor"]
        if self.view == "audio":
            command = sound + ["-c:a", "libmp3lame", "-q:a", "4", str(self.file)]
        else:
            command = ["-f", "x11grab", "-thread_queue_size", "64", "-framerate", str(FPS),
                       "-video_size", f"{WIDTH}x{HEIGHT}", "-draw_mouse", "0", "-i",
                       self.display, *sound, "-c:v", "libx264", "-preset", "veryfast", "-crf",
                       "23", "-pix_fmt", "yuv420p", "-c:a", "aac", str(self.file)]
        return subprocess.Popen(["ffmpeg", "-v", "error", "-nostats", "-y", *command],
                                env=self.env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                stderr=open(self.folder / "ffmpeg.log", "wb"),
                                start_new_session=True)

    def wait_recording(self):
        harness.wait_for(lambda: self.file.exists() and self.file.stat().st_size >= 0, 20,
                         "ffmpeg's file")
        self.first_frame_s = time.monotonic() - self.started

    def groups(self):
        browser = [self.browser.process.pid, *harness.descendants(self.browser.process.pid)]
        return {"browser": sorted(set(browser)), "media": [self.ffmpeg.pid],
                "helpers": [self.xvfb.pid, self.pulse.process.pid]}

    def tiles(self):
        """Where everybody's picture is: {band number's index in order of tiles: rect}."""
        return self.browser.evaluate(
            "[...document.querySelectorAll('.tile video')].map((v) => {"
            "const r = v.getBoundingClientRect();"
            "return [Math.round(r.x), Math.round(r.y), Math.round(r.width), Math.round(r.height)];})")

    def stop(self):
        """Ends the recording as such bots do (q), then everything else; the file is whole."""
        self.ffmpeg.communicate(b"q", timeout=20)
        self.close()

    def close(self):
        if self.ffmpeg.poll() is None:
            self.ffmpeg.kill()
            self.ffmpeg.wait()
        self.browser.close()
        for process in (self.pulse.process, self.xvfb):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
