#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What strangers send to a real orchestrator over its socket: HTTP that is none, JSON that is none, too
much of everything, wrong types, SQL and paths in every place, ids of another account, and random
requests. Each gets a clear refusal or an end of the connection; nothing of another account shows, the
other account's bots stay as they are, and the server goes on and ends without a complaint (of the
sanitizers, too, in their build). STENO_SEED repeats a run, STENO_REQUESTS lengthens it."""
import json
import os
import random
import re
import socket
import string
import struct
import sys
import pathlib
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
from harness import check  # noqa: E402
from orchestrator import running  # noqa: E402

SEED = int(os.environ.get("STENO_SEED", random.SystemRandom().randrange(2 ** 32)))
REQUESTS = int(os.environ.get("STENO_REQUESTS", 3000))
MEET = "https://meet.google.com/abc-defg-hij"
MARK = "only-the-other-account-may-see-this"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
BODY_BYTES = 65536
ANSWER_S = 60
NASTY = [
    "' OR 1=1 --", "'; DROP TABLE bots; --", "\" UNION SELECT sealed FROM keys --", "%", "_", "*",
    "../../steno.db", "..%2f..%2fsteno.db", "/etc/passwd", "....//....//etc/passwd", ".lock", "..", "",
    "file:///etc/passwd", "\0", "a\0b", "\r\nX-Injected: 1", "%s%n%x", "${jndi:ldap://x}", "\u202e\ufeff",
    "\ud7ff\U0010ffff", "x" * 5000, "-1", "0", "9223372036854775808", "1e309", "NaN", "null", "true",
    "https://[::1]:99999/", "https://meet.google.com@evil.example/", "javascript:alert(1)", "bot_", "agt_",
    "2026-13-45T99:99:99Z", "MjAwMA==", "ws://x/", "http://169.254.169.254/latest/meta-data"]
VALID = {
    "/bots": {"meeting_url": MEET, "bot_name": "N", "deduplication_key": "k", "extra": {"a": 1},
              "automatic_leave": {"silence_timeout": 300}, "streaming": {"input": "wss://x/"},
              "speech_to_text": {"provider": "Gladia", "api_key": "k"}, "start_time": 4000000000},
    "/bots/retranscribe": {"bot_uuid": UNKNOWN},
    "/accounts/webhook_url": {"webhook_url": "https://example.com/"},
    "/api/v1/bots": {"meeting_url": MEET, "bot_name": "N", "metadata": {"a": "b"},
                     "bot_image": {"type": "image/png", "data": "iVBORw0KGgoAAAAA"},
                     "webhooks": [{"url": "https://example.com/", "triggers": ["bot.state_change"]}],
                     "recording_settings": {"format": "mp4"}, "join_at": "2029-01-01T00:00:00Z"},
    "/api/v1/bots/{object_id}": {"bot_name": "M", "metadata": {"c": "d"}},
    "/api/v1/bots/{object_id}/send_chat_message": {"message": "hi"},
    "/api/v1/bots/{object_id}/output_audio": {"type": "audio/mp3", "data": "AAAA"},
    "/v1/meeting_agents": {"join_url": MEET, "scheduling_key": "s", "display_name": "N",
                           "join_time": "2029-01-01T00:00:00Z"}}


# --- the wire ---

def exchange(port, data, half_close=False):
    """Sends the bytes and reads until the server hangs up; what it said, b"" for nothing."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as peer:
        got = b""
        try:
            peer.sendall(data)
            if half_close:
                peer.shutdown(socket.SHUT_WR)
            while chunk := peer.recv(65536):
                got += chunk
        except TimeoutError as error:
            raise harness.Failure(f"no answer and no end to {data[:300]!r}") from error
        except OSError:  # it hung up while it was spoken to
            pass
        return got


def parse(answer):
    """(status, body text) of one answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.[01] (\d\d\d) ", head)
    check(found, f"no HTTP: {answer[:300]!r}")
    check(b"X-Injected" not in head, f"a header of ours: {head!r}")
    return int(found[1]), body.decode()


def http(method, target, body=b"", headers=()):
    lines = [f"{method} {target} HTTP/1.1", "Host: x", "Connection: close",
             f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body


def auth(path, key):
    if path.startswith("/api/"):
        return f"Authorization: Token {key}"
    if path.startswith("/v1/"):
        return f"Authorization: Bearer {key}"
    return f"x-meeting-baas-api-key: {key}"


def has_sentence(value):
    if isinstance(value, (dict, list)):
        return any(has_sentence(v) for v in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and " " in value


class Target:
    """A server with two accounts; the other one's bots are what must not show."""

    def __init__(self, server):
        self.server, self.port, self.key = server, server.port, server.key
        self.other = server.run("keys", "create", "--account", "other").strip()
        self.secrets = [MARK, self.other, str(server.folder), "SQLite format", "no such table"]
        self.ids = [self.make("/bots", {"bot_name": MARK, "extra": {"customer": MARK}}),
                    self.make("/api/v1/bots", {"bot_name": MARK, "metadata": {"customer": MARK},
                                               "join_at": "2029-01-01T00:00:00Z"})]
        files = server.output(self.plain(0)) / "screenshots"
        files.mkdir(parents=True)
        (files / "1.png").write_text(MARK)
        self.document = json.loads(self.ask("GET", "/openapi.json")[1])
        self.before = self.look()

    def plain(self, i):
        return self.ids[i].removeprefix("bot_")

    def make(self, path, more, key=None):
        status, text = self.ask("POST", path, {"meeting_url": MEET, **more}, key or self.other)
        check(status in (200, 201), f"{path}: {status} {text}")
        made = json.loads(text)
        return made.get("bot_id") or made["id"]

    def ask(self, method, path, body=None, key=None):
        data = b"" if body is None else json.dumps(body).encode()
        return parse(exchange(self.port, http(method, path, data, [auth(path, key or self.key)])))

    def look(self):
        """Everything that the other account sees of its bots."""
        return [self.ask("GET", f"/api/v1/bots/{self.ids[1]}", key=self.other),
                self.ask("GET", f"/bots/meeting_data?bot_id={self.ids[0]}", key=self.other),
                self.ask("GET", "/webhooks", key=self.other),
                self.ask("GET", "/accounts/webhook_url", key=self.other)]

    def check_answer(self, sent, answer, least=200):
        """An answer to what a stranger sent: no fault, nothing that is not its own, a sentence."""
        for secret in self.secrets:
            check(secret.encode() not in answer,
                  f"{secret} in the answer to {sent[:2000]!r}: {answer!r}")
        try:
            status, text = parse(answer)
        except UnicodeDecodeError as error:
            raise harness.Failure(f"no UTF-8 in the answer to {sent[:2000]!r}: {answer!r}") from error
        check(least <= status < 500 or status in (501, 505),
              f"{status} to {sent[:2000]!r}: {text[:500]}")
        if status >= 400 and text and text[0] == "{":
            check(has_sentence(json.loads(text)), f"no sentence: {text}")
        return status, text

    def check_well(self):
        check(self.ask("GET", "/health")[0] == 200, "the server is not well")
        check(self.look() == self.before, f"the other account's bots changed: {self.look()}")


def attacked(build):
    return running(build, max=0, pool=0, queue=100000,
                   limits={"body_bytes": BODY_BYTES, "request_timeout_s": 1, "connections": 300})


# --- crafted ---

def no_http(target):
    """Byte sequences that are no requests, or not whole ones."""
    rand = random.Random(SEED)
    key = f"x-meeting-baas-api-key: {target.key}\r\n".encode()
    post = b"POST /bots HTTP/1.1\r\nHost: x\r\n" + key
    upgrade = b"GET /control HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return [
        b"\r\n\r\n", b"\0" * 5000, rand.randbytes(3000),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET\r\n\r\n", b"GET /health\r\n\r\n",
        b"GET  /health HTTP/1.1\r\n\r\n", b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n", b"get /health HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\xff\xfe /health HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff\xfe%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"TRACE /bots HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://127.0.0.1:22/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET " + b"/x" * 200000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 2000000 + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\n" + b"A: b\r\n" * 100000 + b"\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nA\0B: c\r\n: d\r\n e\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\nno colon\r\n\r\n",
        b"GET /bots/meeting_data?bot_id=%00%00&bot_id=%ff HTTP/1.1\r\nHost: x\r\n" + key + b"\r\n",
        *no_length(target), post + b"Content-Length: 50\r\n\r\n{}",
        post + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        b"GET /health HTTP/1.1\r\n\r\n",
        post + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        post + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        post + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n{\r\n" * 200000 + b"0\r\n\r\n",
        post + b"Transfer-Encoding: gzip\r\n\r\nxx",
        post + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        post + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
        post + b"Expect: nonsense\r\nContent-Length: 2\r\n\r\n{}",
        b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 500,
        upgrade + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Protocol: steno.control.v1\r\nAuthorization: Bearer x\r\n\r\n" + rand.randbytes(500),
        upgrade + b"Authorization: Bearer \xff\r\n\r\n",
        b"GET /control HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b"A" * 100000 + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nRange: bytes=-9999999999999999999-,1-0\r\n\r\n"]


def no_length(target):
    """Requests whose body has no length, or two."""
    head = f"POST /bots HTTP/1.1\r\nHost: x\r\nx-meeting-baas-api-key: {target.key}\r\n"
    lengths = ("-1", "-52", "+2", "2 2", "2, 3", "0x2", "2.0", "9223372036854775808",
               "18446744073709551564", "99999999999999999999", "2\r\nContent-Length: 50")
    return [f"{head}Content-Length: {length}\r\n\r\n{{}}".encode() for length in lengths]


def not_http(build):
    print(f"# STENO_SEED={SEED}", flush=True)
    with attacked(build) as (server, _, _):
        target = Target(server)
        for data in no_length(target):
            answer = exchange(server.port, data)
            check(answer.startswith(b"HTTP/1.1 400 "), f"{data!r} is answered {answer!r}")
        for data in no_http(target):
            for half_close in (False, True):
                answer = exchange(server.port, data, half_close)
                if answer.startswith(b"HTTP/1.1 100"):
                    answer = answer.partition(b"\r\n\r\n")[2]
                if answer:
                    target.check_answer(data, answer)
            with socket.create_connection(("127.0.0.1", server.port)) as peer:  # broken off half way
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.sendall(data[:max(1, len(data) // 2)][:100000])
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
        for peer in idle:
            peer.sendall(b"GET /hea")
        target.check_well()
        for peer in idle:
            peer.close()
        target.check_well()


def bad_bodies(target):
    deep = b"[" * 30000
    long = json.dumps({"meeting_url": MEET, "bot_name": "x" * BODY_BYTES}).encode()
    return [
        (400, b"x"), (400, b"[]"), (400, b"null"), (400, b"7"), (400, b"\"\""), (400, b"{"),
        (400, b"{\"a\":1}}"), (400, b"{\"meeting_url\":\"\xff\xfe\",\"bot_name\":\"x\"}"),
        (400, b"\0{}"), (400, b"{}\0"), (400, b"{\"a\0\":1}"), (400, b"\xef\xbb\xbf{}"), (400, deep),
        (400, b"{\"a\":" + deep + b"]" * 30000 + b"}"),
        (400, b"{\"a\":\"\\u123\":\",\"e\":" + deep * 2), (400, b"{\"extra\":1e999999}"),
        (400, b"{\"bot_name\":\"\\ud800\",\"meeting_url\":\"x\\u0000\"}"), (413, long),
        (413, b" " * (BODY_BYTES + 1)), (413, b"{" * (BODY_BYTES * 3))]


def no_json(build):
    with attacked(build) as (server, _, _):
        target = Target(server)
        for path in VALID:
            path = path.replace("{object_id}", target.ids[1])
            for expected, body in bad_bodies(target):
                if "/api/v1/bots/" in path or "retranscribe" in path:
                    expected = None  # 404, 501 or the same
                sent = http("POST", path, body, [auth(path, target.key)])
                status, text = target.check_answer(sent, exchange(server.port, sent), 400)
                check(expected in (None, status), f"{path} {body[:80]!r}: {status} {text[:300]}")
        answer = exchange(server.port, http("POST", "/bots", b"x" * (BODY_BYTES * 20),
                                            [auth("/", target.key)]))
        check(not answer or parse(answer)[0] == 413, f"much too much: {answer[:300]!r}")
        target.check_well()


def same_as_unknown(text, asked, unknown):
    return text.replace(asked, "ID") == unknown.replace(UNKNOWN, "ID")


def another_accounts_ids(build):
    """In each place that takes an id: exactly what an id gets that nobody has."""
    with attacked(build) as (server, _, _):
        target = Target(server)
        delivery = json.loads(target.ask("GET", "/webhooks", key=target.other)[1])["webhooks"]
        check(delivery == [], "no webhooks were asked for")
        for path, item in target.document["paths"].items():
            for method in item:
                if "{" not in path and "meeting_data" not in path and "retranscribe" not in path:
                    continue
                for asked in (target.plain(0), target.plain(1), target.ids[1],
                              target.plain(0).upper(), "agt_" + target.plain(0)):
                    answers = [send_id(target, method.upper(), path, i) for i in (asked, UNKNOWN)]
                    check(answers[0][0] == answers[1][0] and answers[0][0] in (400, 403, 404, 501)
                          and same_as_unknown(answers[0][1], asked, answers[1][1]),
                          f"{method} {path} {asked}: {answers}")
        target.check_well()


def send_id(target, method, path, id_):
    real = re.sub(r"\{(bot|id|uuid|object_id)\}", id_, path).replace("{name}", "screenshots/1.png")
    if "meeting_data" in path:
        real += f"?bot_id={id_}"
    more = {"bot_uuid": id_} if "retranscribe" in path else {}
    body = json.dumps({**VALID.get(path, {}), **more})
    key = target.key
    if path == "/bots/{uuid}/delete_data":  # five a minute and key
        key = target.server.run("keys", "create", "--account", "tests").strip()
    sent = http(method, real, body.encode(), [auth(path, key)])
    return target.check_answer(sent, exchange(target.port, sent), 400)


# --- random ---

def random_value(rand, depth=0):
    kind = rand.randrange(9 if depth < 3 else 6)
    if kind == 0:
        return rand.choice([None, True, False])
    if kind == 1:
        return rand.choice([0, -1, 1, 2 ** 31, 2 ** 63 - 1, -2 ** 63, 10 ** 30, 1.5, -0.0, 1e300])
    if kind in (2, 3):
        return rand.choice(NASTY)
    if kind in (4, 5):
        letters = string.printable + "äß\u2028\U0001f600"
        return "".join(rand.choice(letters) for _ in range(rand.randrange(60)))
    if kind in (6, 7):
        return {rand.choice(["a", "b", "url", "type", rand.choice(NASTY)]): random_value(rand, depth + 1)
                for _ in range(rand.randrange(4))}
    return [random_value(rand, depth + 1) for _ in range(rand.randrange(4))]


def mutate(rand, value, depth=0):
    """A valid body with something changed somewhere."""
    if rand.random() < 0.15:
        return random_value(rand, depth)
    if isinstance(value, dict):
        value = {k: mutate(rand, v, depth + 1) for k, v in value.items() if rand.random() > 0.05}
        if rand.random() < 0.1:
            value[rand.choice(NASTY)] = random_value(rand, depth + 1)
    elif isinstance(value, list):
        value = [mutate(rand, v, depth + 1) for v in value * rand.randrange(3)]
    return value


def garble(rand, data):
    """Some bytes of it changed, lost or repeated."""
    data = bytearray(data)
    for _ in range(rand.randrange(1, 6)):
        at = rand.randrange(len(data) + 1)
        how = rand.randrange(3)
        if how == 0:
            data[at:at + 1] = bytes([rand.randrange(256)])
        elif how == 1:
            del data[at:at + rand.randrange(1, 20)]
        else:
            data[at:at] = data[at:at + rand.randrange(1, 200)]
    return bytes(data)


def random_request(rand, target, own):
    path = rand.choice(list(target.document["paths"]))
    method = rand.choice(list(target.document["paths"][path]) * 8 + ["put", "head", "options"]).upper()
    ids = [*own * 3, *target.ids, target.plain(0), UNKNOWN, *rand.sample(NASTY, 2)]
    real = re.sub(r"\{[^}]*\}", lambda _: urllib.parse.quote(
        rand.choice(ids), safe=rand.choice(["", "/"])), path)
    operation = target.document["paths"][path].get(method.lower(), {})
    names = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
    names += ["bot_id", "cursor"]
    query = {rand.choice(names): rand.choice(ids) for _ in range(rand.randrange(4))}
    if query:
        real += "?" + urllib.parse.urlencode(query)
    body = json.dumps(mutate(rand, VALID.get(path, {})), ensure_ascii=rand.random() < 0.5)
    key = target.key if rand.random() < 0.9 else rand.choice(["", "x", "' OR 1=1 --", "A" * 600])
    body = body.encode("utf-8", "surrogatepass")
    if rand.random() < 0.1:
        body = garble(rand, body)
    sent = http(method, real, body, [auth(path, key)])
    return (garble(rand, sent), True) if rand.random() < 0.15 else (sent, False)


def random_requests(build):
    print(f"# STENO_SEED={SEED}", flush=True)
    rand = random.Random(SEED)
    statuses = {}
    with attacked(build) as (server, _, _):
        target = Target(server)
        own = [target.make(path, {"bot_name": "own", **more}, target.key) for path, more in (
            ("/bots", {}), ("/api/v1/bots", {"join_at": "2029-01-01T00:00:00Z"}))]
        for _ in range(REQUESTS):
            sent, garbled = random_request(rand, target, own)
            answer = exchange(server.port, sent, half_close=garbled)
            check(answer or garbled, f"no answer to {sent[:2000]!r}")
            if answer.startswith(b"HTTP/1.1 1"):
                answer = answer.partition(b"\r\n\r\n")[2]
            if answer:
                status, _ = target.check_answer(sent, answer)
                statuses[status] = statuses.get(status, 0) + 1
        target.check_well()
    print(f"# answers: {dict(sorted(statuses.items()))}", flush=True)
    check({200, 400, 404} <= set(statuses), f"nothing was reached: {statuses}")


if __name__ == "__main__":
    harness.main([not_http, no_json, another_accounts_ids, random_requests])
