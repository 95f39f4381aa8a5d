#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs end-to-end cases, as many side by side as the processors carry; prints TAP.

usage: run.py [FILE…]    the cases of test_FILE.py; without names those of all

A case is a process of its own, so that one which hangs or falls takes no other along; it tells with
harness.takes() how many processors it keeps busy. Those that take most begin, and small ones fill what is
free beside them.
"""
import importlib
import os
import pathlib
import subprocess
import sys
import threading
import time

import harness

HERE = pathlib.Path(__file__).resolve().parent
LIMIT_S = 300  # a case that takes longer hangs


class Case:
    def __init__(self, module, function):
        self.module, self.function = module, function.__name__
        self.name = f"{module.removeprefix('test_')}.{self.function}"
        self.cores = min(harness.cores_of(function), os.cpu_count())

    def run(self):
        """Returns (whether it went well, what it printed)."""
        process = subprocess.Popen([sys.executable, str(HERE / f"{self.module}.py"), self.function],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors="replace")
        try:
            text, _ = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.terminate()  # its context managers end what it started
            text, _ = process.communicate()
            text += f"\nnot ok: ended after {LIMIT_S} s"
        return process.returncode == 0, text


class Suite:
    """Cases that wait, the processors that are free, and the results as they come."""

    def __init__(self, cases):
        self.waiting = sorted(cases, key=lambda case: -case.cores)
        self.n_cases = len(cases)
        self.free = os.cpu_count()
        self.changed = threading.Condition()
        self.n_done = self.n_failed = 0

    def _next(self):
        """The first case for which there is room; None while there is none. With the lock held."""
        return next((case for case in self.waiting if case.cores <= self.free + 1e-6), None)

    def _go(self, case):
        begun = time.monotonic()
        good, text = case.run()
        with self.changed:
            self.free += case.cores
            self.n_done += 1
            self.n_failed += not good
            notes = "\n".join(line if line.startswith("#") else f"# {line}"
                              for line in text.splitlines()
                              if not good or line.startswith("# "))
            print(f"{'' if good else 'not '}ok {self.n_done} {case.name} # "
                  f"{time.monotonic() - begun:.1f} s", *filter(None, [notes]), sep="\n", flush=True)
            self.changed.notify()

    def run(self):
        print(f"1..{self.n_cases}", flush=True)
        threads = []
        with self.changed:
            while self.waiting:
                case = self._next()
                if case is None:
                    self.changed.wait()
                    continue
                self.waiting.remove(case)
                self.free -= case.cores
                threads.append(threading.Thread(target=self._go, args=[case]))
                threads[-1].start()
        for thread in threads:
            thread.join()
        return self.n_failed


def main():
    names = [f"test_{name}" for name in sys.argv[1:]] or sorted(p.stem for p in HERE.glob("test_*.py"))
    cases = [Case(name, function) for name in names
             for function in importlib.import_module(name).TESTS]
    sys.exit(1 if Suite(cases).run() else 0)


if __name__ == "__main__":
    main()
