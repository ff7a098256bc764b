"""Plays the scenarios recorded on Argo CD (../shared/conformance/argocd) against `kilde up` on a real control plane.

python tests/scenarios/argocd.py                  # all of them
python tests/scenarios/argocd.py --only 'hook-*'  # some; further words go to the runner
"""

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools"), str(ROOT / "src")]

from build_real import where  # noqa: E402

from kilde import crds  # noqa: E402
from kilde.adapters.clock import SystemClock  # noqa: E402
from kilde.adapters.cluster import kubeconfig  # noqa: E402
from kilde.adapters.cluster.client import KubeCluster  # noqa: E402
from kilde.ports.cluster import Resource  # noqa: E402
from real.control_plane import control_plane  # noqa: E402

FOLDER = ROOT.parent / "shared" / "conformance" / "argocd"
CONTROLLERS = ("namespace-controller", "garbage-collector-controller", "serviceaccount-controller",
               "clusterrole-aggregation-controller")  # fmt: skip
_AS_ARGO_CD = "--deletion-budget off --fleet-deletion-budget off --on-degraded off"  # it has neither
_DEFINITION = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)


async def _install(config: Path) -> None:
    clock = SystemClock()
    client = KubeCluster(kubeconfig.load([config], clock), clock)
    try:
        for definition in crds.definitions():
            await client.apply(_DEFINITION, definition, manager="tester")
    finally:
        await client.close()


def play(*words: str, jobs: int = 6) -> subprocess.CompletedProcess[str]:
    """Runs the runner of the recorded scenarios; its output is what came of each."""
    with tempfile.TemporaryDirectory(prefix="kilde-scenarios-") as name:
        folder = Path(name)
        with control_plane(folder / "plane", only=CONTROLLERS) as plane:
            asyncio.run(_install(plane.kubeconfig))
            up = (
                f'exec {sys.executable} -m kilde up --data-dir "$(mktemp -d -p {folder})" --listen 127.0.0.1:0 '
                f'--kubeconfig "$KUBECONFIG" {_AS_ARGO_CD}'
            )
            command = [sys.executable, str(FOLDER / "run.py"), "--kubeconfig", str(plane.kubeconfig),
                       "--git-dir", str(folder / "git"), "--controller-cmd", f"sh -c {shlex.quote(up)}",
                       "--expect", str(FOLDER / "expected"), "--skip", "writes", "events", "managers",
                       "--jobs", str(jobs), *words]  # fmt: skip
            return subprocess.run(
                command,
                capture_output=True,
                text=True,
                cwd=folder,
                check=False,
                env={**os.environ, "KILDE_HELM_COMMAND": str(where("helm"))},
            )


if __name__ == "__main__":
    done = play(*sys.argv[1:])
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    sys.exit(done.returncode)
