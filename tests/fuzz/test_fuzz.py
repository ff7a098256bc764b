"""Our renderer against kustomize: shrunk trees that once differed, and generated ones, 200 here and 5,000 by `make fuzz`.

KILDE_FUZZ_SEED and KILDE_FUZZ_TREES choose others.
"""

import os
from collections.abc import Iterator

import pytest
from build_real import where

from fuzz import corpus
from fuzz.oracle import Oracle, ours
from fuzz.shrink import shrunk
from fuzz.trees import Files, generated

SEED = int(os.environ.get("KILDE_FUZZ_SEED", "0"))
TREES = int(os.environ.get("KILDE_FUZZ_TREES", "200"))
BLOCK = 20


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    if not (where("kustomize-oracle").exists() and where("kustomize").exists()):
        if os.environ.get("KILDE_REQUIRE_REAL") == "1":
            pytest.fail("kustomize-oracle is not built (make real)")
        pytest.skip("kustomize-oracle is not built (make real)")
    with Oracle() as found:
        yield found


@pytest.mark.parametrize("name", corpus.names())
def test_a_tree_that_once_differed_prints_what_kustomize_prints(name: str) -> None:
    case = corpus.case(name)
    found = ours(case.files)
    assert found.text == case.printed, found.why


def test_the_corpus_says_what_kustomize_says(oracle: Oracle) -> None:
    wrong = [name for name in corpus.names() if oracle.ask(corpus.case(name).files).text != corpus.case(name).printed]
    assert wrong == []


@pytest.mark.parametrize("first", range(SEED, SEED + TREES, BLOCK))
def test_generated_trees_print_what_kustomize_prints(oracle: Oracle, first: int) -> None:
    for seed in range(first, min(first + BLOCK, SEED + TREES)):
        files = generated(seed)
        real, found = oracle.ask(files), ours(files)
        if real.text != found.text and all(oracle.ask(files).text == real.text for _ in range(3)):
            assert found.text == real.text, f"seed {seed}: {found.why} {real.why}"


def test_the_oracle_is_the_command(oracle: Oracle) -> None:
    differ = []
    for seed in range(SEED, SEED + 25):
        files = generated(seed)
        if oracle.ask(files).text != oracle.binary(files).text and oracle.ask(files).text == oracle.ask(files).text:
            differ.append(seed)
    assert differ == []


def test_a_seed_gives_the_same_tree_and_another_one_another() -> None:
    assert generated(7) == generated(7)
    assert generated(7) != generated(8)


def test_shrinking_keeps_what_shows_the_difference() -> None:
    files: Files = {
        "top/kustomization.yaml": b"resources:\n- a\n- b\nnamePrefix: x\n",
        "top/a": b"1\n",
        "top/b": b"{p, q, r}\n",
    }

    def shows(tree: Files) -> bool:
        return b"q" in tree.get("top/b", b"") and b"- b" in tree.get("top/kustomization.yaml", b"")

    assert shrunk(files, shows) == {"top/kustomization.yaml": b"resources:\n- b\n", "top/b": b"{q}\n"}
