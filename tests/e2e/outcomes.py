# SPDX-License-Identifier: Apache-2.0
"""How a bot ends: runs one to its end and compares all that a client sees of it. Then the endings that
are the same on every platform (DESIGN section 3)."""
import base64
import json
import math
import pathlib
import struct
import tempfile

import harness
from harness import check

ALICE = {"id": "alice", "name": "Alice Martin", "host": True, "camera": None,
         "speech": [{"at_s": 1.0, "wav": "alice-1.wav"}]}
# Says something when the latest bot records.
LATE_TALKER = {**ALICE, "speech": [{"at_s": t, "wav": "alice-1.wav"} for t in (1.0, 9.0)]}
JOINED = ["joining_call", "in_call_not_recording", "in_call_recording"]
LOBBY = ["joining_call", "in_waiting_room"]


def rules_of(worker):
    return {e["rule"] for e in worker.events("rule") if e["found"]}


def warnings_of(worker):
    return [e["code"] for e in worker.events("warning")]


def matched(*rules):
    """For after: these rules found something."""
    def after(worker, meeting):
        for rule in rules:
            check(rule in rules_of(worker), f"{rule} did not match: {rules_of(worker)}")
    return after


def wait_and_watch(worker, within_s, pids):
    """The worker's exit code; adds the processes that it has below it, seen twice a second, to pids."""
    def ended():
        pids.update(harness.descendants(worker.pid))
        return worker.process.poll(0.5) is not None
    harness.wait_for(ended, within_s, f"the worker ends; states {worker.states()}")
    return worker.process.popen.returncode


# What an end that nobody asked for leaves a picture of, with the page itself beside it.
PICTURES = {"request_to_join_denied": "denied", "meeting_not_found": "not_found",
            "login_required": "login_required", "blocked_by_captcha": "captcha",
            "bots_not_allowed": "bots_not_allowed", "ui_element_not_found": "ui_not_found",
            "internal_error": "network_lost", "meeting_ended": "ended", "bot_removed": "removed"}


def check_pictured(worker, why):
    pictures = list((worker.output / "screenshots").glob(f"*-{PICTURES[why]}.png"))
    check(len(pictures) == 1 and pictures[0].with_suffix(".html").exists(),
          f"pictures of {why}: {sorted((worker.output / 'screenshots').glob('*'))}")


def outcome(build, setting, *, exit_code, codes, state="ended", sub_type=None, end_reason=None,
            error=None, during=None, after=None, within_s=75, env=None, **config):
    """Runs one bot to its end and compares everything that a client sees of it."""
    with harness.session(build, setting, env=env) as (meeting, receivers, start):
        worker = start({"webhook_url": receivers.hook_url(), "webhook_api_key": "key", **config},
                       commands=during is not None)
        pids = set()
        if during is not None:
            pids |= set(during(worker, meeting) or [])
        check(wait_and_watch(worker, within_s, pids) == exit_code,
              f"exit code {worker.process.popen.returncode}, expected {exit_code}; "
              f"states {worker.states()}, codes {receivers.codes()}\n{worker.process.tail()}")
        check(receivers.codes() == codes, f"codes {receivers.codes()}, expected {codes}")
        check(all(h.get("x-meeting-baas-api-key") == "key" for h, _ in receivers.webhooks),
              "a webhook lacks the key")
        check(worker.states()[-1] == state, f"last state {worker.states()[-1]}")
        sub_types = [e["sub_type"] for e in worker.events("state") if e["sub_type"]]
        check(sub_types == ([sub_type] if sub_type else []), f"sub-types {sub_types}")
        ended = worker.events()[-1]
        check(ended["type"] == "ended" and ended["exit"] == exit_code, f"last event {ended}")
        check(ended["end_reason"] == end_reason, f"end reason {ended['end_reason']}")
        check(ended["error"] == error, f"error {ended['error']}")
        check(worker.metadata()["end_reason"] == end_reason, "metadata's end reason")
        final = receivers.webhooks[-1][1]["data"]
        if error:
            check(final["error"] == error and final["message"], f"final webhook {final}")
        else:
            recorded = (worker.output / "recording.mp4").exists()
            check(bool(final["mp4"]) == recorded, f"mp4 is {final['mp4']!r}")
            check(not recorded or harness.stream_s(harness.ffprobe(
                worker.output / "recording.mp4"), "audio") > 0, "no audio")
        seqs = [e["seq"] for e in worker.events()]
        check(seqs == list(range(1, len(seqs) + 1)), "events are not numbered without a hole")
        harness.check_nothing_left(worker, pids)
        for why in {sub_type, end_reason} & PICTURES.keys():
            if "invalid_meeting_url" not in codes:
                check_pictured(worker, why)
        if after is not None:
            after(worker, meeting)


def check_recorded_until(worker, meeting, end_s):
    """The recording goes on to that time of the meeting, however late the bot came."""
    result = harness.Run(meeting.report(), worker)
    until_s = result.offset_s + result.metadata["duration_s"]
    check(until_s > end_s - 0.5, f"recorded until {until_s:.2f} s of {end_s}")
    return result


def failing(build, setting, code, error, sub_type, lobby=True, exit_code=3, **config):
    codes = (LOBBY if lobby else LOBBY[:1]) + [code, "failed"]
    return outcome(build, setting, exit_code=exit_code, codes=codes, state="fatal_error",
                   sub_type=sub_type, error=error, **config)


def recorded(build, setting, end_reason, extra_codes=(), sub_type=None, **config):
    codes = JOINED + list(extra_codes) + ["call_ended", "complete"]
    return outcome(build, setting, exit_code=0, codes=codes, end_reason=end_reason,
                   sub_type=sub_type, **config)


def entry_message_arrives(build, setting, text, wrote, seconds=20):
    """All of @text, as a reader sees it, in the messages that the bot @wrote."""
    def after(worker, meeting):
        written = [" ".join(c["text"].split()) for c in meeting.report()["bots"][0]["chat"]]
        check(len(written) == wrote and " ".join(written) == " ".join(text.split()),
              f"wrote {written}")
        check("entry_message_not_sent" not in warnings_of(worker), f"{warnings_of(worker)}")

    recorded(build, setting, "recording_timeout", sub_type="auto_leave_max_uptime_exceeded",
             after=after, entry_message=text, automatic_leave={"max_duration": seconds})


class Everywhere:
    """The endings that are the same on every platform; scenario(**keys) makes a test meeting there.

    Methods are tests; those with keys take more of the scenario.
    """

    def __init__(self, platform, scenario, join_button):
        self.platform = platform
        self.scenario = scenario
        self.join_button = join_button  # (selector, text)

    def rules(self):
        return json.loads((harness.ROOT / "platforms" / self.platform / "rules.json").read_text())

    def write_rules(self, folder, rules):
        pathlib.Path(folder, f"{self.platform}.json").write_text(json.dumps(rules))
        return {"STENO_PLATFORM_DIR": str(folder)}

    def hasty_rules(self, folder, **timing):
        """The shipped rules with other times, where the test would only wait."""
        rules = self.rules()
        rules["timing"].update(timing)
        return self.write_rules(folder, rules)

    def nobody_joined(self, build):
        recorded(build, self.scenario(participants=[]), "no_attendees",
                 sub_type="auto_leave_only_participant_in_meeting",
                 automatic_leave={"noone_joined_timeout": 3})

    def alone_again(self, build):
        """Another bot is no company."""
        people = [{**ALICE, "leave_s": 6}, {"id": "other", "name": "Notetaker 2000"}]
        recorded(build, self.scenario(participants=people), "no_attendees",
                 sub_type="auto_leave_only_participant_in_meeting",
                 automatic_leave={"alone_timeout": 2, "ignored_names": ["notetaker 2000"]})

    def silence(self, build):
        recorded(build, self.scenario(participants=[{**ALICE, "speech": []}]), "no_speaker",
                 sub_type="auto_leave_silence", automatic_leave={"silence_timeout": 4})

    def maximum_duration(self, build, **keys):
        """Who says and shows nothing has microphone and camera off; it leaves by the page's own
        button."""
        def after(worker, meeting):
            bot = meeting.report()["bots"][-1]
            check(bot["how_left"] == "left", f"it did not leave by the page: {bot['how_left']}")
            states = [m["state"] for m in bot["mic"]]
            for device in ("mic", "camera"):
                check([s for s in states if s.startswith(device)][-1:] == [f"{device} off"],
                      f"the {device}: {states}")
            check(not bot["said"]["sound"] and not bot["camera"]["showed_picture"],
                  f"it said {bot['said']}, showed {bot['camera']}")

        recorded(build, self.scenario(**keys), "recording_timeout",
                 sub_type="auto_leave_max_uptime_exceeded", after=after,
                 automatic_leave={"max_duration": 3})

    def leave_from_the_lobby(self, build):
        def during(worker, meeting):
            worker.wait_state("waiting_room")
            pids = harness.descendants(worker.pid)
            worker.command("1", "leave")
            return pids

        outcome(build, self.scenario(lobby={"mode": "ignore"}), exit_code=0, during=during,
                codes=LOBBY + ["call_ended", "complete"], end_reason="api_request",
                sub_type="user_requested")

    def lost_by(self, build, event, **timing):
        with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder:
            recorded(build, self.scenario(events=[{"at_s": 6, "do": event}]), "meeting_error",
                     ["meeting_error"], within_s=120, env=self.hasty_rules(folder, **timing),
                     rejoin_attempts=0)

    def page_frozen(self, build):
        self.lost_by(build, "freeze_page", frozen_ms=8000)

    def page_crashed(self, build):
        self.lost_by(build, "crash_page")

    def network_lost(self, build):
        self.lost_by(build, "drop_network", network_lost_ms=8000)

    def wording_mended_by_a_file(self, build):
        """Rules that do not know the join button's words fail and say which, with the page as it was;
        a file that does joins."""
        css, word = self.join_button
        rules = self.rules()
        prejoin_ms, rules["timing"]["prejoin_ms"] = rules["timing"]["prejoin_ms"], 4000
        button = {"id": "words", "css": css, "text": ["Step inside"], "match": "exact"}
        rules["purposes"]["join_button"] = [button]

        def after(worker, meeting):
            missing = [e["purpose"] for e in worker.events("rule") if not e["found"]]
            check("join_button" in missing, f"not said what is missing: {missing}")

        with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder:
            env = self.write_rules(folder, rules)
            failing(build, self.scenario(), "meeting_error", "InternalError",
                    "ui_element_not_found", lobby=False, exit_code=6, env=env, after=after)
            button["text"].append(word)
            rules["timing"]["prejoin_ms"] = prejoin_ms
            self.write_rules(folder, rules)
            recorded(build, self.scenario(events=[{"at_s": 6, "do": "end_meeting"}]),
                     "meeting_ended", env=env)

    @harness.takes(1)
    def speaks(self, build, **keys):
        """Speech from the outside reaches the meeting; the microphone is shut before and after."""
        pcm = b"".join(struct.pack("<h", int(8000 * math.sin(i * 2 * math.pi * 440 / 16000)))
                       for i in range(16000))

        def during(worker, meeting):
            worker.wait_state("joined_recording")
            pids = harness.descendants(worker.pid)
            worker.command("1", "speak", {"data": base64.b64encode(pcm).decode(),
                                          "sample_rate": 16000})
            check(worker.result("1")["ok"], "it was not said")
            return pids

        def after(worker, meeting):
            bot = meeting.report()["bots"][-1]
            sound = sum(s["end_s"] - s["start_s"] for s in bot["said"]["sound"])
            check(0.9 < sound < 1.3, f"{sound:.2f} s of 1 s were heard: {bot['said']}")
            mic = [m["state"] for m in bot["mic"] if m["state"].startswith("mic")]
            check(mic[-1] == "mic off", f"the microphone stays open: {mic}")

        outcome(build, self.scenario(events=[{"at_s": 8, "do": "end_meeting"}], **keys),
                exit_code=0, codes=JOINED + ["call_ended", "complete"],
                end_reason="meeting_ended", during=during, after=after,
                streaming={"output": "ws://127.0.0.1:9/none"})
