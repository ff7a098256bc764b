"""Plays the scenarios recorded on Argo CD (../shared/conformance/argocd) against `kilde up`, on a real control plane or the embedded API.

python tests/scenarios/argocd.py                             # all of them
python tests/scenarios/argocd.py --embedded --only 'hook-*'  # some, on the embedded API; further words go to the runner
"""

import asyncio
import contextlib
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools"), str(ROOT / "src")]

from build_real import where  # noqa: E402

from kilde import crds  # noqa: E402
from kilde.adapters.clock import SystemClock  # noqa: E402
from kilde.adapters.cluster import kubeconfig  # noqa: E402
from kilde.adapters.cluster.client import KubeCluster  # noqa: E402
from kilde.ports.cluster import Resource  # noqa: E402
from real.certificates import Authority  # noqa: E402
from real.control_plane import control_plane  # noqa: E402
from warm.program import warm_kilde  # noqa: E402

FOLDER = ROOT.parent / "shared" / "conformance" / "argocd"
CONTROLLERS = ("namespace-controller", "garbage-collector-controller", "serviceaccount-controller",
               "clusterrole-aggregation-controller")  # fmt: skip
_AS_ARGO_CD = "--deletion-budget off --fleet-deletion-budget off --on-degraded off"  # it has neither
_DEFINITION = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)


async def install(config: Path) -> None:
    clock = SystemClock()
    client = KubeCluster(kubeconfig.load([config], clock), clock)
    try:
        for definition in crds.definitions():
            await client.apply(_DEFINITION, definition, manager="tester")
    finally:
        await client.close()


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[Path]:
    """The embedded API without what moves in it, and the same real controllers as beside the real one; its kubeconfig."""
    folder.mkdir()
    config, tokens = folder / "kubeconfig", Authority(folder).signing_key("tokens")
    serve = [sys.executable, "-m", "kilde", "cluster", "--data-dir", str(folder / "state"), "--controllers", "off",
             "--kubeconfig-out", str(config)]  # fmt: skip
    manage = [str(where("kube-controller-manager")), f"--kubeconfig={config}", "--leader-elect=false", "--secure-port=0",
              f"--service-account-private-key-file={tokens[0]}", f"--controllers={','.join(CONTROLLERS)}"]  # fmt: skip
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((folder / "log").open("wb"))
        for command in (serve, manage):
            process = subprocess.Popen(command, stdout=subprocess.PIPE if command is serve else log, stderr=log)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            if process.stdout is not None:
                assert process.stdout.readline() == b"ready\n", (folder / "log").read_text()
        yield config


@contextlib.contextmanager
def real(folder: Path) -> Iterator[Path]:
    """A real control plane; its kubeconfig."""
    with control_plane(folder, only=CONTROLLERS) as plane:
        yield plane.kubeconfig


def play(*words: str, jobs: int = 6, on_embedded: bool = False) -> subprocess.CompletedProcess[str]:
    """Runs the runner of the recorded scenarios; its output is what came of each."""
    with tempfile.TemporaryDirectory(prefix="kilde-scenarios-") as name:
        folder = Path(name)
        with (embedded if on_embedded else real)(folder / "plane") as config:
            asyncio.run(install(config))
            up = (
                f'exec {warm_kilde()} up --data-dir "$(mktemp -d -p {folder})" --listen 127.0.0.1:0 '
                f'--kubeconfig "$KUBECONFIG" {_AS_ARGO_CD}'
            )
            command = [sys.executable, str(FOLDER / "run.py"), "--kubeconfig", str(config),
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
    words = [word for word in sys.argv[1:] if word != "--embedded"]
    done = play(*words, on_embedded="--embedded" in sys.argv)
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    sys.exit(done.returncode)
