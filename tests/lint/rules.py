#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""House rules that no other tool knows: sizes, licence lines, unfinished work."""
import pathlib
import re
import subprocess
import sys

MAX_SOURCE = 800
MAX_HEADER = 260
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")


def check(name, text):
    lines = text.count("\n")
    limit = MAX_HEADER if name.endswith(".h") else MAX_SOURCE
    if lines > limit:
        yield f"{name}: {lines} lines, at most {limit}"
    if "SPDX-License-Identifier: Apache-2.0" not in text[:400]:
        yield f"{name}: no SPDX line"
    if name.endswith(".h") and "#pragma once" not in text:
        yield f"{name}: no #pragma once"
    for number, line in enumerate(text.split("\n"), 1):
        if UNFINISHED.search(line) and not name.startswith("tests/lint/"):
            yield f"{name}:{number}: unfinished work"
        if "\t" in line or line.rstrip() != line:
            yield f"{name}:{number}: tab or trailing white space"


def main():
    files = subprocess.run(["git", "ls-files", "*.c", "*.h", "*.js", "*.py", "*.sh"], check=True,
                           text=True, capture_output=True).stdout.split()
    problems = [p for name in files for p in check(name, pathlib.Path(name).read_text())]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
