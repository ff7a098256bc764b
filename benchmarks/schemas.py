"""Measures the schemas of built-in kinds: their size in the wheel, and the CPU until the types of a version are there.

python benchmarks/schemas.py [--rounds 20]
"""

import argparse
import statistics
import subprocess
import sys
import zlib
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src/kilde"
PACKED = ("core/objects/typed/_packed.py", *(f"kubeapi/resources/_{name}.py" for name in (
    "descriptions", "enums", "go_types", "protobuf_fields")))  # fmt: skip
CHILD = """
import time
import msgspec, zlib, binascii
import kilde.core.objects.typed.node, kilde.core.basics.errors
begun = time.process_time()
from kilde.core.objects.typed import schema
types = schema.builtin({version!r})
types.kinds
loaded = time.process_time()
types.node("apps", "v1", "Deployment")
print((loaded - begun) * 1000, (time.process_time() - loaded) * 1000)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    for name in PACKED:
        text = (SOURCE / name).read_bytes()
        print(f"| {name} | {len(text) / 1000:.0f} KB, {len(zlib.compress(text)) / 1000:.0f} KB in the wheel |")
    for version in ("1.36", "1.30"):
        child = [sys.executable, "-c", CHILD.format(version=version)]
        told = [subprocess.run(child, capture_output=True, text=True, check=True).stdout.split() for _ in range(rounds)]
        load, first = (statistics.median(float(row[at]) for row in told) for at in (0, 1))
        print(f"| types of {version}, in a new process: CPU | {load:.1f} ms, and {first:.1f} ms for the first kind |")


if __name__ == "__main__":
    main()
