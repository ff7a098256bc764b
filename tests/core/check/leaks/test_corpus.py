"""The detector on its corpus: how much of what is there it finds, and how much it tells of that is none."""

import pytest

from core.check.leaks.corpus import Case, positives, token_makers
from core.check.leaks.harmless import negatives
from kilde.core.check.leaks import find_leaks

KNOWN_MISSES = {"password with spaces", "unnamed"}  # docs/limits.md
SEEDS = (11, 12, 13)  # it was not tuned on these
RECALL, FALSE = 0.985, 0.002


def missed(cases: list[Case]) -> list[str]:
    return [
        f"{case.name}: {case.value}"
        for case in cases
        if not {leak.line for leak in find_leaks(case.path, case.text)} & set(case.lines)
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_recall_and_precision_stay_above_their_floors(seed: int) -> None:
    bad, good = list(positives(seed)), list(negatives(seed))
    assert len(bad) >= 200
    assert len(good) >= 1000
    not_found = missed(bad)
    assert {
        name.partition(":")[0] for name in not_found
    } >= KNOWN_MISSES  # it is found now: take it out of the limits, too
    assert len(not_found) <= (1 - RECALL) * len(bad), not_found
    false = [
        (case.name, case.path, [leak.hint for leak in found])
        for case in good
        if (found := find_leaks(case.path, case.text))
    ]
    assert len(false) <= FALSE * len(good), false


def test_no_token_stands_in_the_corpus_itself() -> None:
    """A forge would refuse the push."""
    import core.check.leaks.corpus as corpus
    import core.check.leaks.harmless as harmless

    for module in (corpus, harmless):
        assert module.__file__ is not None
        with open(module.__file__) as file:
            told = [leak for leak in find_leaks("corpus.py", file.read()) if leak.rule in ("token", "private-key")]
        assert told == []


@pytest.mark.parametrize("name", sorted(token_makers()))
def test_a_token_is_told_of_as_what_it_is(name: str) -> None:
    import random

    dice = random.Random(name)
    value = token_makers()[name](dice)
    [leak] = find_leaks("notes.txt", f"first line\nsee {value} there\n")
    assert (leak.rule, leak.line) == ("token", 2)
    assert f"({len(value)} characters)" in leak.hint or leak.column > 5  # of a connection string the key alone
