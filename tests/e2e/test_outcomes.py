#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of the outcome table that Meet can produce, in a real Chromium: state, sub-type, status
codes, final webhook, end reason, exit code; and nothing left behind."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile

import harness
import outcomes
from harness import check
from outcomes import ALICE, JOINED, LOBBY, failing, outcome, recorded


def scenario(**keys):
    return {"platform": "meet", "duration_s": 60, "lobby": {"mode": "none"},
            "participants": [ALICE], **keys}


everywhere = outcomes.Everywhere("meet", scenario, ("button", "Join now"))


def bad_url(build):
    failing(build, scenario(), "invalid_meeting_url", "InvalidMeetingUrl", "meeting_not_found",
            lobby=False, meeting_url="https://meet.google.com.evil.example/abc-defg-hij")


def bad_url_alone(build):
    """With nobody to report to, the end comes before the main loop runs: it ends the process, too."""
    with tempfile.TemporaryDirectory() as folder:
        out = subprocess.run([str(build / "bot/steno-worker"), "join", "https://example.org/x",
                              "--output-dir", folder], capture_output=True, text=True, timeout=60,
                             stdin=subprocess.DEVNULL, check=False)
        check(out.returncode == 3, f"a mistyped link: {out}")
        events = pathlib.Path(folder, "events.ndjson").read_text(encoding="utf-8").splitlines()
        check(json.loads(events[-1])["type"] == "ended", f"last event {events[-1]}")


def denied(build):
    failing(build, scenario(lobby={"mode": "deny", "after_s": 3}), "bot_rejected",
            "BotNotAccepted", "request_to_join_denied")


def lobby_ignored(build):
    def after(worker, meeting):
        bots = meeting.report()["bots"]
        check(len(bots) == 1 and bots[0]["name"] == worker.name, f"knocked {bots}")
        check(bots[0]["left_unix_ms"] is not None, "the knock was not taken back")

    failing(build, scenario(lobby={"mode": "ignore"}), "waiting_room_timeout",
            "TimeoutWaitingToStart", "waiting_room_timeout_exceeded", after=after,
            automatic_leave={"waiting_room_timeout": 4})


def host_absent(build):
    failing(build, scenario(lobby={"mode": "host_absent"}), "waiting_room_timeout",
            "TimeoutWaitingToStart", "meeting_not_started_waiting_for_host",
            automatic_leave={"noone_joined_timeout": 4})


def not_found(build):
    failing(build, scenario(page={"variant": "not_found"}), "meeting_error", "CannotJoinMeeting",
            "meeting_not_found", lobby=False)


def login_required(build):
    failing(build, scenario(page={"variant": "login_required"}), "meeting_error",
            "CannotJoinMeeting", "login_required", lobby=False)


def captcha(build):
    failing(build, scenario(page={"variant": "captcha"}), "meeting_error", "CannotJoinMeeting",
            "blocked_by_captcha", lobby=False)


def meeting_ended(build):
    recorded(build, scenario(events=[{"at_s": 6, "do": "end_meeting"}]), "meeting_ended")


def admitted_from_the_lobby(build):
    outcome(build, scenario(lobby={"mode": "admit", "after_s": 3},
                            events=[{"at_s": 6, "do": "end_meeting"}]),
            exit_code=0, end_reason="meeting_ended",
            codes=LOBBY + JOINED[1:] + ["call_ended", "complete"])


def removed(build):
    recorded(build, scenario(events=[{"at_s": 6, "do": "remove_bot"}]), "bot_removed",
             ["bot_removed"])


def removed_before_recording(build):
    """The host refuses recording on entry, then puts the bot out: nothing was ever recorded."""
    setting = scenario(page={"dialogs": ["deny_recording"]},
                       events=[{"at_s": 6, "do": "remove_bot"}])
    outcome(build, setting, exit_code=3, state="ended", sub_type="host_denied_permission",
            codes=JOINED[:2] + ["bot_removed", "failed"], end_reason="bot_removed",
            error="BotRemoved")


def leave_command(build):
    def during(worker, meeting):
        worker.wait_state("joined_recording")
        worker.command("1", "pause_recording")
        check(worker.result("1")["ok"], "pause refused")
        worker.command("2", "pause_recording")
        refused = worker.result("2")
        check(not refused["ok"] and "not allowed" in refused["error"]["message"], refused)
        worker.command("3", "resume_recording")
        check(worker.result("3")["ok"], "resume refused")
        worker.command("4", "send_chat_message", {"message": "Good bye"})
        check(worker.result("4")["ok"], worker.result("4"))
        worker.command("5", "nonsense")
        check("unknown command" in worker.result("5")["error"]["message"], worker.result("5"))
        pids = harness.descendants(worker.pid)
        worker.command("6", "leave")
        return pids

    recorded(build, scenario(), "api_request", ["recording_paused", "recording_resumed"],
             sub_type="user_requested", during=during)


def told_to_stop(build):
    def during(worker, meeting):
        worker.wait_state("joined_recording")
        pids = harness.descendants(worker.pid)
        worker.process.popen.send_signal(signal.SIGTERM)
        return pids

    recorded(build, scenario(), "api_request", sub_type="user_requested", during=during)


def told_to_stop_twice(build):
    """The page is frozen, so leaving would take its time: the second signal finalizes at once."""
    def during(worker, meeting):
        worker.wait_state("joined_recording")
        pids = harness.descendants(worker.pid)
        worker.process.popen.send_signal(signal.SIGTERM)
        worker.wait_state("leaving")
        worker.process.popen.send_signal(signal.SIGTERM)
        return pids

    recorded(build, scenario(), "api_request", sub_type="user_requested", during=during,
             shutdown_grace_s=300)  # of it an eighth for what is still to be told


def browser_killed(build):
    def during(worker, meeting):
        worker.wait_state("joined_recording")
        harness.wait_for(lambda: worker.events("recording"), 10, "recording started")
        pids = harness.descendants(worker.pid)
        main = next(p for p in pids if b"--remote-debugging-pipe" in
                    pathlib.Path(f"/proc/{p}/cmdline").read_bytes())
        os.kill(main, signal.SIGKILL)
        return pids

    recorded(build, scenario(), "meeting_error", ["meeting_error"], during=during,
             rejoin_attempts=0)


def network_back_in_time(build):
    """Muting, and a network that is away for three seconds, end nothing."""
    events = [{"at_s": 5, "do": "mute", "id": "alice"}, {"at_s": 6, "do": "unmute", "id": "alice"},
              {"at_s": 7, "do": "drop_network"}, {"at_s": 10, "do": "restore_network"},
              {"at_s": 22, "do": "end_meeting"}]
    def after(worker, meeting):
        outcomes.check_recorded_until(worker, meeting, 22)

    recorded(build, scenario(events=events), "meeting_ended", after=after)


def recording_refused(build):
    """A refusal dialog pauses for good: what was recorded until then is delivered."""
    recorded(build, scenario(events=[{"at_s": 6, "do": "deny_recording"},
                                     {"at_s": 14, "do": "end_meeting"}]), "meeting_ended",
             ["recording_paused"], sub_type="host_denied_permission")


def dialogs(build):
    """Consent dialogs are answered, an unknown one is photographed and left alone."""
    events = [{"at_s": 1 + i, "do": "show_dialog", "name": name} for i, name in
              enumerate(["recorded", "transcribed", "gemini", "others_may_see", "unknown"])]
    def after(worker, meeting):
        rules = [e["rule"] for e in worker.events("rule") if e["found"]]
        for name in ("recorded", "transcribed", "gemini", "seen_differently"):
            check(f"consent/{name}" in rules, f"{name} was not answered: {rules}")
        pictures = list((worker.output / "screenshots").glob("*dialog*.png"))
        check(len(pictures) == 1, f"pictures of the unknown dialog: {pictures}")
        codes = [w["code"] for w in worker.events("warning")]
        check(codes.count("unknown_dialog") == 1, f"warnings {codes}")

    recorded(build, scenario(events=events + [{"at_s": 15, "do": "end_meeting"}]),
             "meeting_ended", after=after)


def check_page(build, target, *options):
    out = subprocess.run([str(build / "bot/steno-worker"), "check-page", str(target), *options],
                         capture_output=True, text=True, timeout=150)
    return out, {line.split()[0]: line.split(None, 1)[1] for line in out.stdout.splitlines()}


def rules_of_every_platform(build):
    """A living page finds no selector that the browser does not parse, and its name field."""
    for platform in ("teams", "zoom"):
        with harness.session(build, scenario(platform=platform)) as (meeting, _, start):
            out, table = check_page(build, meeting.url, "--browser", json.dumps(meeting.browser()),
                                    "--settle", "10")
            check(out.returncode == 0, f"check-page: {out}")
            check(not any(v.startswith("broken") for v in table.values()), f"broken: {table}")
            check(any(found != "-" for rule, found in table.items()
                      if rule.startswith("name_field/")), f"name field: {table}")


def rules_on_a_page(build):
    """check-page on the living page, and on the one that a refused bot saved beside its picture."""
    with harness.session(build, scenario()) as (meeting, _, start):
        browser = json.dumps(meeting.browser())
        out, table = check_page(build, meeting.url, "--browser", browser, "--settle", "6")
        check(out.returncode == 0, f"check-page: {out}")
        check(table["name_field/labelled"] == "<input> Your name", f"name field: {table}")
        check(not any(v.startswith("broken") for v in table.values()), f"broken: {table}")
    with harness.session(build, scenario(lobby={"mode": "deny", "after_s": 3})) as (_, _, start):
        worker = start()
        check(worker.wait(60) == 3, worker.process.tail())
        saved = sorted((worker.output / "screenshots").glob("*-denied.html"))
        check(len(saved) == 1 and saved[0].with_suffix(".png").exists(), f"saved: {saved}")
        out, table = check_page(build, saved[0], "--platform", "meet", "--browser", browser,
                                "--settle", "0")
        denied_rules = [rule for rule, found in table.items()
                        if rule.startswith("denied/") and found != "-"]
        check(out.returncode == 0 and denied_rules, f"check-page of the saved page: {out}")
        out, _ = check_page(build, saved[0])
        check(out.returncode == 2 and "--platform" in out.stderr, f"without a platform: {out}")


def bad_configurations(build):
    """Exit code 2 and a sentence; nothing is written."""
    with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder:
        for text, says in [('{"meeting_url": 5}', "$.meeting_url"), ("{", "JSON"),
                           ('{"meeting_url":"https://meet.google.com/abc-defg-hij","x":1}', "$.x"),
                           ('{"meeting_url":"https://meet.google.com/abc-defg-hij",'
                            '"output_dir":"/proc/none"}', "$.output_dir")]:
            out = subprocess.run([str(build / "bot/steno-worker"), "--config", "-"], input=text,
                                 capture_output=True, text=True, timeout=20, cwd=folder)
            check(out.returncode == 2 and says in out.stderr, f"{text}: {out}")


TESTS = [bad_configurations, rules_on_a_page, rules_of_every_platform, bad_url, bad_url_alone, denied,
         lobby_ignored, host_absent, not_found, login_required, captcha, meeting_ended,
         admitted_from_the_lobby, removed, removed_before_recording, everywhere.nobody_joined,
         everywhere.alone_again, everywhere.silence, everywhere.maximum_duration, leave_command,
         everywhere.leave_from_the_lobby, told_to_stop, told_to_stop_twice, everywhere.page_frozen,
         everywhere.page_crashed, browser_killed, everywhere.network_lost, network_back_in_time,
         recording_refused, dialogs]

if __name__ == "__main__":
    harness.main(TESTS)
