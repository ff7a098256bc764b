"""Sequences that the fuzzer found to be answered otherwise, cut down: what was mended stays mended, on both servers."""

from typing import Any

import pytest

from differential.compare import Compared, different
from differential.found import networking, scales, storage_and_nodes, workloads, writes
from differential.known import known
from differential.peers import both, open_namespace
from differential.sides import Pair

pytestmark = [pytest.mark.live, pytest.mark.timeout(300), pytest.mark.usefixtures("real_programs")]

AREAS = (networking, scales, storage_and_nodes, workloads, writes)
SEQUENCES = {what: steps for area in AREAS for what, steps in area.SEQUENCES.items()}

QUOTED = "the resourceVersion of a quoted object"


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with both(tmp_path_factory.mktemp("found")) as found:
        yield found


@pytest.mark.parametrize("what", SEQUENCES)
def test_both_answer_alike(fuzzed: Pair, what: str) -> None:
    name = f"n{list(SEQUENCES).index(what)}"
    sides = [Compared(side, name, open_namespace(side, name)) for side in (fuzzed.real, fuzzed.ours)]
    for step in SEQUENCES[what]:
        _, real = sides[0].send(step)
        _, ours = sides[1].send(step)
        assert real == ours or known(step, real, ours) == QUOTED, different(real, ours)
