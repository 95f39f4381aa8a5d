#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A real S3-compatible object store for the tests: OpenStack Swift with its S3 interface, all four
servers in one process on loopback, the data in a temporary folder.

Alone: object_store.py FOLDER prints one JSON line {"port", "access_key", "secret_key", "bucket"} and
serves until its standard input closes. Each request is a line in FOLDER/requests.log. FOLDER/faults
may hold lines "METHOD TEXT FAULT COUNT": the next COUNT requests of METHOD with TEXT in path and
query meet FAULT: a status code, `cut` (the connection breaks before the request is read) or `deaf`
(it is done, but the answer is lost)."""
import hashlib
import hmac
import http.client
import json
import pathlib
import sys
import time

import eventlet

eventlet.monkey_patch(all=False, socket=True, select=True, thread=True)

# pylint: disable=wrong-import-position
from eventlet import wsgi  # noqa: E402
from swift.account.server import AccountController  # noqa: E402
from swift.common import utils  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import loadapp  # noqa: E402
from swift.container.server import ContainerController  # noqa: E402
from swift.obj.server import ObjectController  # noqa: E402

ACCESS_KEY, SECRET_KEY, BUCKET = "test:tester", "testing", "recordings"
HOST = "127.0.0.1"
PROXY = """
[DEFAULT]
swift_dir = {folder}
log_level = ERROR
[pipeline:main]
pipeline = catch_errors gatekeeper s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
conn_timeout = 60
node_timeout = 60
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
storage_domain = store.localhost
s3_acl = false
check_bucket_owner = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {secret} .admin
[filter:slo]
use = egg:swift#slo
"""


class Quiet:
    """Swift's servers log each request; the tests have no use for it."""

    def write(self, *_):
        pass

    def debug(self, *_):
        pass


class Cache:
    """What Swift expects of memcached, in this process."""

    def __init__(self):
        self.values = {}

    def get(self, key, **_):
        return self.values.get(key)

    def set(self, key, value, **_):
        self.values[key] = value

    def incr(self, key, delta=1, **_):
        self.values[key] = max(0, int(self.values.get(key, 0)) + delta)
        return self.values[key]

    def delete(self, key, **_):
        self.values.pop(key, None)


def with_cache(app):
    cache = Cache()

    def call(env, start_response):
        env["swift.cache"] = cache
        return app(env, start_response)
    return call


def take_fault(path, method, target):
    """The fault that this request meets, counted down in the file."""
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return None
    for line in lines:
        if line[0] == method and line[1] in target and int(line[3]) > 0:
            line[3] = str(int(line[3]) - 1)
            path.write_text("".join(" ".join(row) + "\n" for row in lines))
            return line[2]
    return None


def with_faults(app, folder):
    log = (folder / "requests.log").open("a", buffering=1)

    def call(env, start_response):
        target = env["PATH_INFO"] + "?" + env.get("QUERY_STRING", "")
        fault = take_fault(folder / "faults", env["REQUEST_METHOD"], target)
        log.write(f"{env['REQUEST_METHOD']} {env['HTTP_HOST']}{target} {fault or '-'}\n")
        if fault is None:
            return app(env, start_response)
        sock = env["wsgi.input"].get_socket()
        if fault == "deaf":
            for _ in app(env, lambda *_: None):
                pass
        if fault in ("cut", "deaf"):
            sock.shutdown(2)
            return []
        start_response(f"{fault} Fault", [("Content-Length", "0")])
        return [b""]
    return call


def make_bucket(port):
    """One signed request of our own, so that no client has to be trusted with it."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    empty = hashlib.sha256(b"").hexdigest()
    host = f"{HOST}:{port}"
    names = "host;x-amz-content-sha256;x-amz-date"
    canonical = (f"PUT\n/{BUCKET}\n\nhost:{host}\nx-amz-content-sha256:{empty}\n"
                 f"x-amz-date:{now}\n\n{names}\n{empty}")
    key = ("AWS4" + SECRET_KEY).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    connection.request("PUT", f"/{BUCKET}", headers={
        "x-amz-date": now, "x-amz-content-sha256": empty,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope},"
                         f"SignedHeaders={names},Signature={signature}"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"no bucket: {answer.status} {answer.read()}")


def listen():
    return eventlet.listen((HOST, 0))


def write_ring(folder, kind, port):
    builder = RingBuilder(1, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "ip": HOST, "port": port, "device": "disk",
                     "weight": 1.0, "replication_ip": HOST, "replication_port": port})
    builder.rebalance()
    builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


def serve(folder):
    """Starts the four servers; returns the port of the S3 interface."""
    folder = pathlib.Path(folder).resolve()
    (folder / "devices/disk").mkdir(parents=True)
    utils.HASH_PATH_SUFFIX = b"steno"
    conf = {"devices": str(folder / "devices"), "mount_check": "false", "swift_dir": str(folder),
            "log_level": "ERROR", "fallocate_reserve": "0", "disable_fallocate": "true",
            "bind_ip": HOST, "conn_timeout": "60", "node_timeout": "60",
            "container_update_timeout": "60"}  # all in one process, which may have to wait
    for kind, controller in (("account", AccountController), ("container", ContainerController),
                             ("object", ObjectController)):
        sock = listen()
        port = sock.getsockname()[1]
        write_ring(folder, kind, port)
        eventlet.spawn(wsgi.server, sock, controller({**conf, "bind_port": str(port)}),
                       log=Quiet(), log_output=False)
    config = folder / "proxy.conf"
    config.write_text(PROXY.format(folder=folder, secret=SECRET_KEY))
    sock = listen()
    app = with_faults(with_cache(loadapp(str(config))), folder)
    eventlet.spawn(wsgi.server, sock, app, log=Quiet(), log_output=False)
    return sock.getsockname()[1]


def main():
    port = serve(sys.argv[1])
    make_bucket(port)
    print(json.dumps({"port": port, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY,
                      "bucket": BUCKET}), flush=True)
    eventlet.tpool.execute(sys.stdin.read)


if __name__ == "__main__":
    main()
