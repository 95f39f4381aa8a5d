#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs end-to-end cases, as many side by side as the processors carry; prints TAP.

usage: run.py [FILE…]    the cases of test_FILE.py; without names those of all

A case is a process of its own, so that one which hangs or falls takes no other along. Those marked with
harness.takes() measure sound or pictures, which must come in time: they run together as far as three
quarters of the processors go, by what each keeps busy on average; one that takes more has no other one
of them beside it, and comes first. All others ask what happened, not when: some run beside those, and
give way to them, more of them while the processors have little to do. When few of either kind are left,
the other kind has what those do not need.
"""
import importlib
import multiprocessing
import os
import pathlib
import selectors
import signal
import sys
import time

import harness

HERE = pathlib.Path(__file__).resolve().parent
LIMIT_S = 300  # a case that takes longer hangs
FORK = multiprocessing.get_context("fork")  # nothing here has threads
N_BESIDE = os.cpu_count() * 3 // 2  # cases that ask what happened, while others measure
N_ALONE = os.cpu_count() * 3  # and when nobody does any more
N_MORE = os.cpu_count()  # of either, when the processors have little to do
ROOM = os.cpu_count() * 3 / 4  # processors for those that measure: the others are to get on, too


class Idle:
    """Whether the processors had little to do lately: for a quarter of the time of some seconds."""

    SECONDS = 4

    def __init__(self):
        self.forget()

    @staticmethod
    def _read():
        """(ticks without anything to do, all ticks) since the machine's start"""
        with open("/proc/stat", encoding="ascii") as file:
            ticks = [int(field) for field in file.readline().split()[1:9]]
        return ticks[3] + ticks[4], sum(ticks)

    def forget(self):
        """What was until now tells nothing about what follows."""
        self.is_much = False
        self.since, self.seen = time.monotonic(), self._read()

    def look(self):
        """To be called often: the answer is of the last whole span of SECONDS."""
        if time.monotonic() >= self.since + self.SECONDS:
            idle, total = (now - then for now, then in zip(self._read(), self.seen))
            self.forget()
            self.is_much = idle > total / 4


class Case:
    """One case and its process."""

    def __init__(self, module, function):
        self.module, self.function = module, function.__name__
        self.name = f"{module.removeprefix('test_')}.{self.function}"
        self.cores = harness.cores_of(function)
        self.process = self.output = None
        self.begun = self.limit = 0
        self.text = b""  # what it printed

    def _run(self, output):
        """In the child: a session of its own, as the kernel gives each of those a share (see
        harness.give_way)."""
        os.setsid()
        os.environ["STENO_SHARES"] = "whole" if self.cores else "rest"
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        sys.argv = [str(HERE / f"{self.module}.py"), self.function]
        harness.main(importlib.import_module(self.module).TESTS)

    def start(self):
        """Forked, not begun anew: what the cases import takes a quarter of a second."""
        self.output, theirs = os.pipe()
        self.process = FORK.Process(target=self._run, args=[theirs])
        self.process.start()
        os.close(theirs)
        self.begun = time.monotonic()
        self.limit = self.begun + LIMIT_S

    def end_late(self):
        """Ends it if its time is over."""
        if time.monotonic() > self.limit:
            self.text += f"not ok: ended after {LIMIT_S} s\n".encode()
            self.limit = float("inf")
            self.process.terminate()  # its context managers end the rest

    def read(self):
        """What it printed since; False at its end."""
        got = os.read(self.output, 1 << 16)
        self.text += got
        if b"\n" + harness.MEASURED.encode() in self.text:
            self.cores = 0
        return got != b""

    def finish(self):
        """Returns (whether it went well, the lines that it printed)."""
        os.close(self.output)
        self.process.join()
        lines = [line for line in self.text.decode(errors="replace").splitlines()
                 if line != harness.MEASURED]
        return self.process.exitcode == 0, lines


class Suite:
    """Cases that wait, those that run, and the results as they come."""

    def __init__(self, cases):
        self.waiting = sorted(cases, key=lambda case: -case.cores)
        self.running = []
        self.outputs = selectors.DefaultSelector()
        self.idle = Idle()
        self.n_done = 0
        self.failed = []  # (name, the lines that it printed)

    def _has_room(self, case):
        n_beside = sum(not other.cores for other in self.running)
        measuring = [other.cores for other in self.running if other.cores]
        if not case.cores:
            alone = not measuring and not any(other.cores for other in self.waiting)
            most = N_ALONE if alone else N_BESIDE
            return n_beside < most or n_beside < most + N_MORE and self.idle.is_much
        if case.cores > ROOM:
            return not measuring
        few = n_beside < N_BESIDE and all(other.cores for other in self.waiting)
        room = ROOM + (os.cpu_count() - ROOM) * (1 - n_beside / N_BESIDE) if few else ROOM
        return sum(measuring) + case.cores <= room + 1e-6

    def _start(self, case):
        self.waiting.remove(case)
        case.start()
        self.idle.forget()
        self.running.append(case)
        self.outputs.register(case.output, selectors.EVENT_READ, case)

    def _finish(self, case):
        self.outputs.unregister(case.output)
        self.running.remove(case)
        good, lines = case.finish()
        self.n_done += 1
        if not good:
            self.failed.append((case.name, lines))
        notes = [line if line.startswith("#") else f"# {line}" for line in lines
                 if not good or line.startswith("# ")]
        print(f"{'' if good else 'not '}ok {self.n_done} {case.name} # "
              f"{time.monotonic() - case.begun:.1f} s", *notes, sep="\n", flush=True)

    def run(self):
        print(f"1..{len(self.waiting)}", flush=True)
        while self.waiting or self.running:
            self.idle.look()
            while case := next(filter(self._has_room, self.waiting), None):
                self._start(case)
            for key, _ in self.outputs.select(timeout=2):
                if not key.data.read():
                    self._finish(key.data)
            for case in self.running:
                case.end_late()

    def end(self):
        """Whatever still runs is ended in order."""
        for case in self.running:
            case.process.terminate()
        for case in self.running:
            case.process.join()


def main():
    names = [f"test_{name}" for name in sys.argv[1:]] or sorted(p.stem for p in HERE.glob("test_*.py"))
    suite = Suite([Case(name, function) for name in names
                   for function in importlib.import_module(name).TESTS])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        suite.run()
    finally:
        suite.end()
    for name, lines in suite.failed:  # once more where a reader looks first: at the end
        print(f"\n--- {name}", *lines, sep="\n", file=sys.stderr)
    sys.exit(1 if suite.failed else 0)


if __name__ == "__main__":
    main()
