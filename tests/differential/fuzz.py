"""Compares us with a real API server by random sequences of requests, and prints each kind of difference once, shrunk.

python tests/differential/fuzz.py --steps 20000 --seed 1
"""

import argparse
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2] / "tools")]

from differential.compare import Comparison  # noqa: E402
from differential.known import known  # noqa: E402
from differential.peers import both  # noqa: E402
from differential.steps import sequence  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--length", type=int, default=12)
    parser.add_argument("--shrink", type=int, default=60, help="attempts to shrink each kind of difference")
    parser.add_argument("--only", default="", help="only sequences that name this resource")
    asked = parser.parse_args()
    seen: dict[str, int] = {}
    began = time.monotonic()
    with both() as pair:
        comparison = Comparison(pair, known, str(asked.seed))
        done, seed = 0, asked.seed * 1_000_000
        while done < asked.steps:
            seed += 1
            steps = sequence(seed, asked.length)
            if asked.only and not any(f"/{asked.only}" in step.path for step in steps):
                continue
            before = comparison.steps
            found = comparison.run(steps)
            done += comparison.steps - before
            if found is None:
                continue
            first = found.signature not in seen
            seen[found.signature] = seen.get(found.signature, 0) + 1
            if first:
                print(comparison.shrunk(found, most=asked.shrink).told(), f"\n  seed: {seed}\n", flush=True)
    print(f"{done} steps in {time.monotonic() - began:.0f} s; {sum(seen.values())} differences of {len(seen)} kinds")
    for why, count in comparison.accepted.items():
        print(f"  accepted {count} times: {why}")
    for signature, count in sorted(seen.items(), key=lambda each: -each[1]):
        print(f"  {count:4} {signature}")
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
