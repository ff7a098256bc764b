"""Runs a sequence of steps against both servers and tells the first answer that differs, after what must differ is taken out."""

import copy
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from differential.peers import Answer, Peer, open_namespace
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


@dataclass
class Side:
    """One server and what it last told of each object."""

    peer: Peer
    namespace: str
    versions: dict[str, str] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)
    ports: dict[int, str] = field(default_factory=dict)

    def send(self, step: Step) -> tuple[Answer, Any]:
        """The answer, and what of it can be compared."""
        text = json.dumps(step.body).replace("{ns}", self.namespace)
        text = text.replace(VERSION, self.versions.get(step.about, "")).replace(UID, self.uids.get(step.about, ""))
        body = None if step.body is None else json.loads(text)
        answer = self.peer.ask(step.method, step.path.replace("{ns}", self.namespace), body, step.media)
        return answer, self.comparable(step, answer)

    def comparable(self, step: Step, answer: Answer) -> Any:
        """What must be equal: uids, times, versions and what is drawn by lot are told by what they are."""
        body = copy.deepcopy(answer.body)
        if (
            isinstance(body, dict)
            and isinstance(body.get("metadata"), dict)
            and body.get("kind") not in ("Status", None)
        ):
            self._note(step, body)
        found = {"status": answer.status, "body": body, "warnings": list(answer.warnings)}
        text = json.dumps(found, sort_keys=True).replace(self.namespace, "NS")
        text = _DRAWN_TWICE.sub("Duplicate value: DRAWN", text)
        text = re.sub(r"duplicate nodePort: \{(\w+) 3\d{4}\}", r"duplicate nodePort: {\1 DRAWN}", text)
        text = _QUOTED_PORT.sub(r"\1DRAWN", text)
        text = _TIME.sub(lambda match: match[0] if _GIVEN.match(match[0]) else "TIME", text)
        text = _UID.sub(lambda match: match[0] if _GIVEN.match(match[0]) else "UID", text)
        return json.loads(_ADDRESS.sub("ADDRESS", _TOKEN_VOLUME.sub("kube-api-access", text)))

    def _note(self, step: Step, body: Any) -> None:
        """Replaces the resourceVersion by whether it moved, node ports that were drawn by a word, and sorts managedFields."""
        meta = body["metadata"]
        version = meta.get("resourceVersion")
        if version is not None:
            meta["resourceVersion"] = "same" if self.versions.get(step.about) == version else "new"
            if (
                "dryRun" not in step.path and "/scale" not in step.path and "/status" not in step.path
            ) or "dryRun" not in step.path:
                self.versions[step.about] = version
        if meta.get("uid") and "dryRun" not in step.path:
            self.uids[step.about] = meta["uid"]
        (meta.get("managedFields") or []).sort(
            key=lambda entry: (entry["manager"], entry["operation"], entry.get("subresource", ""))
        )
        spec = body.get("spec")
        if body.get("kind") == "Service" and isinstance(spec, dict):
            for port in spec.get("ports") or ():
                if port.get("nodePort", 0) > 30085:
                    port["nodePort"] = "drawn"
            if spec.get("healthCheckNodePort", 0) > 30085:
                spec["healthCheckNodePort"] = "drawn"


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
        where = step.about.replace("/{ns}", "").split("/")
        plural = where[-2] if len(where) > 1 else ""
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

    def __init__(self, real: Peer, ours: Peer, known: Callable[[Step, Any, Any, list[Step]], str], label: str) -> None:
        self._real, self._ours, self._known = real, ours, known
        self._names = (f"f{label}-{number}" for number in itertools.count())
        self.steps = 0
        self.accepted: dict[str, int] = {}

    def run(self, steps: list[Step]) -> Difference | None:
        """The first difference; None if there is none. An accepted one ends the sequence: the states are no longer the same."""
        name = next(self._names)
        sides = [Side(peer, name) for peer in (self._real, self._ours)]
        for side in sides:
            open_namespace(side.peer, name)
        for number, step in enumerate(steps):
            _, real = sides[0].send(step)
            _, ours = sides[1].send(step)
            self.steps += 1
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
