#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Artifacts reach a real S3-compatible store: at the normal end, after SIGKILL, and later when the
store is away; a local file goes only once the store confirmed it."""
import hashlib
import signal
import time

import harness
from harness import check

SCENARIO = {
    "platform": "meet", "duration_s": 240, "lobby": {"mode": "none"},
    "participants": [
        {"id": "alice", "name": "Alice Martin", "camera": {"source": "pattern:ball"},
         "speech": [{"at_s": 0.5, "tone_hz": 440, "for_s": 230}]}]}
NAMES = ["recording.mp4", "diarization.jsonl", "participants.json", "chat.json", "metadata.json"]


def uploaded(worker):
    return {e["name"]: e for e in worker.events("artifact") if e.get("uploaded")}


def check_uploaded(worker, final):
    """Every artifact, each as it was described, behind a link that works; the webhook has it."""
    got = uploaded(worker)
    check(list(got) == NAMES, f"uploaded: {list(got)}")
    for name, event in got.items():
        data = harness.fetch(event["url"])
        check(len(data) == event["bytes"], f"{name} has {len(data)} bytes of {event['bytes']}")
        check(hashlib.sha256(data).hexdigest() == event["sha256"], f"{name} is another file")
    check(final["event"] == "complete" and final["data"]["mp4"] == got["recording.mp4"]["url"],
          f"final webhook: {final}")
    check(final["data"]["speakers"] == ["Alice Martin"], f"speakers {final['data']['speakers']}")


def final_of(receivers, worker):
    return [b for _, b in receivers.webhooks if b["event"] in ("complete", "failed")
            and b["data"]["bot_id"] == worker.bot_id][-1]


def left_and_delivered(worker, receivers):
    worker.command("1", "leave")
    check(worker.wait(60) == 0, f"exit {worker.process.popen.returncode}\n{worker.process.tail()}")
    check_uploaded(worker, final_of(receivers, worker))
    left = sorted(p.name for p in worker.output.iterdir() if not p.name.startswith("."))
    check(left == ["events.ndjson"], f"left after delete_after: {left}")


def killed_and_recovered(build, worker, receivers):
    pids, _ = worker.kill()
    out = harness.recover(build, worker)
    check(out.returncode == 0, f"--recover: {out.returncode}\n{out.stderr}")
    check_uploaded(worker, final_of(receivers, worker))
    harness.check_decodes(worker.output / "recording.mp4")
    harness.check_nothing_left(worker, pids)


def stopped_while_the_store_is_away(build, worker, store):
    store.set_faults(f"PUT {worker.bot_id}/chat.json 503 100000")
    worker.process.popen.send_signal(signal.SIGTERM)
    check(worker.wait(60) == 4, f"exit {worker.process.popen.returncode}\n{worker.process.tail()}")
    warnings = [e for e in worker.events("warning") if e["code"] == "upload_failed"]
    check(len(warnings) == 1 and str(worker.output) in warnings[0]["message"], f"{warnings}")
    check((worker.output / "recording.mp4").exists(), "the recording is kept")
    sent = list(uploaded(worker))
    check("chat.json" not in sent and "recording.mp4" in sent, f"uploaded: {sent}")
    store.set_faults()
    out = harness.recover(build, worker)
    check(out.returncode == 0, f"--recover: {out.returncode}\n{out.stderr}")
    check(sorted(uploaded(worker)) == sorted(NAMES), f"uploaded: {list(uploaded(worker))}")
    puts = [r for r in store.requests() if "PUT 127" in r and worker.bot_id in r
            and "recording.mp4" in r]
    check(len(puts) == 1, f"what the store had was sent again: {puts}")


@harness.takes(0.75)
def three_ways(build):
    with harness.object_store() as store, harness.session(build, SCENARIO) as (_, receivers, start):
        def bot(name, **more):
            worker = start({"bot_id": name, "bot_name": name, "webhook_url": receivers.hook_url(),
                            "upload": store.config(delete_after=name == "leaves"),
                            "shutdown_grace_s": 20, **more}, commands=True, name=name)
            worker.bot_id = name
            return worker

        workers = [bot("leaves"), bot("killed"), bot("stopped")]
        for worker in workers:
            worker.wait_state("joined_recording")
            harness.wait_for(lambda w=worker: w.events("speech"), 20, "somebody speaks")
        time.sleep(3)
        left_and_delivered(workers[0], receivers)
        killed_and_recovered(build, workers[1], receivers)
        stopped_while_the_store_is_away(build, workers[2], store)


TESTS = [three_ways]

if __name__ == "__main__":
    harness.main(TESTS)
