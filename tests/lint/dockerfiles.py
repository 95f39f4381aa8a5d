#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of hadolint that concern us, for every containers/*.Dockerfile; and the YAML beside them
parses and names what exists."""
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OURS = ("steno-worker", "steno-build")  # images that another Dockerfile makes


def instructions(text):
    """[(line, name, arguments)], continued lines joined."""
    found, number, whole = [], 0, ""
    for count, line in enumerate(text.split("\n"), 1):
        if not whole and (not line.strip() or line.startswith("#")):
            continue
        number = number if whole else count
        whole += line.removesuffix("\\") + " "
        if not line.endswith("\\"):
            name, _, arguments = whole.strip().partition(" ")
            found.append((number, name, arguments))
            whole = ""
    return found


def check_from(arguments, stages):
    image = arguments.split()[0]
    if image in stages or image in OURS:
        return None
    return None if re.search(r":[\w.-]+$", image) and not image.endswith(":latest") \
        else f"{image} has no fixed tag (DL3006, DL3007)"


def check_run(arguments):
    if re.search(r"\bsudo\b", arguments):
        return "sudo in an image (DL3004)"
    if re.search(r"\bapt(-get)? ", arguments):
        return "packages come by containers/deps.sh alone"
    if re.search(r"\bcd ", arguments):
        return "use WORKDIR (DL3003)"
    return None


def check_one(name, arguments, stages):
    if name == "FROM":
        return check_from(arguments, stages)
    if name == "RUN":
        return check_run(arguments)
    if name == "ADD":
        return "use COPY (DL3020)"
    if name == "WORKDIR" and not arguments.startswith("/"):
        return "an absolute path is needed (DL3000)"
    if name in ("ENTRYPOINT", "CMD") and not arguments.startswith("["):
        return "use the form of a JSON array (DL3025)"
    return None


def check_file(path):
    stages, user, cleans, installs = [], None, False, False
    for line, name, arguments in instructions(path.read_text()):
        problem = check_one(name, arguments, stages)
        if problem:
            yield f"{path.relative_to(ROOT)}:{line}: {problem}"
        if name == "FROM":
            user, cleans, installs = None, False, False
            stages += arguments.split()[2:3]
        installs |= name == "RUN" and "deps.sh" in arguments
        cleans |= "rm -rf /var/lib/apt/lists" in arguments
        user = arguments if name == "USER" else user
        if name == "COPY" and "--from" not in arguments:
            for source in arguments.split()[:-1]:
                if not (ROOT / source).exists():
                    yield f"{path.relative_to(ROOT)}:{line}: there is no {source}"
    if user in (None, "root", "0"):
        yield f"{path.relative_to(ROOT)}: the image runs as root (DL3002)"
    if installs and not cleans:
        yield f"{path.relative_to(ROOT)}: the lists of packages stay in the image (DL3009)"


def main():
    problems = [p for path in sorted((ROOT / "containers").glob("*.Dockerfile"))
                for p in check_file(path)]
    for path in sorted((ROOT / "containers").glob("**/*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            for service in (document.get("services") or {}).values():
                file = path.parent / service["build"]["context"] / service["build"]["dockerfile"]
                if not file.exists():
                    problems.append(f"{path.relative_to(ROOT)}: there is no {file}")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
