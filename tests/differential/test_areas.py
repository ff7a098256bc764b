"""Areas: server-side apply of every type, lists and watches in every mode, deletes, sub-resources, reviews, alike on both servers."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from differential.areas import APPLIES, THINGS
from differential.areas_read import DELETES, READS, WATCHES
from differential.compare import Compared, different
from differential.known import known
from differential.normal import normal
from differential.peers import both, open_namespace
from differential.sides import Ask, Pair
from differential.steps import Step

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.usefixtures("real_programs")]

_VERSION = re.compile(r"(current: |record \(|too old resource version: \d+ \()\d+")
SEQUENCES = {**APPLIES, **DELETES, **READS, **WATCHES}


@pytest.fixture(scope="module")
def areas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with both(tmp_path_factory.mktemp("areas"), (THINGS,)) as found:
        yield found


@pytest.mark.parametrize("what", SEQUENCES)
def test_both_answer_alike(areas: Pair, what: str) -> None:
    found = list(_differences(areas, SEQUENCES[what], f"areas-{list(SEQUENCES).index(what)}"))
    assert found == [], "\n".join(found)


def _differences(pair: Pair, steps: list[Step], namespace: str) -> Iterator[str]:
    """Both are asked at the same time: a watch takes as long as it was asked to last."""
    sides = [Compared(side, namespace) for side in (pair.real, pair.ours)]
    for one in sides:
        open_namespace(one.side, namespace)
    with ThreadPoolExecutor(len(sides)) as at_once:
        for number, step in enumerate(steps):
            real, ours = at_once.map(_answered, sides, (step, step))
            if real != ours and (isinstance(real["body"], list) or not known(step, real, ours)):
                body = json.dumps(step.body) if not isinstance(step.body, bytes) else repr(step.body)
                yield f"{number} {step.method} {step.path} {step.media} {body}: {different(real, ours)}"


def _answered(one: Compared, step: Step) -> Any:
    if isinstance(step.body, bytes):
        path = step.path.replace("{ns}", one.namespace)
        told = one.comparable(step, one.side.ask(Ask(step.method, path, step.body, step.media)))
    else:
        told = one.send(step)[1]
    body = told["body"]
    if isinstance(body, str) and body.startswith('{"type":'):
        events = [json.loads(line) for line in body.splitlines()]
        told["body"] = [one for one in events if not _now_and_then(one)]  # what a watch tells
    elif isinstance(body, dict) and body.keys() == {"type", "object"}:
        told["body"] = [body]
    return {**told, "body": _masked(normal(told["body"]))}


def _now_and_then(event: Any) -> bool:
    """A bookmark that comes with time."""
    return event["type"] == "BOOKMARK" and "annotations" not in event["object"]["metadata"]


def _masked(value: Any) -> Any:
    """Versions in messages."""
    return json.loads(_VERSION.sub(r"\1<version>", json.dumps(value)))
