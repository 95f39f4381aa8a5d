#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Workers under the orchestrator, in a real Chromium: the warm pool, the queue, times, and that neither
a killed orchestrator nor a killed worker loses a bot, a recording or a webhook."""
import contextlib
import os
import pathlib
import random
import signal
import tempfile
import threading
import time

import harness
import test_identity
from harness import check, wait_for
from orchestrator import running

ALICE = {"id": "alice", "name": "Alice Martin", "host": True, "camera": None,
         "speech": [{"at_s": 1.0, "tone_hz": 440, "for_s": 100}]}
SCENARIO = {"platform": "meet", "duration_s": 170, "lobby": {"mode": "none"},
            "participants": [ALICE]}
RECORDED = ["joining_call", "in_call_not_recording", "in_call_recording", "call_ended", "complete"]


def wait_final(hooks, bot_id, seconds=40):
    return wait_for(lambda: hooks.final(bot_id), seconds, f"the end of bot {bot_id}")


def wait_recorded(orchestrator, bot, seconds):
    """Until the bot has recorded for so long."""
    def recorded():
        begun = [event["start_time"] for event in orchestrator.events(bot, "recording")]
        return begun and time.time() - begun[0] / 1000 >= seconds
    wait_for(recorded, 40 + seconds, f"{seconds} s are recorded")


def check_recording(orchestrator, final):
    """The file behind the webhook's link plays."""
    path = orchestrator.folder / "downloaded.mp4"
    path.write_bytes(harness.fetch(final["data"]["mp4"]))
    harness.check_decodes(path)
    return harness.stream_s(harness.ffprobe(path), "audio")


def wait_pool(orchestrator, n, seconds=40):
    wait_for(lambda: len(orchestrator.workers()) == n, seconds,
             f"{n} workers; there are {orchestrator.workers()}")


def bot_from_the_pool(build):
    """A standby takes the bot; another standby takes its place; the end is told and nothing stays."""
    with running(build, SCENARIO) as (orchestrator, meeting, hooks):
        wait_pool(orchestrator, 1)
        standby, = orchestrator.workers()
        wait_for(orchestrator.is_idle, 30, "the standby is ready")
        bot = orchestrator.join(meeting.url, hooks)
        orchestrator.wait_state(bot, "joined_recording")
        check(orchestrator.worker_of(bot) == standby, "the bot was not given to the standby")
        wait_pool(orchestrator, 2)
        orchestrator.leave(bot)
        final = wait_final(hooks, bot)
        check(hooks.codes(bot) == RECORDED, f"codes {hooks.codes(bot)}")
        check(check_recording(orchestrator, final) > 0, "nothing was recorded")
        wait_for(lambda: standby not in orchestrator.workers(), 20, "its worker ended")
        wait_pool(orchestrator, 1)
        wait_for(orchestrator.is_idle, 30, "the next standby is ready")
        orchestrator.stop()
        wait_pool(orchestrator, 0)
        left = [p.name for p in (orchestrator.data / "workers").iterdir()]
        check(not left, f"left behind: {left}")


def queue_in_order(build):
    """One place: the others wait in order; a full queue is told; a bot that is cancelled waits no more."""
    with running(build, SCENARIO, max=1, queue=2) as (orchestrator, meeting, hooks):
        bots = [orchestrator.join(meeting.url, hooks) for _ in range(3)]
        status, answer = orchestrator.request("POST", "/bots", {
            "meeting_url": meeting.url, "bot_name": "x", "deduplication_key": "y"})
        check(status == 429, f"a full queue: {status} {answer}")
        orchestrator.wait_state(bots[0], "joined_recording")
        orchestrator.leave(bots[1])
        check(wait_final(hooks, bots[1])["event"] == "complete", "a cancelled bot")
        check(not orchestrator.events(bots[1]), "a cancelled bot had a worker")
        check(not orchestrator.events(bots[2]), "two bots at a time")
        orchestrator.leave(bots[0])
        orchestrator.wait_state(bots[2], "joined_recording", 60)
        ended = orchestrator.events(bots[0], "ended")
        begun = orchestrator.events(bots[2])[0]
        check(ended and ended[0]["time"] <= begun["time"], "two bots at a time")
        orchestrator.leave(bots[2])
        wait_final(hooks, bots[2])


def joins_at_its_time(build):
    """Not before, also when the orchestrator was killed meanwhile; the time is in seconds here."""
    with running(build, SCENARIO) as (orchestrator, meeting, hooks):
        at_s = int(time.time()) + 12
        bot = orchestrator.join(meeting.url, hooks, start_time=at_s)
        time.sleep(1)
        orchestrator.kill()
        orchestrator.start()
        orchestrator.wait_state(bot, "joining")
        begun_ms = orchestrator.events(bot)[0]["time"]
        check(begun_ms >= at_s * 1000, f"it joined {at_s * 1000 - begun_ms} ms early")
        orchestrator.wait_state(bot, "joined_recording")
        orchestrator.leave(bot)
        wait_final(hooks, bot)


@harness.takes(0.5)
def cancelled_at_any_moment(build):
    """Whenever the leave comes, the bot ends, and neither a worker nor a guest stays behind."""
    with running(build, SCENARIO) as (orchestrator, meeting, hooks):
        for delay_s in (0, 0.003, 0.01, 0.03, 0.1, 0.3, 0.8):
            wait_pool(orchestrator, 1)
            wait_for(orchestrator.is_idle, 30, "a standby")
            bot = orchestrator.join(meeting.url, hooks)
            time.sleep(delay_s)
            orchestrator.leave(bot)
            final = wait_final(hooks, bot)
            check(final["event"] == "complete", f"after {delay_s} s: {final}")
        wait_pool(orchestrator, 1)
        # A process that is gone is still a bot until the orchestrator has heard of its end.
        wait_for(lambda: orchestrator.request("GET", "/health")[1]["bots"] == 0, 20,
                 "no bot in /health any more")
        stayed = [b for b in meeting.report()["bots"] if b.get("left_unix_ms") is None]
        check(not stayed, f"still in the meeting: {stayed}")


@harness.takes(0.5)
def killed_worker_is_recovered(build):
    """SIGKILL of a worker in the middle: complete, with a file that plays, by itself."""
    with running(build, SCENARIO) as (orchestrator, meeting, hooks):
        bot = orchestrator.join(meeting.url, hooks)
        wait_recorded(orchestrator, bot, 7)
        os.kill(orchestrator.worker_of(bot), signal.SIGKILL)
        killed = time.monotonic()
        final = wait_final(hooks, bot, 10)
        print(f"# complete {time.monotonic() - killed:.1f} s after the kill")
        check(final["event"] == "complete", f"final {final}")
        check(hooks.codes(bot) == RECORDED[:3] + ["meeting_error"] + RECORDED[3:],
              f"codes {hooks.codes(bot)}")
        check(check_recording(orchestrator, final) > 3, "too short")
        # The worker is killed while the orchestrator is dead: found at its next start.
        bot = orchestrator.join(meeting.url, hooks)
        wait_recorded(orchestrator, bot, 5)
        worker = orchestrator.worker_of(bot)
        orchestrator.kill()
        os.kill(worker, signal.SIGKILL)
        orchestrator.start()
        final = wait_final(hooks, bot)
        check(final["event"] == "complete", f"final {final}")
        check(check_recording(orchestrator, final) > 1, "too short")
        wait_pool(orchestrator, 1)


# Stands by as a worker does, and dies when it is given its bot; the next ones are workers.
DIES_ONCE = """#!/usr/bin/python3
import asyncio, json, os, sys
import aiohttp
mark = {mark!r}
if os.path.exists(mark) or "--standby" not in sys.argv:
    os.execv({worker!r}, [{worker!r}, *sys.argv[1:]])
open(mark, "w").close()
config = json.load(open(sys.argv[sys.argv.index("--config") + 1]))
async def main():
    async with aiohttp.ClientSession(headers={{"Authorization": "Bearer " + config["control_token"]}}) as s:
        async with s.ws_connect(config["control_url"], protocols=("steno.control.v1",)) as ws:
            await ws.send_json({{"type": "hello", "worker_id": "x", "bot_id": None, "last_seq": 0}})
            async for message in ws:
                if json.loads(message.data)["type"] == "command":
                    os._exit(7)
asyncio.run(main())
"""


def worker_dies_before_it_began(build):
    """Another worker gets the bot, and nobody notices."""
    with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder:
        script = pathlib.Path(folder) / "worker"
        script.write_text(DIES_ONCE.format(mark=folder + "/mark",
                                           worker=harness.giving_way(build / "bot/steno-worker",
                                                                     folder)))
        script.chmod(0o755)
        with running(build, SCENARIO, executable=str(script)) as (orchestrator, meeting, hooks):
            wait_for(lambda: pathlib.Path(folder, "mark").exists(), 20, "the first standby")
            bot = orchestrator.join(meeting.url, hooks)
            orchestrator.wait_state(bot, "joined_recording", 60)
            orchestrator.leave(bot)
            wait_final(hooks, bot)
            check(hooks.codes(bot) == RECORDED, f"codes {hooks.codes(bot)}")


def no_worker_can_be_started(build):
    """The bot is told to have failed, and why, when five in a row died."""
    with tempfile.TemporaryDirectory() as folder:
        worker = pathlib.Path(folder) / "worker"
        worker.write_text("#!/bin/sh\necho 'steno-worker: no room at ws://x/?token=SECRET' >&2\nexit 6\n")
        worker.chmod(0o755)
        with running(build, executable=str(worker)) as (orchestrator, _meeting, hooks):
            bot = orchestrator.join("https://meet.google.com/abc-defg-hij", hooks)
            final = wait_final(hooks, bot, 90)
            check(final["event"] == "failed" and final["data"]["error"] == "InternalError",
                  f"final {final}")
            words = "no room at ws://x/?***"
            check(final["data"]["message"].endswith(words), f"final {final}")
            health = orchestrator.request("GET", "/health")[1]
            check((health["status"], health["worker_error"]) == ("workers_fail", words),
                  f"health {health}")
            log = (orchestrator.folder / "orchestrator.log").read_text()
            check(words in log and "SECRET" not in log, "the orchestrator's log")


def stopped_orchestrator_leaves_bots(build):
    """SIGTERM ends the orchestrator and its standbys; a bot stays in its meeting and comes back. A leave
    that was asked for while the worker was not connected reaches it."""
    with running(build, SCENARIO) as (orchestrator, meeting, hooks):
        bot = orchestrator.join(meeting.url, hooks)
        orchestrator.wait_state(bot, "joined_recording")
        worker = orchestrator.worker_of(bot)
        orchestrator.stop()
        wait_for(lambda: list(orchestrator.workers()) == [worker], 20, "only the bot's worker")
        time.sleep(1)
        orchestrator.start()
        orchestrator.leave(bot)
        final = wait_final(hooks, bot)
        check(final["event"] == "complete", f"final {final}")
        check(hooks.codes(bot) == RECORDED, f"codes {hooks.codes(bot)}")


def stopped_orchestrator_takes_its_bots_along(build):
    """on_stop: leave. At SIGTERM the bot leaves and is told to be complete; nothing runs after it."""
    with running(build, SCENARIO, on_stop="leave") as (orchestrator, meeting, hooks):
        bot = orchestrator.join(meeting.url, hooks)
        orchestrator.wait_state(bot, "joined_recording")
        time.sleep(3)
        orchestrator.stop(70)
        check(not orchestrator.workers(), f"still running: {orchestrator.workers()}")
        final = hooks.final(bot)
        check(final and final["event"] == "complete", f"final {final}")
        check(hooks.codes(bot) == RECORDED, f"codes {hooks.codes(bot)}")
        orchestrator.start()  # which serves the file
        check(check_recording(orchestrator, final) > 1, "too short")


@contextlib.contextmanager
def down_half_of_the_time(hooks):
    """The receiver is away about every other second, and does not answer some of what it takes."""
    over = threading.Event()

    def toggle():
        while not over.wait(random.uniform(0.5, 1.5)):
            hooks.down()
            over.wait(random.uniform(0.5, 1.5))
            hooks.up()
    hooks.rude = True
    thread = threading.Thread(target=toggle)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        hooks.up()
        hooks.rude = False


@harness.takes(1)
def killed_orchestrator_loses_nothing(build, n_kills=None):
    """SIGKILL at random during three running bots, the receiver down half of the time."""
    n_kills = n_kills or int(os.environ.get("STENO_KILLS", "4"))
    seed = int(os.environ.get("STENO_SEED", time.time()))
    random.seed(seed)
    print(f"# seed {seed}, {n_kills} kills")
    with running(build, SCENARIO) as (orchestrator, meeting, hooks):
        with down_half_of_the_time(hooks):
            bots = [orchestrator.join(meeting.url, hooks, bot_name=f"Bot {i}") for i in range(3)]
            for i in range(n_kills):
                time.sleep(random.uniform(0.2, 3.5))
                orchestrator.kill()
                time.sleep(random.uniform(0.0, 1.0))
                orchestrator.start()
            for bot in bots:
                orchestrator.wait_state(bot, "joined_recording", 60)
            time.sleep(2)
            for bot in bots:
                orchestrator.leave(bot)
            for bot in bots:
                final = wait_final(hooks, bot, 60)
                check(final["event"] == "complete", f"final {final}")
        for bot in bots:
            told = [e["code"] for e in orchestrator.events(bot, "status")] + ["complete"]
            check(hooks.codes(bot) == told == RECORDED,
                  f"codes {hooks.codes(bot)}, its worker reported {told}")
            seqs = [e["seq"] for e in orchestrator.events(bot)]
            check(seqs == list(range(1, len(seqs) + 1)), "events are not numbered without a hole")
            check_recording(orchestrator, hooks.final(bot))
        names = sorted(b["name"] for b in meeting.report()["bots"])
        check(names == [f"Bot {i}" for i in range(3)], f"in the meeting were {names}")
        wait_pool(orchestrator, 1)


def bots_are_no_company(build):
    """Two bots of one account, by two links: when the last person has left, both go; each knows of the
    other, which came later than it, by its name."""
    scenario = {**SCENARIO, "participants": [{**ALICE, "leave_s": 14}]}
    with running(build, scenario, pool=2, leaving={"alone_timeout": 3}) as (orchestrator, meeting, hooks):
        first = orchestrator.join(meeting.url, hooks, bot_name="Notes")
        orchestrator.wait_state(first, "joined_recording")
        second = orchestrator.join(meeting.url + "?authuser=1", hooks, bot_name="Scribe")
        for bot in (first, second):
            final = wait_final(hooks, bot, 90)
            check(final["data"].get("end_reason") == "no_attendees", f"final {final}")


def refused_guest_signs_in(build):
    """The meeting asks guests to sign in: the bot comes once more with the operator's account, from a copy
    of its profile; the client sees one bot. Its session goes back into the profile."""
    scenario = test_identity.wall("zoom", duration_s=170)
    scenario["events"] = []
    with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder:
        profile = pathlib.Path(folder, "profile")
        meeting = harness.Meeting(build, pathlib.Path(folder), scenario)
        with test_identity.display() as screen:
            out = test_identity.login(build, folder, meeting,
                                      "https://app.zoom.us/_steno/sign-in?close=1", DISPLAY=screen)
        meeting.close()
        check(out.returncode == 0, f"login: {out}")
        before = profile.stat().st_ino
        accounts = {"accounts": [{"name": "notes", "platform": "zoom", "profile_dir": str(profile)}],
                    "accounts_use": "if_required"}
        with running(build, scenario, accounts=accounts) as (orchestrator, meeting, hooks):
            def account():
                return orchestrator.request("GET", "/health")[1]["accounts"][0]

            bot = orchestrator.join(meeting.url, hooks, recording_mode="audio_only")
            orchestrator.wait_state(bot, "joined_recording", 90)
            copy = orchestrator.data / "profiles" / bot
            check(copy.is_dir() and copy.stat().st_mode & 0o77 == 0, f"its copy {copy}")
            check(account()["bots"] == 1, f"account {account()}")
            orchestrator.leave(bot)
            final = wait_final(hooks, bot)
            check(final["event"] == "complete", f"final {final}")
            check(hooks.codes(bot) == RECORDED, f"codes {hooks.codes(bot)}")
            joinings = [e for e in orchestrator.events(bot, "state") if e["new"] == "joining"]
            check(len(joinings) == 2, f"runs {joinings}")
            wait_for(lambda: account()["bots"] == 0, 30, "the account is given back")
            check(account()["signed_out"] is None, f"account {account()}")
            check(not copy.exists(), "its copy stays")
            check(profile.stat().st_ino != before, "the session was not kept")


TESTS = [refused_guest_signs_in, bot_from_the_pool, bots_are_no_company, queue_in_order, joins_at_its_time, cancelled_at_any_moment,
         killed_worker_is_recovered, worker_dies_before_it_began, no_worker_can_be_started,
         stopped_orchestrator_leaves_bots, stopped_orchestrator_takes_its_bots_along,
         killed_orchestrator_loses_nothing]

if __name__ == "__main__":
    harness.main(TESTS)
