#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs end-to-end cases, as many side by side as the processors carry; prints TAP.

usage: run.py [FILE…]    the cases of test_FILE.py; without names those of all

A case is a process of its own, so that one which hangs or falls takes no other along. Those marked with
harness.takes() measure sound or pictures, which must come in time: they run together as far as half of
the processors goes, by what each keeps busy on average; one that takes more has a single other one
beside it, and comes first. All others ask what happened, not when: some run beside those, and give
way to them. When few of either kind are left, the other kind has what those do not need.
"""
import importlib
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import harness

HERE = pathlib.Path(__file__).resolve().parent
LIMIT_S = 300  # a case that takes longer hangs
N_BESIDE = max(1, os.cpu_count() // 2)  # cases that ask what happened, while others measure
N_ALONE = os.cpu_count() * 2  # and when nobody does any more
ROOM = os.cpu_count() / 2  # processors for those that measure: the others are to get on, too


class Case:
    """One case and its process."""

    def __init__(self, module, function):
        self.module, self.function = module, function.__name__
        self.name = f"{module.removeprefix('test_')}.{self.function}"
        self.cores = harness.cores_of(function)
        self.process = None

    def start(self):
        """In a session of its own: the kernel gives each of those a share (see harness.give_way)."""
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / f"{self.module}.py"), self.function], text=True,
            errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "STENO_SHARES": "whole" if self.cores else "rest"})

    def wait(self, on_measured):
        """Returns (whether it went well, what it printed)."""
        limit = threading.Timer(LIMIT_S, self.process.terminate)  # its context managers end the rest
        limit.start()
        lines = []
        for line in self.process.stdout:
            if line.startswith(harness.MEASURED):
                on_measured()
            else:
                lines.append(line)
        good = self.process.wait() == 0
        if limit.finished.is_set():
            lines.append(f"not ok: ended after {LIMIT_S} s\n")
        limit.cancel()
        return good, "".join(lines)


class Suite:
    """Cases that wait, those that run, and the results as they come."""

    def __init__(self, cases):
        self.waiting = sorted(cases, key=lambda case: -case.cores)
        self.running = []
        self.changed = threading.Condition()
        self.n_done = 0
        self.failed = []  # (name, what it printed)

    def _has_room(self, case):
        n_beside = sum(not other.cores for other in self.running)
        measuring = [other.cores for other in self.running if other.cores]
        if not case.cores and not measuring and not any(other.cores for other in self.waiting):
            return n_beside < N_ALONE
        if not case.cores:
            return n_beside < (1 if max(measuring, default=0) > ROOM else N_BESIDE)
        if case.cores > ROOM:
            return not measuring and n_beside <= 1
        few = n_beside < N_BESIDE and all(other.cores for other in self.waiting)
        room = os.cpu_count() - ROOM * n_beside / N_BESIDE if few else ROOM
        return sum(measuring) + case.cores <= room + 1e-6

    def _next(self):
        """Waits for a case for which there is room. With the lock held."""
        while True:
            case = next(filter(self._has_room, self.waiting), None)
            if case:
                self.waiting.remove(case)
                return case
            self.changed.wait()

    def _give_back(self, case):
        with self.changed:
            case.cores = 0
            self.changed.notify()

    def _see(self, case, begun):
        good, text = case.wait(lambda: self._give_back(case))
        with self.changed:
            self.running.remove(case)
            self.n_done += 1
            if not good:
                self.failed.append((case.name, text))
            notes = [line if line.startswith("#") else f"# {line}" for line in text.splitlines()
                     if not good or line.startswith("# ")]
            print(f"{'' if good else 'not '}ok {self.n_done} {case.name} # "
                  f"{time.monotonic() - begun:.1f} s", *notes, sep="\n", flush=True)
            self.changed.notify()

    def run(self):
        print(f"1..{len(self.waiting)}", flush=True)
        threads = []
        with self.changed:
            while self.waiting:
                case = self._next()
                case.start()
                self.running.append(case)
                threads.append(threading.Thread(target=self._see, args=[case, time.monotonic()]))
                threads[-1].start()
        for thread in threads:
            thread.join()

    def end(self):
        """Whatever still runs is ended in order."""
        for case in list(self.running):
            case.process.terminate()
        for case in list(self.running):
            case.process.wait()


def main():
    names = [f"test_{name}" for name in sys.argv[1:]] or sorted(p.stem for p in HERE.glob("test_*.py"))
    suite = Suite([Case(name, function) for name in names
                   for function in importlib.import_module(name).TESTS])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        suite.run()
    finally:
        suite.end()
    for name, text in suite.failed:  # once more where a reader looks first: at the end
        print(f"\n--- {name}\n{text}", file=sys.stderr)
    sys.exit(1 if suite.failed else 0)


if __name__ == "__main__":
    main()
