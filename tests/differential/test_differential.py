"""A bounded run of the differential fuzzer: what we answer is what a real API server answers."""

import os
from pathlib import Path

import pytest

from differential.compare import Comparison
from differential.known import known
from differential.peers import both
from differential.steps import sequence

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.usefixtures("real_programs")]

STEPS = int(os.environ.get("KILDE_FUZZ_STEPS", "1000"))
# In so many thousandths of the steps an answer may differ for a reason that is not listed in known.py.
# 0.28 were measured over 25,009 steps; lower it as they go.
MOST_PER_MILLE = 1


def test_random_sequences_are_answered_as_by_a_real_server(tmp_path: Path) -> None:
    told: list[str] = []
    with both(tmp_path) as pair:
        comparison = Comparison(pair, known, "ci")
        seed = 0
        while comparison.steps < STEPS:
            seed += 1
            found = comparison.run(sequence(seed, 12))
            if found is not None:
                told.append(found.told())
    assert len(told) * 1000 <= MOST_PER_MILLE * comparison.steps, "\n\n".join(told)
