#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when a folder includes one that it may not know (docs/architecture.md has the direction)."""
import pathlib
import re
import subprocess
import sys

SHARED = {"media/frame.h", "media/json.h"}
ALLOWED = {
    "base": ({"base"}, set()),
    "media": ({"media", "base"}, set()),
    "platforms": ({"platforms", "base"}, SHARED | {"media/tone.h"}),
    "streaming": ({"streaming", "base"}, SHARED),
    "bot": ({"bot", "platforms", "streaming", "media", "base"}, set()),
    "orchestrator": ({"orchestrator", "base"},
                     {"media/json.h", "bot/answer.h", "bot/command.h", "bot/config.h", "bot/event.h", "bot/fields.h",
                      "bot/log.h", "bot/machine.h", "bot/outcome.h", "bot/report_data.h", "bot/store.h",
                      "platforms/meeting_url.h"}),
}
# Libraries that only one folder may see.
PRIVATE = {
    "media": re.compile(r"<(gst/|opus|libav)"),
    "streaming": re.compile(r"<libwebsockets"),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)


def main():
    files = subprocess.run(["git", "ls-files", "*.c", "*.h"], check=True, text=True,
                           capture_output=True).stdout.split()
    problems = []
    for name in files:
        folder = name.split("/")[0]
        if folder not in ALLOWED:
            continue
        folders, headers = ALLOWED[folder]
        for kind, path in INCLUDE.findall(pathlib.Path(name).read_text()):
            if kind == '"' and path.split("/")[0] not in folders and path not in headers:
                problems.append(f'{name}: {folder}/ may not include "{path}"')
            for owner, pattern in PRIVATE.items():
                if kind == "<" and folder != owner and pattern.match("<" + path):
                    problems.append(f"{name}: only {owner}/ may include <{path}>")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
