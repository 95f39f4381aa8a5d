#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The official Meeting BaaS SDK from npm, unchanged, against a real orchestrator, through a real test
meeting: what it sends is taken, and what it gets passes its own validators, the schemas that Meeting
BaaS publishes, and those of our own /openapi.json. The files are in a bucket of an S3-compatible
store."""
import json
import os
import pathlib
import shutil
import subprocess
import urllib.error
import urllib.request

import harness
import schemas
from harness import check, object_store, wait_for
from orchestrator import running

SOURCE = pathlib.Path(__file__).resolve().parent / "sdk"
ALICE = {"id": "alice", "name": "Alice Martin", "host": True, "camera": None,
         "speech": [{"at_s": 1.0, "tone_hz": 440, "for_s": 200}]}
SCENARIO = {"platform": "meet", "duration_s": 240, "lobby": {"mode": "admit", "after_s": 1},
            "participants": [ALICE]}
# What the SDK's methods call.
OPERATIONS = {
    "joinMeeting": ("POST", "/bots"), "leaveMeeting": ("DELETE", "/bots/{uuid}"),
    "getMeetingData": ("GET", "/bots/meeting_data"), "listBots": ("GET", "/bots/bots_with_metadata"),
    "getScreenshots": ("GET", "/bots/{uuid}/screenshots"),
    "deleteBotData": ("POST", "/bots/{uuid}/delete_data"),
    "retranscribeBot": ("POST", "/bots/retranscribe"),
    "getWebhookDocumentation": ("GET", "/bots/webhooks"),
    "getBotWebhookDocumentation": ("GET", "/bots/webhooks/bot"),
    "getCalendarWebhookDocumentation": ("GET", "/bots/webhooks/calendar")}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def install(build):
    """The pinned SDK, once a build folder; npm holds it against the checksums of the lock file."""
    folder = build / "e2e-sdk"
    lock = (SOURCE / "package-lock.json").read_bytes()
    mark = folder / "installed"
    if not mark.exists() or mark.read_bytes() != lock:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, folder)
        out = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                             cwd=folder, capture_output=True, text=True, timeout=120,
                             env=dict(os.environ, HOME=str(folder)), check=False)
        check(out.returncode == 0, f"npm ci: {out.stdout}{out.stderr}")
        mark.write_bytes(lock)
    shutil.copy(SOURCE / "call.mjs", folder)
    return folder


class Sdk:
    def __init__(self, folder, orchestrator):
        self.folder = folder
        self.url = f"http://127.0.0.1:{orchestrator.port}"
        self.key = orchestrator.key
        self.document = orchestrator.request("GET", "/openapi.json")[1]

    def call(self, method, params=None, validator="", key=None):
        out = subprocess.run(["node", "call.mjs", self.url, key or self.key, method,
                              json.dumps(params) if params is not None else "", validator],
                             cwd=self.folder, capture_output=True, text=True, timeout=60,
                             check=False)
        check(out.returncode == 0, f"{method}: {out.stderr}")
        answer = json.loads(out.stdout)
        self.check_schemas(method, answer)
        return answer

    def check_schemas(self, method, answer):
        """The SDK hands on what it got as it came."""
        error = answer["error"]
        status, value = (error["status"], error["data"]) if error else (200, answer["data"])
        schemas.check_published(*OPERATIONS[method], status, value)
        schemas.check_own(self.document, *OPERATIONS[method], status, value)

    def good(self, method, params=None, validator=""):
        answer = self.call(method, params, validator)
        check(answer["success"], f"{method} {params}: {answer['error']}")
        check(answer["wrong"] is None, f"{method}: the SDK's {validator} finds {answer['wrong']} "
                                       f"in {answer['data']}")
        return answer["data"]


def refused(sdk, status, method, params, key=None):
    answer = sdk.call(method, params, key=key)
    check(not answer["success"] and answer["error"]["status"] == status,
          f"{method} {params}: expected {status}, got {answer}")
    check(len(answer["error"]["data"]["message"]) > 10, f"no sentence in {answer['error']}")


def meeting_data(sdk, bot):
    return sdk.good("getMeetingData", {"bot_id": bot}, "getMeetingDataResponse")


def a_whole_meeting(sdk, meeting, hooks):
    request = {"meeting_url": meeting.url, "bot_name": "SDK Notes", "recording_mode": "speaker_view",
               "reserved": False, "webhook_url": hooks.url(), "entry_message": "Hello",
               "automatic_leave": {"waiting_room_timeout": 600, "noone_joined_timeout": 600},
               "extra": {"customer": "42"}}
    bot = sdk.good("joinMeeting", request, "joinResponse")["bot_id"]
    refused(sdk, 409, "joinMeeting", request)
    wait_for(lambda: "in_call_recording" in hooks.codes(bot), 60, f"recording: {hooks.codes(bot)}")
    listed = sdk.good("listBots", {"filter_by_extra": "customer:42"}, "botsWithMetadataResponse")
    check([b["uuid"] for b in listed["bots"]] == [bot], f"listed: {listed}")
    data = meeting_data(sdk, bot)
    check(data["bot_data"]["bot"]["bot_joined_at"] is not None and data["mp4"] == "", f"{data}")
    sdk.good("getScreenshots", {"uuid": bot}, "getScreenshotsResponse")
    refused(sdk, 403, "deleteBotData", {"uuid": bot})
    wait_for(lambda: meeting_data(sdk, bot)["bot_data"]["bot"] is not None, 5, "data")
    check(sdk.good("leaveMeeting", {"uuid": bot}, "leaveResponse")["ok"], "it leaves")
    final = wait_for(lambda: hooks.final(bot), 60, f"the end: {hooks.codes(bot)}")
    check(final["event"] == "complete" and final["data"]["end_reason"] == "api_request", f"{final}")
    check(final["data"]["speakers"] == ["Alice Martin"], f"speakers {final['data']['speakers']}")
    return bot


def its_data(sdk, bot, folder):
    data = meeting_data(sdk, bot)
    check(data["duration"] >= 1 and data["bot_data"]["bot"]["ended_at"] is not None, f"{data}")
    for name in ("mp4", "speaker_diarization_file", "meeting_participants_file"):
        path = folder / name
        with urllib.request.urlopen(data[name], timeout=20) as answer:
            path.write_bytes(answer.read())
    harness.check_decodes(folder / "mp4")
    people = json.loads((folder / "meeting_participants_file").read_text())
    check([p["name"] for p in people] == ["Alice Martin"], f"participants {people}")
    deleted = sdk.good("deleteBotData", {"uuid": bot}, "deleteDataResponse")
    check(deleted == {"ok": True, "status": "deleted"}, f"{deleted}")
    again = sdk.good("deleteBotData", {"uuid": bot}, "deleteDataResponse")
    check(again["status"] == "alreadyDeleted", f"{again}")
    check(meeting_data(sdk, bot)["mp4"] == "", "a link to what was deleted")
    return data


def in_the_bucket(url, store):
    check(f":{store.line['port']}/{store.line['bucket']}/" in url and "X-Amz-Signature=" in url,
          f"a presigned link into the bucket: {url}")


def is_gone(url):
    try:
        harness.fetch(url)
    except urllib.error.HTTPError as error:
        return error.code == 404
    return False


def sdk_through_a_meeting(build):
    folder = install(build)
    with object_store() as store, \
            running(build, SCENARIO, upload=store.config()) as (orchestrator, meeting, hooks):
        sdk = Sdk(folder, orchestrator)
        bot = a_whole_meeting(sdk, meeting, hooks)
        data = its_data(sdk, bot, orchestrator.folder)
        for name in ("mp4", "speaker_diarization_file", "meeting_participants_file"):
            in_the_bucket(data[name], store)
            check(is_gone(data[name]), f"{name} is still in the bucket")
        check(not list(orchestrator.output(bot).rglob("*.mp4")), "the recording is still there")
        refused(sdk, 404, "getMeetingData", {"bot_id": UNKNOWN})
        refused(sdk, 404, "leaveMeeting", {"uuid": UNKNOWN})
        refused(sdk, 401, "listBots", {}, key="nobody's")
        refused(sdk, 501, "retranscribeBot", {"bot_uuid": bot})
        for method in ("getWebhookDocumentation", "getBotWebhookDocumentation",
                       "getCalendarWebhookDocumentation"):
            sdk.good(method)


TESTS = [sdk_through_a_meeting]

if __name__ == "__main__":
    harness.main(TESTS)
