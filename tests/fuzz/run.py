"""Fuzzes our renderer against kustomize: `python tests/fuzz/run.py --trees 5000 --seed 0`; differences are shrunk and written down.

Each difference becomes a folder in .cache/fuzz/<seed>: the shrunk tree, what kustomize said (real) and what we said (ours).
"""

import argparse
import collections
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools"), str(ROOT / "src")]

from fuzz.oracle import Answer, Oracle, ours  # noqa: E402
from fuzz.shrink import shrunk  # noqa: E402
from fuzz.trees import Files, generated  # noqa: E402


def answer(files: Files) -> Answer:
    """Ours; a defect is an answer of its own."""
    try:
        return ours(files)
    except Exception as error:
        return Answer(f"DEFECT {type(error).__name__}", traceback.format_exc())


def kind_of(real: Answer, found: Answer) -> str:
    if (found.text or "").startswith("DEFECT"):
        return "defect"
    if real.text == found.text:
        return ""
    return "we accept" if real.text is None else "we refuse" if found.text is None else "text"


def difference(oracle: Oracle, files: Files) -> tuple[str, Answer, Answer]:
    """What kind of difference there is, if any; not where kustomize differs from itself."""
    real, found = oracle.ask(files), answer(files)
    kind = kind_of(real, found)
    if kind == "text" and any(oracle.ask(files).text != real.text for _ in range(4)):
        return "", real, found
    return kind, real, found


def keep(folder: Path, files: Files, real: Answer, found: Answer, kind: str) -> None:
    for name, content in files.items():
        (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tree" / name).write_bytes(content)
    (folder / "real").write_text(real.text if real.text is not None else f"REFUSED {real.why}\n")
    (folder / "ours").write_text(
        f"{found.text}\n{found.why}"
        if kind == "defect"
        else found.text
        if found.text is not None
        else f"REFUSED {found.why}\n"
    )
    (folder / "kind").write_text(kind)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, default=25, help="differences to shrink before giving up")
    parser.add_argument("--into", type=Path, default=ROOT / ".cache" / "fuzz")
    asked = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    refusals: collections.Counter[str] = collections.Counter()
    found = 0
    begun = time.monotonic()
    with Oracle() as oracle:
        for seed in range(asked.seed, asked.seed + asked.trees):
            files = generated(seed)
            kind, real, mine = difference(oracle, files)
            counts["accepted" if real.text else "empty" if real.text is not None else "refused"] += 1
            if real.text is None and not kind:
                refusals[real.why[-70:]] += 1
            if not kind:
                continue
            found += 1
            counts[kind] += 1
            small = shrunk(files, lambda tree: difference(oracle, tree)[0] == kind)  # noqa: B023
            _, real, mine = difference(oracle, small)
            keep(asked.into / str(seed), small, real, mine, kind)
            print(f"seed {seed}: {kind}: {asked.into / str(seed)}", flush=True)
            if found >= asked.most:
                break
    print(dict(counts), f"{time.monotonic() - begun:.0f} s, {found} differences")
    for why, times in refusals.most_common(12):
        print(f"  {times} refused by both: {why!r}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
