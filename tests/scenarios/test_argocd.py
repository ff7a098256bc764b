"""The scenarios recorded on Argo CD, played against us: statuses and final objects are equal but for what is listed, with its reason.

The runner takes a status for settled when it has not changed for two and a half seconds, of the wall's clock. Six scenarios at once on a
busy machine can stand still for longer than that, so one that failed among others is played once more with the machine to itself.
"""

import re
from pathlib import Path

import pytest

from scenarios.argocd import FOLDER, play

# Our words name the file, the line and what to do; Argo CD's quote an rpc, a temporary file or kubectl's own steps.
OTHER_WORDS = {
    "app-of-itself", "err-recovers", "err-sync-on-comparison-error", "immutable-configmap", "tracking-takeover",
}  # fmt: skip
# Where Argo CD goes on telling Synced after a sync of local manifests, we compare with Git at once.
BETTER = {"op-manifests"}


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_statuses_and_objects_are_those_of_argo_cd(real_programs: None, shared: Path) -> None:
    names = {path.stem for path in (FOLDER / "scenarios").glob("*.yaml")} - OTHER_WORDS - BETTER
    assert len(names) >= 80
    failed, told = differing(names, jobs=6)
    if failed:
        failed, told = differing(failed, jobs=1)
    assert not failed, told[-4000:]


def differing(names: set[str], *, jobs: int) -> tuple[set[str], str]:
    """Which of the scenarios came out otherwise than on Argo CD, and what the runner says of them."""
    done = play("--only", *sorted(names), jobs=jobs)
    failed = set(re.findall(r"^FAIL (\S+)", done.stdout, re.MULTILINE))
    said = "\n".join(line for line in done.stdout.splitlines() if not line.startswith("ok "))
    told = f"{said}\n{done.stderr[-1000:]}"
    assert done.stdout.splitlines()[-1:] == [f"{len(names) - len(failed)} ok, {len(failed)} not"], told[-4000:]
    return failed, told
