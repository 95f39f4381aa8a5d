# SPDX-License-Identifier: Apache-2.0
"""Answers of the HTTP APIs against their schemas: what Meeting BaaS publishes for the bots part of its
v1 (sdk/bots-v1.json has the names, types, enumerations and nullability of its OpenAPI document 1.1),
and our own /openapi.json. Also whether ours promises what the published one does."""
import datetime
import json
import pathlib
import re
import uuid

import jsonschema

from harness import check

PUBLISHED = json.loads((pathlib.Path(__file__).resolve().parent / "sdk/bots-v1.json").read_text())
FORMATS = jsonschema.FormatChecker(formats=[])
JSON = "application/json"


def format_of(name, types):
    def add(test):
        def tested(value):
            return not isinstance(value, types) or test(value)
        FORMATS.checks(name, raises=ValueError)(tested)
        return test
    return add


@format_of("uuid", str)
def is_uuid(text):
    return str(uuid.UUID(text)) == text.lower()


@format_of("date-time", str)
def is_time(text):
    """RFC 3339, which demands the zone."""
    datetime.datetime.fromisoformat(re.sub(r"Z$", "+00:00", text))
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text) is not None


@format_of("int32", int)
def is_int32(number):
    return -2 ** 31 <= number < 2 ** 31


@format_of("int64", int)
def is_int64(number):
    return -2 ** 63 <= number < 2 ** 63


def wrong(value, schema, root):
    """The sentences that say where value is not what schema, a part of root, says."""
    validator = jsonschema.Draft202012Validator({**root, **schema}, format_checker=FORMATS)
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


def matches(template, path):
    pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template.rstrip("/")))
    return re.fullmatch(pattern, path.split("?")[0].rstrip("/")) is not None


def find(operations, path):
    """The operation whose template fits, the one spelled out before one with a parameter."""
    found = sorted((name.count("{"), name) for name in operations if matches(name, path))
    return operations[found[0][1]] if found else None


def check_published(method, path, status, value):
    """Meeting BaaS's own schema of an answer; without one there is nothing to hold it against."""
    operations = {name.split(" ")[1]: entry for name, entry in PUBLISHED["operations"].items()
                  if name.startswith(method + " ")}
    operation = find(operations, path)
    if operation is None or status != 200 or operation["answer"] is None:
        return
    problems = wrong(value, operation["answer"], {"schemas": PUBLISHED["schemas"]})
    check(not problems, f"{method} {path} against the published schema: {problems} in {value}")


def check_own(document, method, path, status, value):
    """Our own document names every status that comes, and what comes with it."""
    operation = (find(document["paths"], path) or {}).get(method.lower())
    check(operation is not None, f"/openapi.json has no {method} {path}")
    answer = operation["responses"].get(str(status))
    check(answer is not None, f"/openapi.json has no {status} for {method} {path}: {value}")
    schema = answer.get("content", {}).get(JSON, {}).get("schema")
    check((schema is None) == (value is None), f"{method} {path} {status}: {value}")
    if schema is not None:
        problems = wrong(value, schema, {"components": document["components"]})
        check(not problems, f"{method} {path} {status} against /openapi.json: {problems} in {value}")


# --- two documents ---

class Reader:
    """Schemas of one document, with references resolved and what `anyOf` chooses from in one."""

    def __init__(self, document):
        self.document = document

    def read(self, schema):
        """(types, schema): the set of type names, empty for any; what is not null of it."""
        if schema is True or schema is None:
            return set(), {}
        while "$ref" in schema:
            target = self.document
            for part in schema["$ref"].lstrip("#/").split("/"):
                target = target[part]
            schema = target
        options = schema.get("anyOf")
        if options is not None:
            read = [self.read(option) for option in options]
            merged = {}
            for _, option in read:
                merged = {**option, **merged}
            return set().union(*(types for types, _ in read)), merged
        types = schema.get("type", [])
        return set([types] if isinstance(types, str) else types), schema


def widened(types):
    return types | ({"integer"} if "number" in types else set())


def narrower(place, narrow, wide):
    """What breaks "each value that narrow=(Reader, schema) allows, wide=(Reader, schema) allows"."""
    types, one = narrow[0].read(narrow[1])
    allowed, other = wide[0].read(wide[1])
    if not allowed and not other.get("properties"):
        return []
    found = []
    if not types or not types <= widened(allowed):
        found.append(f"{place}: {types or 'anything'}, not {allowed}")
    if "enum" in other and not set(one.get("enum", [None])) <= set(other["enum"]):
        found.append(f"{place}: {one.get('enum')}, not of {other['enum']}")
    if other.get("format") in ("uuid", "date-time") and one.get("format") != other["format"]:
        found.append(f"{place}: no {other['format']}")
    if "object" in allowed:
        lacking = set(other.get("required", [])) - set(one.get("required", []))
        found += [f"{place}.{name}: not always there" for name in sorted(lacking)]
        for name, schema in other.get("properties", {}).items():
            if name in one.get("properties", {}):
                found += narrower(f"{place}.{name}", (narrow[0], one["properties"][name]),
                                  (wide[0], schema))
    if "array" in allowed:
        found += narrower(place + "[]", (narrow[0], one.get("items", True)),
                          (wide[0], other.get("items", True)))
    return found


def unknown_fields(place, ours, theirs):
    """Fields that theirs has and ours does not name."""
    _, one = ours[0].read(ours[1])
    _, other = theirs[0].read(theirs[1])
    found = [f"{place}.{name}: unknown" for name in other.get("properties", {})
             if name not in one.get("properties", {})]
    for name, schema in other.get("properties", {}).items():
        if name in one.get("properties", {}):
            found += unknown_fields(f"{place}.{name}", (ours[0], one["properties"][name]),
                                    (theirs[0], schema))
    return found


def compare_operation(name, ours, own, published):
    """What our document says of one operation against the published one's."""
    theirs, problems = PUBLISHED["operations"][name], []
    own_reader, reader = Reader(own), Reader(published)
    names = {p["name"] for p in ours.get("parameters", [])}
    for parameter, entry in theirs.get("parameters", {}).items():
        if entry["in"] == "query" and parameter not in names:
            problems.append(f"{name}: no parameter {parameter}")
    if "body" in theirs:
        body = (own_reader, ours["requestBody"]["content"][JSON]["schema"])
        problems += unknown_fields(f"{name} body", body, (reader, theirs["body"]))
        required = set(own_reader.read(body[1])[1].get("required", []))
        problems += [f"{name}: {field} is required here only" for field in
                     sorted(required - set(reader.read(theirs["body"])[1].get("required", [])))]
    if theirs["answer"]:
        answer = ours["responses"]["200"]["content"][JSON]["schema"]
        problems += narrower(f"{name} answer", (own_reader, answer), (reader, theirs["answer"]))
    return problems


def compare(own):
    """What our document lacks, or promises otherwise than the published one; sentences."""
    published = {"schemas": PUBLISHED["schemas"]}
    problems = []
    for name in PUBLISHED["operations"]:
        method, path = name.split(" ")
        item = next((i for p, i in own["paths"].items() if p.rstrip("/") == path.rstrip("/")), {})
        ours = item.get(method.lower())
        problems += ([f"no {name}"] if ours is None
                     else compare_operation(name, ours, own, published))
    return problems
