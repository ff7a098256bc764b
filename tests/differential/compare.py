"""Runs a sequence of steps against both servers and tells the first answer that differs, after what must differ is taken out."""

import copy
import http.client
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from differential.kinds import KINDS
from differential.many import BEGIN, CONTINUE
from differential.peers import open_namespace
from differential.shapes import Object
from differential.sides import Answer, Ask, Pair, Side
from differential.steps import UID, VERSION, Step

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TOKEN_VOLUME = re.compile(r"kube-api-access-[a-z0-9]{5}")
_ADDRESS = re.compile(r"\b10\.0\.\d+\.\d+\b")
_DRAWN_TWICE = re.compile(
    r"Duplicate value: 3(?:00(?:8[6-9]|9\d)|0[1-9]\d\d|[12]\d{3})\b"
)  # node ports above those that steps choose
_QUOTED_PORT = re.compile(r'([nN]odePort\\+":)3(?:00(?:8[6-9]|9\d)|0[1-9]\d\d|[12]\d{3})\b')  # in a quoted object
_GIVEN = re.compile(r"2024-01-01|11111111-")


_QUIET = 0.25  # seconds without an event after which a watch has told everything; ten times so much before a difference counts


@dataclass
class Compared:
    """One server and what it last told of each object."""

    side: Side
    namespace: str
    begin: str = "1"  # the resourceVersion before the first step
    versions: dict[str, str] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def send(self, step: Step, *, patience: float = _QUIET) -> tuple[Answer, Any]:
        """The answer, and what of it can be compared."""
        text = json.dumps(step.body).replace("{ns}", self.namespace)
        text = text.replace(VERSION, self.versions.get(step.about, "")).replace(UID, self.uids.get(step.about, ""))
        body = None if step.body is None else json.dumps(json.loads(text), separators=(",", ":"))
        path = step.path.replace("{ns}", self.namespace).replace(BEGIN, self.begin)
        path = path.replace(CONTINUE, self.tokens.get(step.about, ""))
        try:
            if step.method == "WATCH":
                answer = self.side.watch(path, step.accept, patience)
            else:
                answer = self.side.ask(Ask(step.method, path, body, step.media, step.accept))
        except (http.client.RemoteDisconnected, ConnectionError):
            answer = {"code": 0, "body": "no answer", "warn": []}
        return answer, self.comparable(step, answer)

    def comparable(self, step: Step, answer: Answer) -> Any:
        """What must be equal: uids, times, versions and what is drawn by lot are told by what they are."""
        body = copy.deepcopy(answer["body"])
        if isinstance(body, dict):
            self._note(step, body)
        found = {"status": answer["code"], "body": body, "warnings": answer["warn"]}
        text = _UID.sub(
            lambda match: match[0] if _GIVEN.match(match[0]) else "UID", json.dumps(found, sort_keys=True)
        ).replace(self.namespace, "NS")
        text = _DRAWN_TWICE.sub("Duplicate value: DRAWN", text)
        text = re.sub(r"duplicate nodePort: \{(\w+) 3\d{4}\}", r"duplicate nodePort: {\1 DRAWN}", text)
        text = _QUOTED_PORT.sub(r"\1DRAWN", text)
        text = _TIME.sub(lambda match: match[0] if _GIVEN.match(match[0]) else "TIME", text)
        return json.loads(_ADDRESS.sub("ADDRESS", _TOKEN_VOLUME.sub("kube-api-access", text)))

    def _note(self, step: Step, body: Object) -> None:
        """Learns what an answer tells of objects, and takes out of it what cannot be equal."""
        kind, told = body.get("kind"), "dryRun" not in step.path
        if kind == "Events":
            self._note_events(body["events"])
        elif kind == "Table":
            self._note_list(step, body)
            for column in body["columnDefinitions"] or ():
                column.pop("description", None)  # the wheel has its own
            for row in body["rows"] or ():
                row["cells"] = [_aged(cell) for cell in row["cells"]]
                if isinstance(row.get("object"), dict):
                    self._note_object(self._path(step, row["object"]), row["object"], told=False)
        elif "items" in body and isinstance(kind, str) and kind.endswith("List"):
            self._note_list(step, body)
            for item in body["items"] or ():  # null where nothing is listed by its metadata
                self._note_object(self._path(step, item), item, told=False)
        elif kind not in ("Status", None) and isinstance(body.get("metadata"), dict):
            self._note_object(step.about, body, told=told)

    def _path(self, step: Step, obj: Object) -> str:
        """The path of one of several objects."""
        name = str((obj.get("metadata") or {}).get("name", "")).replace(self.namespace, "{ns}")
        return step.about if step.about.endswith(f"/{name}") else f"{step.about}/{name}"

    def _note_list(self, step: Step, body: Object) -> None:
        meta = body["metadata"]
        if meta.get("continue"):
            self.tokens[step.about] = meta["continue"]
            meta["continue"] = "TOKEN"
        if meta.get("resourceVersion"):
            meta["resourceVersion"] = "VERSION"

    def _note_events(self, events: list[Any]) -> None:
        """The versions in a stream of events are told by their order."""
        seen: dict[str, str] = {}
        for event in events:
            meta = event["object"]["metadata"]
            version = meta["resourceVersion"]
            self._note_object("", event["object"], told=False)
            bookmark = event["type"] == "BOOKMARK"
            if bookmark and event["object"].get("kind") != "Table":  # of a built-in kind with empty fields there
                event["object"] = {key: event["object"].get(key) for key in ("apiVersion", "kind")} | {"metadata": {}}
            meta["resourceVersion"] = "any" if bookmark else seen.setdefault(version, f"version {len(seen)}")

    def _note_object(self, about: str, body: Object, *, told: bool) -> None:
        """Replaces the resourceVersion by whether it moved, node ports that were drawn by a word, and sorts managedFields."""
        meta = body["metadata"]
        version = meta.get("resourceVersion")
        if version is not None:
            meta["resourceVersion"] = "same" if self.versions.get(about) == version else "new"
            if told:
                self.versions[about] = version
        if meta.get("uid") and told:
            self.uids[about] = meta["uid"]
        (meta.get("managedFields") or []).sort(
            key=lambda entry: (entry["manager"], entry["operation"], entry.get("subresource", ""))
        )
        spec = body.get("spec")
        if isinstance(spec, dict) and "ports" in spec:
            for port in spec["ports"] if isinstance(spec["ports"], list) else ():
                if isinstance(port, dict) and isinstance(port.get("nodePort"), int) and port["nodePort"] > _CHOSEN_PORT:
                    port["nodePort"] = "drawn"
        if isinstance(spec, dict) and (spec.get("healthCheckNodePort") or 0) > _CHOSEN_PORT:
            spec["healthCheckNodePort"] = "drawn"


_PLURALS = {kind.plural for kind in KINDS}
_CHOSEN_PORT = 30085  # steps choose lower ones
_AGE = re.compile(r"(\d+[smhdy])+")
_DRAWN_IN_CELL = re.compile(r":3(?:00(?:8[6-9]|9\d)|0[1-9]\d\d|[12]\d{3})\b")


def _aged(cell: Any) -> Any:
    """A Table's cell without an age or a drawn port in it."""
    if not isinstance(cell, str):
        return cell
    return "AGE" if _AGE.fullmatch(cell) else _DRAWN_IN_CELL.sub(":drawn", cell)


@dataclass
class Difference:
    """Two answers to the last of these steps that are not the same."""

    steps: list[Step]
    real: Any
    ours: Any

    @property
    def signature(self) -> str:
        """What this difference has in common with others that one cause makes."""
        step = self.steps[-1]
        where = step.about.split("/")
        plural = where[-1] if where[-1] in _PLURALS else where[-2]
        causes = [_causes(side) for side in (self.real, self.ours)]
        if all(causes) and causes[0] != causes[1]:
            theirs, mine = causes
            if sorted(theirs) == sorted(mine):
                return f"{plural}: the same causes in another order"
            only = (
                sorted({each for each in theirs if each not in mine}),
                sorted({each for each in mine if each not in theirs}),
            )
            return f"{plural}: causes only there {only[0]}, only here {only[1]}"
        paths = sorted({re.sub(r"\d+", "N", path) for path in different(self.real, self.ours)})
        code = f"{self.real['status']}/{self.ours['status']}"
        return f"{plural} {step.method} {step.media.partition('/')[2]} {code}: {', '.join(paths[:5])}"

    def told(self) -> str:
        """For people."""
        lines = [f"# {self.signature}"]
        lines += [json.dumps(step.as_json()) for step in self.steps]
        lines += [
            f"  {path}\n    real: {json.dumps(a)}\n    ours: {json.dumps(b)}"
            for path, (a, b) in different(self.real, self.ours).items()
        ]
        return "\n".join(lines)


def different(real: Any, ours: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    """Path → (real, ours), for what is not the same."""
    if isinstance(real, dict) and isinstance(ours, dict):
        found: dict[str, tuple[Any, Any]] = {}
        for key in sorted(real.keys() | ours.keys()):
            found |= different(real.get(key, "(absent)"), ours.get(key, "(absent)"), f"{path}.{key}")
        return found
    if isinstance(real, list) and isinstance(ours, list) and len(real) == len(ours):
        found = {}
        for number, (a, b) in enumerate(zip(real, ours, strict=True)):
            found |= different(a, b, f"{path}[{number}]")
        return found
    if type(real) is type(ours) and real == ours:
        return {}
    return {path: (real, ours)}


def _causes(answer: Any) -> list[str]:
    """The causes of a refusal without the values they quote."""
    body = answer["body"]
    details = body.get("details") if isinstance(body, dict) else None
    causes = (details or {}).get("causes") if body.get("kind") == "Status" else None
    return [
        re.sub(r"\d+", "N", f"{each.get('field')}: {_QUOTED.sub('V', each.get('message', ''))}")
        for each in causes or ()
    ]


_QUOTED = re.compile(r'"(\\.|[^"\\])*"|\{.*\}|\[.*\]')


class Comparison:
    """Runs sequences, each in a namespace of its own. `known` says why a difference is accepted; "" if it is not."""

    def __init__(self, pair: Pair, known: Callable[[Step, Any, Any, list[Step]], str], label: str) -> None:
        self._pair, self._known = pair, known
        self._names = (f"f{label}-{number}" for number in itertools.count())
        self.steps = 0
        self.accepted: dict[str, int] = {}

    def run(self, steps: list[Step]) -> Difference | None:
        """The first difference; None if there is none. An accepted one ends the sequence: the states are no longer the same."""
        name = next(self._names)
        sides = [Compared(side, name, open_namespace(side, name)) for side in (self._pair.real, self._pair.ours)]
        for number, step in enumerate(steps):
            _, real = sides[0].send(step)
            _, ours = sides[1].send(step)
            self.steps += 1
            if real != ours and step.method == "WATCH":
                real, ours = (side.send(step, patience=10 * _QUIET)[1] for side in sides)
            if real != ours:
                why = self._known(step, real, ours, steps[:number])
                if why:
                    self.accepted[why] = self.accepted.get(why, 0) + 1
                    return None
                return Difference(steps[: number + 1], real, ours)
        return None

    def shrunk(self, found: Difference, *, most: int = 150) -> Difference:
        """The same difference with as few steps and as small bodies as can be found in so many attempts."""
        for attempt in itertools.count():
            smaller = next(self._smaller(found, most - attempt), None)
            if smaller is None or attempt >= most:
                return found
            found = smaller
        return found

    def _smaller(self, found: Difference, budget: int) -> Any:
        for tried, steps in enumerate(_candidates(found.steps), 1):
            if tried > budget:
                return
            again = self.run(steps)
            if again is not None and again.signature == found.signature and len(again.steps) == len(steps):
                yield again


def _candidates(steps: list[Step]) -> Any:
    for number in range(len(steps) - 1):
        yield steps[:number] + steps[number + 1 :]
    for number in range(len(steps) - 1, -1, -1):
        for body in _smaller_bodies(steps[number].body):
            changed = copy.copy(steps[number])
            changed.body = body
            yield [*steps[:number], changed, *steps[number + 1 :]]


def _smaller_bodies(value: Any) -> Any:
    if isinstance(value, dict):
        for key in value:
            if key not in ("apiVersion", "kind", "name", "metadata", "op", "path"):
                yield {name: item for name, item in value.items() if name != key}
        for key, item in value.items():
            for smaller in _smaller_bodies(item):
                yield {**value, key: smaller}
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield value[:number] + value[number + 1 :]
            for smaller in _smaller_bodies(item):
                yield [*value[:number], smaller, *value[number + 1 :]]
