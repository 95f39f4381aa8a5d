#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each answer of a real orchestrator (without workers) is what Meeting BaaS publishes and what our own
/openapi.json says, refusals included; and our document promises what the published one does."""
import base64
import contextlib
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
import schemas  # noqa: E402
from harness import check  # noqa: E402
from orchestrator import running  # noqa: E402

MEET = "https://meet.google.com/abc-defg-hij"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
EVERYTHING = {
    "meeting_url": MEET, "bot_name": "Notes", "recording_mode": "gallery_view", "reserved": False,
    "bot_image": "https://example.com/bot.jpg", "entry_message": "Hello", "deduplication_key": "d",
    "speech_to_text": {"provider": "Gladia", "api_key": "k"}, "webhook_url": "https://example.com/h",
    "transcription_custom_parameters": {"language": "en"}, "extra": {"customer": "42"},
    "automatic_leave": {"waiting_room_timeout": 600, "noone_joined_timeout": 600,
                        "silence_timeout": 300},
    "streaming": {"input": "wss://example.com/in", "output": "wss://example.com/out",
                  "audio_frequency": "16khz"}, "zoom_sdk_id": "z"}
NULLS = {"meeting_url": MEET, "bot_name": "Notes", "deduplication_key": "n", **{
    name: None for name in ("recording_mode", "bot_image", "entry_message", "speech_to_text", "extra",
                            "automatic_leave", "streaming", "start_time", "webhook_url", "zoom_sdk_id",
                            "zoom_obf_token", "transcription_custom_parameters")}}


class Caller:
    """Calls a real server; each answer is held against both documents."""

    def __init__(self, server):
        self.url, self.key = f"http://127.0.0.1:{server.port}", server.key
        self.document = self._fetch("GET", "/openapi.json")[1]

    def _fetch(self, method, path, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data,
                                         headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def call(self, status, method, path, body=None, key=None):
        key = key or self.key
        if path.startswith(("/api/", "/v1/")):
            scheme = "Token" if path.startswith("/api/") else "Bearer"
            headers = {"Authorization": f"{scheme} {key}"}
        else:
            headers = {"x-meeting-baas-api-key": key}
        got, answer = self._fetch(method, path, body,
                                  {"Content-Type": "application/json", **headers})
        check(got == status, f"{method} {path} {body}: {got}, not {status}: {answer}")
        schemas.check_published(method, path, got, answer)
        schemas.check_own(self.document, method, path, got, answer)
        return answer


def serving(build):
    return running(build, max=0, pool=0, queue=8)


def meeting_baas(build):
    with serving(build) as (server, _, _):
        api = Caller(server)
        bot = api.call(200, "POST", "/bots", EVERYTHING)["bot_id"]
        plain = api.call(200, "POST", "/bots/", NULLS)["bot_id"]
        api.call(409, "POST", "/bots", EVERYTHING)
        api.call(400, "POST", "/bots", {**EVERYTHING, "bot_name": 7})
        row = api.call(200, "GET", f"/bots/meeting_data?bot_id={bot}")["bot_data"]["bot"]
        for name in ("bot_name", "recording_mode", "bot_image", "deduplication_key", "extra"):
            check(row[name] == EVERYTHING[name], f"{name}: {row[name]}")
        check(row["speech_to_text_provider"] == "Gladia" and row["enter_message"] == "Hello", f"{row}")
        api.call(200, "GET", f"/bots/meeting_data?bot_id={plain}&include_transcripts=false")
        api.call(404, "GET", f"/bots/meeting_data?bot_id={UNKNOWN}")
        api.call(400, "GET", "/bots/meeting_data")
        page = api.call(200, "GET", "/bots/bots_with_metadata?limit=1")
        check(page["next_cursor"] is not None, f"one of two: {page}")
        api.call(200, "GET", f"/bots/bots_with_metadata?cursor={page['next_cursor']}")
        api.call(400, "GET", "/bots/bots_with_metadata?limit=x")
        api.call(200, "GET", f"/bots/{bot}/screenshots")
        api.call(403, "POST", f"/bots/{bot}/delete_data")
        api.call(200, "DELETE", f"/bots/{bot}")
        api.call(404, "DELETE", f"/bots/{UNKNOWN}")
        api.call(200, "GET", f"/bots/meeting_data?bot_id={bot}")
        for _ in range(3):
            api.call(200, "POST", f"/bots/{bot}/delete_data", {})
        api.call(404, "POST", f"/bots/{UNKNOWN}/delete_data")
        api.call(429, "POST", f"/bots/{bot}/delete_data")
        api.call(501, "POST", "/bots/retranscribe", {"bot_uuid": bot})
        for page in ("", "/bot", "/calendar"):
            api.call(200, "GET", "/bots/webhooks" + page)
        api.call(200, "POST", "/accounts/webhook_url", {"webhook_url": "https://example.com/h"})
        api.call(200, "GET", "/accounts/webhook_url")
        log = api.call(200, "GET", f"/webhooks?bot_id={bot}")["webhooks"]
        api.call(200, "GET", f"/webhooks/{log[0]['id']}")
        api.call(202, "POST", f"/webhooks/{log[0]['id']}/resend")
        api.call(404, "GET", f"/webhooks/{UNKNOWN}")
        api.call(401, "GET", "/bots/bots_with_metadata", key="nobody's")
        api.call(200, "GET", "/health")


def attendee_and_cronofy(build):
    with serving(build) as (server, _, _):
        api = Caller(server)
        bot = api.call(201, "POST", "/api/v1/bots", {
            "meeting_url": MEET, "bot_name": "Notes", "join_at": "2029-01-01T00:00:00Z",
            "metadata": {"customer": "42"}})["id"]
        api.call(400, "POST", "/api/v1/bots", {"meeting_url": MEET})
        base = f"/api/v1/bots/{bot}"
        api.call(200, "GET", "/api/v1/bots")
        api.call(200, "GET", base)
        api.call(200, "PATCH", base, {"bot_name": "Other"})
        for part in ("participants", "participant_events", "chat_messages", "transcript"):
            api.call(200, "GET", f"{base}/{part}")
        api.call(404, "GET", f"{base}/recording")
        for part in ("pause_recording", "resume_recording", "delete_data"):
            api.call(400, "POST", f"{base}/{part}")
        api.call(400, "POST", f"{base}/send_chat_message", {"message": "hi"})
        api.call(501, "POST", f"{base}/output_video", {})
        api.call(204, "DELETE", base)
        api.call(404, "GET", base)
        api.call(401, "GET", "/api/v1/bots", key="nobody's")
        agent = {"join_url": MEET, "display_name": "Notes"}
        api.call(200, "POST", "/v1/meeting_agents", agent)
        later = {**agent, "scheduling_key": "s", "join_time": "2029-01-01T00:00:00Z"}
        api.call(202, "POST", "/v1/meeting_agents", later)
        api.call(202, "DELETE", "/v1/meeting_agents", {"scheduling_key": "s"})
        api.call(400, "POST", "/v1/meeting_agents", {})
        api.call(401, "POST", "/v1/meeting_agents", agent, key="nobody's")


def attendees_pictures(build):
    """They come by value, wait for the worker in the bot's folder, and go with it."""
    png, jpeg = b"\x89PNG\r\n\x1a\n" + bytes(9), b"\xff\xd8\xff" + bytes(9)
    with serving(build) as (server, _, _):
        api = Caller(server)

        def image(data):
            return {"bot_image": {"type": "image/png", "data": base64.b64encode(data).decode()}}

        new = {"meeting_url": MEET, "bot_name": "Notes", "join_at": "2029-01-01T00:00:00Z"}
        bot = api.call(201, "POST", "/api/v1/bots", {**new, **image(png)})["id"]
        kept = server.output(bot.removeprefix("bot_")) / ".picture"
        check(kept.read_bytes() == png and kept.stat().st_mode & 0o77 == 0, f"{kept}")
        api.call(200, "PATCH", f"/api/v1/bots/{bot}", image(jpeg))
        check(kept.read_bytes() == jpeg, "the new picture")
        for data in (b"GIF89a" + bytes(9), b"", png[:8], bytes(100)):
            said = api.call(400, "POST", "/api/v1/bots", {**new, **image(data)})
            check("bot_image" in str(said), f"{said}")
        for data in ("%%%%", "iVBORw0KGgo", None, 7):
            api.call(400, "POST", "/api/v1/bots", {**new, "bot_image": {"data": data}})
        api.call(400, "PATCH", f"/api/v1/bots/{bot}", image(b"no picture at all"))
        check(kept.read_bytes() == jpeg, "what was refused changed it")
        api.call(204, "DELETE", f"/api/v1/bots/{bot}")
        check(not kept.parent.exists(), "the picture of a bot that is gone")
        check(not list((server.data / "bots").iterdir()), "pictures of refused bots")


def keys_by_command(build):
    """Made, listed and revoked while the server runs; it knows at once."""
    with serving(build) as (server, _, _):
        api = Caller(server)
        key = server.run("keys", "create", "--account", "tests", "--label", "mine").strip()
        bot = api.call(200, "POST", "/bots", {"meeting_url": MEET, "bot_name": "N"}, key=key)
        rows = [line.split("\t") for line in server.run("keys", "list").splitlines()]
        check([row[1] for row in rows] == ["tests", "tests"], f"{rows}")
        mine = next(row for row in rows if row[4] == "mine")
        check(mine[3] == "valid" and key not in str(rows), f"{rows}")
        server.run("keys", "revoke", mine[0])
        api.call(401, "GET", "/bots/bots_with_metadata", key=key)
        listed = api.call(200, "GET", "/bots/bots_with_metadata")["bots"]
        check([b["uuid"] for b in listed] == [bot["bot_id"]], "the account's other key sees its bots")
        try:
            server.run("keys", "revoke", mine[0])
        except subprocess.CalledProcessError as error:
            check(error.returncode == 1 and mine[0] in error.stderr, f"{error.stderr}")
        else:
            check(False, "revoked twice")


def accounts_by_command(build):
    """Those that bots sign in with: listed, told by /health, and said to be well again, also while the
    server runs."""
    with tempfile.TemporaryDirectory(prefix="steno-e2e-") as folder:
        accounts = {"accounts": [{"platform": "meet", "profile_dir": folder, "max_bots": 2},
                                 {"platform": "teams", "profile_dir": "/tmp", "name": "t", "group": "g"}]}
        with running(build, max=0, pool=0, queue=8, accounts=accounts) as (server, _, _):
            api = Caller(server)

            def rows():
                return [line.split("\t") for line in server.run("accounts", "list").splitlines()]

            check(rows() == [["meet-1", "meet", "", "0 of 2 bots", "ready", ""],
                             ["t", "teams", "g", "0 of 1 bots", "ready", ""]], f"{rows()}")
            # What a worker's warning leaves in the store, while nobody touches the profile.
            with contextlib.closing(sqlite3.connect(server.data / "steno.db")) as store:
                store.execute("INSERT INTO login_marks VALUES ('meet-1', 1000, 'a name', ?)", (" " * 6,))
                store.commit()
            listed = api.call(200, "GET", "/health")["accounts"]
            check([a["signed_out"] for a in listed] == ["1970-01-01T00:00:01.000Z", None], f"{listed}")
            check(rows()[0][4:] == ["signed out since 1970-01-01T00:00:01.000Z", "a name"], f"{rows()}")
            server.run("accounts", "reset", "meet-1")
            check(api.call(200, "GET", "/health")["accounts"][0]["signed_out"] is None, "reset")
            for wrong in (("reset", "nobody"), ("reset",), ("forget", "t")):
                try:
                    server.run("accounts", *wrong)
                except subprocess.CalledProcessError as error:
                    check(error.returncode in (1, 2) and "accounts" in error.stderr, f"{error.stderr}")
                else:
                    check(False, f"accounts {wrong} was taken")
            for use, status in (({"use_login": True}, 201),
                                ({"use_login": True, "login_group_name": "x"}, 400)):
                api.call(status, "POST", "/api/v1/bots", {
                    "meeting_url": MEET, "bot_name": "N", "google_meet_settings": use})


def our_document_promises_what_is_published(_):
    text = (harness.ROOT / "orchestrator/openapi.json").read_text()
    problems = schemas.compare(json.loads(text))
    check(not problems, "\n".join(problems))


if __name__ == "__main__":
    harness.main([meeting_baas, attendee_and_cronofy, attendees_pictures, keys_by_command,
                  accounts_by_command, our_document_promises_what_is_published])
