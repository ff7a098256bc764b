"""The scenarios recorded on Argo CD, played against us: statuses and final objects are equal but for what is listed, with its reason."""

from pathlib import Path

import pytest

from scenarios.argocd import FOLDER, play

# Our words name the file, the line and what to do; Argo CD's quote an rpc, a temporary file or kubectl's own steps.
OTHER_WORDS = {
    "app-of-itself", "err-recovers", "err-repo-missing", "err-sync-on-comparison-error", "heal-role-rules",
    "immutable-configmap", "order-kinds", "tracking-cluster-scoped", "tracking-takeover",
}  # fmt: skip
# Where Argo CD goes on telling Synced after a sync of local manifests, we compare with Git at once.
BETTER = {"op-manifests"}


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_statuses_and_objects_are_those_of_argo_cd(real_programs: None, shared: Path) -> None:
    names = {path.stem for path in (FOLDER / "scenarios").glob("*.yaml")} - OTHER_WORDS - BETTER
    assert len(names) >= 80
    done = play("--only", *sorted(names))
    told = [line for line in done.stdout.splitlines() if not line.startswith("ok ")]
    assert done.stdout.splitlines()[-1] == f"{len(names)} ok, 0 not", "\n".join(told)[-4000:]
