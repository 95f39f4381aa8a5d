# SPDX-License-Identifier: Apache-2.0
"""What a bot's page goes through in the test meeting: test_front.py STENO_MEETING.

One short meeting in a real Chromium for each lobby mode, page variant and event.
"""
import concurrent.futures
import json
import os
import sys
import tempfile

import cdp

ALICE = {"id": "alice", "name": "Alice Martin", "host": True,
         "speech": [{"at_s": 0.5, "tone_hz": 440, "for_s": 20}]}
CARA = {"id": "cara", "camera": {"source": "pattern:ball", "width": 160, "height": 90, "fps": 10,
                                 "loop_s": 1}}
IN_CALL = "document.querySelector('button[aria-label=\"Turn on captions\"]')"


def text(fragment):
    return f"document.body && document.body.innerText.includes({json.dumps(fragment)})"


class Front:
    """Runs one meeting: `with Front(…) as (meeting, browser)`; the report comes afterwards."""

    def __init__(self, **scenario):
        self.scenario = {"participants": [ALICE], **scenario}
        self.bots = None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, "scenario.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.scenario, file)
        self.meeting = cdp.Meeting(EXECUTABLE, path, self.folder.name,
                                   ["--cache", self.folder.name])
        self.browser = cdp.Browser(self.meeting.browser)
        return self

    def __exit__(self, kind, *unused):
        self.browser.close()
        if kind is None:
            self.meeting.process.terminate()
            self.bots = self.meeting.report(20)["bots"]
        self.meeting.__exit__()
        self.folder.cleanup()

    def join(self):
        cdp.join(self.browser, self.meeting.url)

    def hang_up(self):
        """Closes the page's socket in order: the server has read what the page said last."""
        self.browser.evaluate("""new Promise((resolve) => {
            state.ended = true;
            state.socket.addEventListener('close', resolve);
            state.socket.close();
        }).then(() => true)""")


def test_denied():
    with Front(lobby={"mode": "deny", "after_s": 0.5}) as f:
        f.join()
        f.browser.wait(text("Someone in the call denied your request to join"))
    assert f.bots[0]["how_left"] == "denied" and f.bots[0]["admitted_unix_ms"] is None


def test_ignored():
    with Front(lobby={"mode": "ignore"}) as f:
        f.join()
        f.browser.wait(text("Please wait until a meeting host brings you into the call"))
        # The lobby shows the controls of a call, as the real one does.
        f.browser.wait("document.querySelector('[role=\"region\"][aria-label=\"Call controls\"]')")
        f.browser.wait("!" + IN_CALL)
        f.browser.evaluate("document.querySelector('[aria-label=\"Leave call\"]').click()")
        f.hang_up()
    assert f.bots[0]["how_left"] == "left"


def test_host_arrives():
    with Front(lobby={"mode": "host_absent", "after_s": 1}) as f:
        f.join()
        f.browser.wait(text("Waiting for the host to join"))
        f.browser.wait(IN_CALL)
    assert f.bots[0]["how_left"] == "disconnected"


def test_variants():
    for variant, fragment in (("not_found", "Check your meeting code"),
                              ("login_required", "your Google Account"),
                              ("blocked", "You can't join this video call"),
                              ("captcha", "Verify you're a real person")):
        with Front(page={"variant": variant}) as f:
            f.browser.open(f.meeting.url)
            f.browser.wait(text(fragment))
            f.browser.wait("state.token")  # the server knows of the page
        assert f.bots[0]["knocked_unix_ms"] is None
    with Front() as f:
        f.browser.open("https://meet.google.com/xxx-yyyy-zzz")
        f.browser.wait(text("Check your meeting code"))


def test_headers():
    with Front() as f:
        f.browser.open(f.meeting.url)
        f.browser.wait("document.querySelector('input')")
        for script in ("document.body.innerHTML = '<b>x</b>'",
                       "new Worker(URL.createObjectURL(new Blob([''])))"):
            assert f.browser.evaluate(f"try {{ {script}; 'allowed' }} catch (e) {{ 'refused' }}") \
                == "refused", script


def test_ends():
    for do, how, fragment in (("remove_bot", "removed", "You've been removed from the meeting"),
                              ("end_meeting", "meeting_ended",
                               "Your host ended the meeting for everyone")):
        with Front(events=[{"at_s": 1, "do": do}]) as f:
            f.join()
            f.browser.wait(text(fragment))
        assert f.bots[0]["how_left"] == how


def test_dialogs():
    with Front(page={"dialogs": ["recorded"]},
               events=[{"at_s": 1, "do": "show_dialog", "name": "strange"},
                       {"at_s": 1.2, "do": "deny_recording"}]) as f:
        f.join()
        for name, button in (("recorded", "Join now"), ("strange", "Continue"),
                             ("deny_recording", "OK")):
            dialog = f"document.querySelector('[role=\"dialog\"][data-dialog=\"{name}\"]')"
            f.browser.wait(dialog)
            assert f.browser.evaluate(f"{dialog}.querySelector('button').innerText") == button
            f.browser.evaluate(f"{dialog}.querySelector('button').click()")
        f.hang_up()
    assert [d["what"] for d in f.bots[0]["dialogs"]][-1] == "deny_recording: OK"


def test_crash():
    with Front(events=[{"at_s": 1, "do": "crash_page"}]) as f:
        f.join()
        f.browser.call("Inspector.enable")
        f.browser.wait_event("Inspector.targetCrashed", 30)
    assert f.bots[0]["how_left"] == "disconnected"


def test_freeze():
    with Front(events=[{"at_s": 1, "do": "freeze_page"}]) as f:
        f.join()
        f.browser.wait(IN_CALL)
        # Something that the page answers only as long as its scripts run.
        for _ in range(100):
            try:
                f.browser.evaluate("new Promise((r) => setTimeout(r, 100))", timeout=3)
            except TimeoutError:
                break
        else:
            raise AssertionError("the page never froze")
        f.browser.call("Runtime.terminateExecution")
        f.browser.wait(IN_CALL)


def drop_and_restore(at_s):
    """The bot's pictures, when the network is away for 2 s from at_s on."""
    with Front(participants=[ALICE, CARA],
               events=[{"at_s": at_s, "do": "drop_network"},
                       {"at_s": at_s + 2, "do": "restore_network"}]) as f:
        f.join()
        f.browser.wait("document.querySelector('[role=\"alert\"]') && "
                       + text("You lost your network connection"), 20 + at_s)
        f.browser.wait("!document.querySelector('[role=\"alert\"]')")
        f.browser.wait("((v) => v && v.videoWidth === 160 && new Promise((resolve) => "
                       "v.requestVideoFrameCallback(() => resolve(true))))"
                       "(document.querySelector('video'))")
    assert len(f.bots) == 1, f.bots
    return f.bots[0]["pictures"]


def test_network():
    """Before and after the gap; on a busy machine the page may take seconds to connect at all."""
    for at_s in (2, 8, 30):
        pictures = drop_and_restore(at_s)
        if pictures and pictures[0]["first_s"] < at_s:
            break
    assert len(pictures) == 2, pictures
    assert pictures[0]["last_s"] < at_s + 2 <= pictures[1]["first_s"], pictures


def test_people():
    """Nothing before 5 s: on a busy machine the page takes that long to connect."""
    late = {"id": "late", "join_s": 5, "leave_s": 11,
            "screen": [{"from_s": 5.5, "to_s": 10, "source": "pattern:smpte", "width": 160,
                        "height": 90, "loop_s": 1}]}
    with Front(participants=[ALICE, CARA, late],
               events=[{"at_s": 5, "do": "mute", "id": "alice"},
                       {"at_s": 6, "do": "unmute", "id": "alice"},
                       {"at_s": 6, "do": "camera_off", "id": "cara"},
                       {"at_s": 8, "do": "camera_on", "id": "cara"}]) as f:
        f.join()
        tile = "document.querySelector('[data-participant-id$=\"/%s\"]')"
        f.browser.wait(tile % "103")
        video = "document.querySelector('[data-participant-id$=\"/%s\"] video')"
        f.browser.wait(video % "1030")
        f.browser.wait(f"!({tile % '103'}) && !({tile % '1030'})")
        f.browser.wait(video % "102")
        f.browser.wait("state.people.length === 3")
        f.browser.wait("state.people.find((p) => p.name === 'cara').stream", 10)
    bot, = f.bots
    heard = [h for h in bot["heard"] if h["person"] == "alice"]
    assert len(heard) == 2 and abs(heard[0]["end_s"] - 5) < 0.03, heard
    assert abs(heard[1]["start_s"] - 6) < 0.03, heard
    shown = [(p["person"], p["what"]) for p in bot["pictures"]]
    assert shown[:2] == [("cara", "camera"), ("late", "screen")], shown


def test_two_bots():
    with Front() as f:
        f.join()
        f.browser.wait(IN_CALL)
        with cdp.Browser(f.meeting.browser) as second:
            cdp.join(second, f.meeting.url, "Other")
            second.wait("state.people.length === 3")
            f.browser.wait("state.people.length === 3")
        f.browser.wait("state.people.length === 2")
    assert [b["name"] for b in f.bots] == ["Steno", "Other"]
    assert f.bots[1]["admitted_s"] > 0


EXECUTABLE = sys.argv[1]


def run(name):
    globals()[name]()
    print(name, flush=True)


if __name__ == "__main__":
    names = sys.argv[2:] or [name for name in globals() if name.startswith("test_")]
    # Each in a process of its own, two side by side: a page that waits takes no processor.
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        list(pool.map(run, names))
