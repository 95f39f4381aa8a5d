# SPDX-License-Identifier: Apache-2.0
"""A real Chromium joins the test meeting: test_chromium.py STENO_MEETING.

Every check is on what happened; waits have bounds.
"""
import json
import os
import sys
import tempfile

import numpy as np

import band
import cdp

SCENARIO = {
    "lobby": {"mode": "admit", "after_s": 0.5},
    "participants": [
        {"id": "alice", "name": "Alice Martin", "host": True,
         "camera": {"source": "pattern:webcam", "loop_s": 2},
         "speech": [{"at_s": 1.5, "tone_hz": 440, "for_s": 60}]},
        {"id": "bob", "name": "Bob Okafor",
         "camera": {"source": "pattern:ball", "codec": "h264", "width": 320, "height": 180,
                    "loop_s": 2},
         "speech": [{"at_s": 1.8, "tone_hz": 660, "for_s": 60}]},
        {"id": "late", "name": "Late Comer", "join_s": 3,
         "camera": {"source": "pattern:smpte", "codec": "vp9", "width": 320, "height": 180,
                    "loop_s": 2}}],
    "chat": [{"at_s": 2, "from": "alice", "text": "Hello"}],
    "page": {"dialogs": ["recorded"]},
}

STATS = """(async () => {
    const result = [];
    for (const r of (await state.call.pc.getStats()).values())
        if (r.type === 'inbound-rtp')
            result.push({kind: r.kind, packets: r.packetsReceived, decoded: r.framesDecoded || 0});
    return result;
})()"""

SOURCES = """state.call && state.call.pc.getReceivers()
    .flatMap((r) => r.getContributingSources()).map((s) => s.source)"""

# The top of one person's picture, as numbers.
PICTURE = """(() => {
    const video = document.querySelector('[data-participant-id$="/%d"] video');
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0);
    const rows = Math.ceil(canvas.height / 15);
    const data = context.getImageData(0, 0, canvas.width, rows).data;
    const gray = [];
    for (let i = 1; i < data.length; i += 4)
        gray.push(data[i]);
    return {width: canvas.width, height: canvas.height, gray};
})()"""


def read_band(browser, number):
    got = browser.evaluate(PICTURE % (100 + number))
    picture = np.zeros((got["height"], got["width"]), np.uint8)
    rows = np.array(got["gray"], np.uint8).reshape(-1, got["width"])
    picture[:len(rows)] = rows
    return band.read(picture)


def check_call(meeting, browser):
    cdp.join(browser, meeting.url, "Steno Bot")
    browser.wait("document.body.innerText.includes('Asking to be let in')")
    browser.wait("document.querySelector('button[aria-label=\"Turn on captions\"]')")
    browser.wait("document.querySelector('[role=\"dialog\"]')")
    browser.evaluate("document.querySelector('[data-mdc-dialog-action=\"ok\"]').click()")
    browser.wait("document.querySelectorAll('[data-participant-id] video').length === 3", 30)
    for number in (1, 2, 3):
        browser.wait(f"document.querySelector('[data-participant-id$=\"/{100 + number}\"] video')"
                     ".videoWidth")
        person, counter = read_band(browser, number)
        assert person == number and counter < 50, (person, counter)
    browser.wait(f"({SOURCES}).includes(30037) && ({SOURCES}).includes(30074)")
    browser.wait("document.querySelector('[data-participant-id$=\"/102\"] "
                 "[jsname=\"QgSmzd\"]:not(.gjg47c)')")
    browser.wait("state.call.collections && state.call.collections.readyState === 'open'")
    assert browser.evaluate("state.chat[0].text") == "Hello"
    browser.wait(f"({STATS}).then((s) => s.filter((r) => r.decoded > 20).length === 3)")
    browser.evaluate("document.querySelector('[aria-label=\"Chat with everyone\"]').click()")
    browser.evaluate("""(() => {
        const input = document.querySelector('textarea[aria-label="Send a message"]');
        input.value = 'I am a bot';
        input.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
    })()""")
    browser.wait("state.chat.length === 2")
    browser.evaluate("document.querySelector('[jsname=\"CQylAd\"]').click()")
    browser.wait("document.body.innerText.includes('You left the meeting')")


def check_report(report):
    bot, = report["bots"]
    assert bot["name"] == "Steno Bot" and bot["how_left"] == "left", bot["how_left"]
    assert bot["knocked_s"] < bot["admitted_s"] < bot["connected_s"] < bot["left_s"]
    assert [c["text"] for c in bot["chat"]] == ["I am a bot"]
    assert [d["what"] for d in bot["dialogs"]] == ["recorded: shown", "recorded: Join now"]
    assert {p["person"] for p in bot["pictures"]} == {"alice", "bob", "late"}
    assert [h["person"] for h in bot["heard"]] == ["alice", "bob"]
    assert {h["stream"] for h in bot["heard"]} == {0, 1}
    for stream in bot["streams"]:
        assert stream["lost"] == 0
        late = [t for t in stream["pli_s"] if t > 4]
        assert len(late) <= 1, stream
    # Chromium's fake microphone beeps twice a second.
    assert len(bot["said"]["sound"]) >= 3, bot["said"]
    assert os.path.getsize(bot["said"]["wav"]) > 48000
    assert bot["camera"]["showed_picture"]


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "scenario.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(SCENARIO, file)
        cache = os.path.join(folder, "cache")
        with cdp.Meeting(sys.argv[1], path, folder, ["--cache", cache]) as meeting:
            with cdp.Browser(meeting.browser, args=["--use-fake-ui-for-media-stream",
                                                    "--use-fake-device-for-media-stream"]) as b:
                check_call(meeting, b)
            meeting.process.terminate()
            check_report(meeting.report())
            assert meeting.process.returncode == 0


main()
