#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No circles of files: when a.c needs b.c and b.c needs a.c, they are one module, or the border between
them is wrong. Read off the built objects: who defines a symbol, and who needs it.

Circles that there still are stand in KNOWN, which is to become shorter: a new one fails, and so does
one that is gone and still listed.
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDERS = ["base", "media", "platforms", "streaming", "speech", "bot", "orchestrator"]
KNOWN = [
    ["bot/session.c", "bot/session_finish.c", "bot/session_media.c", "bot/session_meeting.c",
     "bot/session_rejoin.c", "bot/session_status.c"],
    ["bot/store.c", "bot/store_ahead.c", "bot/store_parts.c"],
    ["orchestrator/api_attendee.c", "orchestrator/api_attendee_audio.c"],
    ["orchestrator/bots.c", "orchestrator/notify.c"],
    ["orchestrator/workforce.c", "orchestrator/workforce_company.c", "orchestrator/workforce_death.c",
     "orchestrator/workforce_links.c"],
    ["platforms/adapter/adapter.c", "platforms/adapter/capture.c", "platforms/adapter/chat.c",
     "platforms/adapter/drive.c", "platforms/adapter/events.c"],
    ["platforms/meet/roster.c", "platforms/meet/roster_people.c"],
    ["streaming/client.c", "streaming/endpoint.c"],
]


def objects():
    """[(source, object)] of the products' sources: meson names sub/file.c's object sub_file.c.o."""
    found = []
    for folder in FOLDERS:
        built = ROOT / "build" / folder
        for source in sorted((ROOT / folder).rglob("*.c")):
            name = str(source.relative_to(ROOT / folder)).replace("/", "_") + ".o"
            found += [(str(source.relative_to(ROOT)), path) for path in built.glob(f"*.p/{name}")]
    return found


def symbols(path):
    """(defined, needed) of an object"""
    out = subprocess.run(["nm", "--format=posix", str(path)], check=True, capture_output=True,
                         text=True).stdout
    defined, needed = set(), set()
    for line in out.splitlines():
        name, kind = line.split()[:2]
        if kind == "U":
            needed.add(name)
        elif kind.isupper():
            defined.add(name)
    return defined, needed


def find_circles(needs):
    """Tarjan's strongly connected components of more than one file, each sorted."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in needs[node]:
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            circle = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(circle) > 1:
                found.append(sorted(circle))

    for node in needs:
        if node not in index:
            visit(node)
    return sorted(found)


def main():
    sys.setrecursionlimit(10000)
    read = {source: symbols(path) for source, path in objects()}
    if not read:
        print("no objects in build/: run ./dev setup first")
        return 1
    owner = {name: source for source, (defined, _) in read.items() for name in defined}
    needs = {source: sorted({owner[name] for name in needed if name in owner} - {source})
             for source, (_, needed) in read.items()}
    circles = find_circles(needs)
    new = [c for c in circles if c not in KNOWN]
    gone = [c for c in KNOWN if c not in circles]
    for circle in new:
        print("a circle of files: " + ", ".join(circle))
        for source in circle:
            for other in set(needs[source]) & set(circle):
                names = sorted(read[source][1] & read[other][0])
                print(f"  {source} needs {other}: {', '.join(names[:6])}")
    for circle in gone:
        print("no circle any more, take it out of KNOWN: " + ", ".join(circle))
    return 1 if new or gone else 0


if __name__ == "__main__":
    sys.exit(main())
