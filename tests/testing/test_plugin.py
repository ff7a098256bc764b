"""The pytest plugin, as a project of somebody else uses it: pytest runs in a process of its own, on files that are not ours."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.29"}]}
"""
Pytest = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path) -> Pytest:
    """Writes a test (and a conftest), runs pytest there: exit code and output."""
    (tmp_path / "web.yaml").write_text(WEB)

    def go(test: str, *words: str, conftest: str = "", path: str = os.environ["PATH"]) -> tuple[int, str]:
        (tmp_path / "test_it.py").write_text(test)
        (tmp_path / "conftest.py").write_text(conftest)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *words],
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "PATH": path, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        left = [child.name for child in tmp_path.iterdir() if child.name.startswith("kilde-test-")]
        assert left == []
        return done.returncode, done.stdout + done.stderr

    return go


def passed(run: Pytest, test: str, count: int = 1, **more: str) -> None:
    code, told = run(test, **more)
    assert (code, f"{count} passed" in told) == (0, True), told


def test_a_test_is_five_lines(run: Pytest) -> None:
    passed(
        run,
        "def test_web(apply, wait_for, kubectl):\n"
        "    apply('web.yaml')\n"
        "    wait_for('deployment/web')\n"
        "    assert kubectl('get', 'pods', '-o', 'name').count('pod/web-') == 2\n",
    )


def test_tests_do_not_see_each_other(run: Pytest) -> None:
    test = (
        "import pytest\n"
        "@pytest.mark.parametrize('number', [1, 2, 3])\n"
        "def test_alone(number, apply, wait_for, kubectl, kilde_cluster, kilde_namespace, simulate):\n"
        "    assert kubectl('get', 'deployments', '-o', 'name') == ''\n"
        "    assert kilde_cluster.all('simulationrules') == []\n"
        "    simulate({'readyDelay': '1h'})\n"
        "    kilde_cluster.fault(status=503, match={'resources': ['nodes']})\n"
        "    apply('web.yaml')\n"
        "    assert kilde_cluster.get('deploy/web', kilde_namespace)['metadata']['namespace'] == kilde_namespace\n"
        "    assert kilde_cluster.get('deploy/web') is None\n"
        "def test_after(kubectl):\n"
        "    kubectl('get', 'nodes')\n"
    )
    passed(run, test, 4)


def test_what_can_be_applied(run: Pytest, tmp_path: Path) -> None:
    (tmp_path / "kust").mkdir()
    (tmp_path / "kust/kustomization.yaml").write_text("namespace: elsewhere\nnamePrefix: my-\nresources: [web.yaml]\n")
    (tmp_path / "kust/web.yaml").write_text(WEB)
    crd = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.org}\n"
        "spec:\n  group: example.org\n  scope: Namespaced\n  names: {kind: Widget, plural: widgets}\n  versions:\n"
        "  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}\n"
    )
    test = (
        "from pathlib import Path\n"
        f"CRD = {crd!r}\n"
        "def test_kinds(apply, wait_for, kilde_cluster):\n"
        "    widget = {'apiVersion': 'example.org/v1', 'kind': 'Widget', 'metadata': {'name': 'w'}}\n"
        "    made = apply(widget, CRD, Path('web.yaml').absolute())\n"
        "    assert [one['kind'] for one in made] == ['CustomResourceDefinition', 'Deployment', 'Widget']\n"
        "    for one in apply('kust'):\n"
        "        wait_for(one)\n"
        "    assert kilde_cluster.get('deploy/my-web', 'elsewhere')\n"
        "def test_gone(kilde_cluster):\n"
        "    assert kilde_cluster.get('namespace/elsewhere') is None\n"
    )
    passed(run, test, 2)


def test_waiting_and_what_it_says_when_it_is_in_vain(run: Pytest) -> None:
    test = (
        "def test_it(apply, wait_for, kilde_cluster, kilde_namespace):\n"
        "    apply('web.yaml')\n"
        "    wait_for('deploy/web', 'exists')\n"
        "    wait_for('deploy/web', 'Available')\n"
        "    wait_for('deploy/web', lambda web: web['status']['readyReplicas'] == 2)\n"
        "    kilde_cluster.delete('deploy/web', kilde_namespace)\n"
        "    wait_for('deploy/web', 'gone')\n"
        "def test_vain(apply, wait_for, kubectl):\n"
        "    apply('web.yaml')\n"
        "    kubectl('set', 'image', 'deploy/web', 'web=web:missing')\n"
        "    wait_for('deployment/web', timeout=2)\n"
        "def test_nothing(wait_for):\n"
        "    wait_for('deployment/nothing', timeout=0.1)\n"
        "def test_no_kind(wait_for):\n"
        "    wait_for('gizmo/x')\n"
        "def test_no_name(wait_for):\n"
        "    wait_for('deployment')\n"
    )
    code, told = run(test)
    assert code == 1
    assert "1 passed" in told
    assert re.search(r"NotReached: deployment/web in test-vain-\w+ is not healthy after 2 s", told)
    assert "Progressing: Waiting for rollout to finish" in told
    assert 'Failed to pull image "web:missing"' in told
    assert re.search(r"deployment/nothing in \S+ is not healthy after 0.1 s: it is not there", told)
    assert 'the server doesn\'t have a resource type "gizmo"' in told
    assert "'deployment' is not kind/name" in told


def test_a_manifest_with_a_mistake_fails_the_test_in_the_servers_words(run: Pytest, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(WEB.replace("replicas: 2", "replicas: two"))
    code, told = run("def test_it(apply):\n    apply('web.yaml')\ndef test_absent(apply):\n    apply('nowhere.yaml')\n")
    assert code == 1
    assert "spec.replicas" in told
    assert "nowhere.yaml: no such file or folder" in told


CONFTEST = """\
import pytest
from kilde.testing.box import ClusterOptions

@pytest.fixture(scope="session")
def kilde_cluster_options():
    return ClusterOptions({options})
"""


def test_time_that_stands_still_moves_with_advance_and_with_waiting(run: Pytest) -> None:
    test = (
        "import time\n"
        "def test_it(apply, wait_for, simulate, advance, kubectl):\n"
        "    simulate({'readyDelay': '45m'}, kind='Deployment', name='web')\n"
        "    apply('web.yaml')\n"
        "    advance(44 * 60)\n"
        "    assert '0/2' in kubectl('get', 'deployment', 'web')\n"
        "    wait_for('deployment/web', timeout=120)\n"
    )
    passed(run, test, conftest=CONFTEST.format(options="clock='manual'"))


def test_the_clusters_options(run: Pytest) -> None:
    test = (
        "def test_it(kilde_cluster, apply):\n"
        "    assert len(kilde_cluster.all('nodes')) == 5\n"
        "    assert kilde_cluster.get('deploy/web')\n"
    )
    passed(run, test, conftest=CONFTEST.format(options="nodes=5, load=['web.yaml']"))


def test_a_cluster_that_does_not_start_says_why(run: Pytest) -> None:
    code, told = run("def test_it(kilde_namespace): ...\n", conftest=CONFTEST.format(options="load=['nowhere']"))
    assert code == 1
    assert "the cluster did not start:" in told
    assert "error: nowhere: no such file or folder" in told


def test_a_failing_kubectl_fails_the_test_unless_it_may(run: Pytest) -> None:
    test = (
        "from pathlib import Path\n"
        "def test_may(kubectl):\n"
        "    assert kubectl('get', 'pod', 'x', check=False) == ''\n"
        "    web = Path('web.yaml').read_text()\n"
        "    assert kubectl('apply', '-f', '-', stdin=web) == 'deployment.apps/web created\\n'\n"
        "def test_may_not(kubectl):\n"
        "    kubectl('get', 'pod', 'x')\n"
    )
    code, told = run(test)
    assert (code, "1 failed, 1 passed" in told) == (1, True)
    assert "AssertionError: kubectl get pod x ended with 1:" in told
    assert 'Error from server (NotFound): pods "x" not found' in told


def test_each_worker_of_xdist_has_a_cluster_of_its_own(run: Pytest) -> None:
    test = (
        "import pytest\n"
        "@pytest.mark.parametrize('n', range(4))\n"
        "def test_it(n, apply, wait_for):\n"
        "    apply('web.yaml')\n"
        "    wait_for('deployment/web')\n"
    )
    code, told = run(test, "-n", "2")
    assert (code, "4 passed" in told) == (0, True), told


def test_pytest_without_these_fixtures_pays_nothing(run: Pytest) -> None:
    test = "import sys\ndef test_it():\n    assert 'kilde.kubeapi' not in sys.modules\n    assert 'kilde.testing.box' not in sys.modules\n"
    passed(run, test)
