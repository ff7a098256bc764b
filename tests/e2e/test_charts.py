"""Where charts come from, on both clusters: an https repository, a registry, and a chart in Git that depends on others.

The repository and the registry ask for a password and have certificates of an authority of their own. One project's own Secret
opens the repository to that project alone, templates (`repo-creds`) open the registry to all.
"""

import base64
import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from build_real import where

from adapters.charts.servers import REGISTRY, Answers, answering, archive, chart, helm, index, registry
from e2e.stage import Stage
from real.certificates import Authority

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(REGISTRY is None, reason="no docker-registry (Debian's package docker-registry)"),
]
PASSWORDS = "ci:$2b$04$tkzGPTY693WKdCvC6DdEreRMiBRH1xuWCaNQfOl2pDxyj9/uo/0y.\n"  # hunter2
DEPENDING = """apiVersion: v2
name: whole
version: 0.1.0
dependencies:
- {{name: shop, version: ^1.0.0, repository: '{charts}'}}
- {{name: beside, version: 0.1.0, repository: 'file://../beside'}}
"""
GIT = {
    "whole/templates/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: whole}\n",
    "beside/Chart.yaml": "apiVersion: v2\nname: beside\nversion: 0.1.0\n",
    "beside/templates/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside}\n",
}


@dataclass
class Places:
    """The repository, its folder of archives, the registry, and whose certificates both have."""

    server: Answers
    folder: Path
    registry: str
    authority: str

    @property
    def charts(self) -> str:
        return self.server.url("/charts")


@pytest.fixture
def places(tmp_path: Path, real_programs: None) -> Iterator[Places]:
    folder, pushed = tmp_path / "charts", tmp_path / "registry"
    for one in (folder, pushed, tmp_path / "authority"):
        one.mkdir()
    authority = Authority(tmp_path / "authority")
    pair, ca = authority.serving("server", ["127.0.0.1"], ["localhost"]), authority.pair.certificate
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(answering(pair))
        server.wanted = "Basic " + base64.b64encode(b"ci:hunter2").decode()
        for version in ("1.0.0", "1.1.0", "2.0.0"):
            chart(folder, "shop", version)
        host = stack.enter_context(registry(pushed, pair, passwords=PASSWORDS))
        login = ("--username", "ci", "--password-stdin", "--ca-file", str(ca))
        helm("registry", "login", host, *login, home=pushed, stdin="hunter2")
        helm("push", str(chart(pushed, "bar", "3.1.4")), f"oci://{host}/team", "--ca-file", str(ca), home=pushed)
        index(server, folder)
        add_hostile(server)
        yield Places(server, folder, host, ca.read_text())


def add_hostile(server: Answers) -> None:
    """A chart with a path that leaves its folder."""
    content = archive({"evil/Chart.yaml": b"apiVersion: v2\nname: evil\nversion: 1.0.0\n", "evil/../../../evil": b"x"})
    server.pages["/charts/evil-1.0.0.tgz"] = content
    entry = f"{{name: evil, version: 1.0.0, digest: {hashlib.sha256(content).hexdigest()}, urls: [evil-1.0.0.tgz]}}"
    listed = server.pages["/charts/index.yaml"].decode().replace("entries:\n", f"entries:\n  evil:\n  - {entry}\n")
    server.pages["/charts/index.yaml"] = listed.encode()


def configure(stage: Stage, places: Places) -> None:
    """Argo CD's Secrets and ConfigMap, and two projects, of which one has the repository."""
    opens = {"username": "ci", "password": "hunter2"}
    secrets = {
        "charts": ("repository", {"type": "helm", "name": "stable", "url": places.charts, "project": "shop", **opens}),
        "registry": ("repo-creds", {"type": "helm", "url": places.registry, "enableOCI": "true", **opens}),
    }
    for name, (kind, data) in secrets.items():
        meta = {"name": name, "namespace": stage.space, "labels": {"argocd.argoproj.io/secret-type": kind}}
        apply(stage, "v1", "Secret", meta, stringData=data)
    trusted = {"name": "argocd-tls-certs-cm", "namespace": stage.space}
    apply(stage, "v1", "ConfigMap", trusted, data={"localhost": places.authority})
    for name in ("shop", "others"):
        spec = {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
        }
        apply(stage, "argoproj.io/v1alpha1", "AppProject", {"name": name, "namespace": stage.space}, spec=spec)


def apply(stage: Stage, version: str, kind: str, meta: dict[str, Any], **content: Any) -> None:
    body = {"apiVersion": version, "kind": kind, "metadata": meta, **content}
    stage.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(body))


def data(stage: Stage, name: str) -> dict[str, str]:
    found = stage.get("-n", space(stage, name.partition("/")[0]), "configmap", name.partition("/")[2]) or {}
    return dict(found.get("data") or {})


def space(stage: Stage, app: str) -> str:
    return f"{stage.space}-{app}"[-60:].lstrip("-")


def test_charts_come_from_repositories_registries_and_git(stage: Stage, places: Places) -> None:
    stage.options = ("--helm-command", str(where("helm4")), "--poll", "1s")
    stage.create_repository({**GIT, "whole/Chart.yaml": DEPENDING.format(charts=places.charts)})
    stage.start()
    configure(stage, places)
    repository = {"repoURL": places.charts, "chart": "shop", "targetRevision": "^1"}
    applications = {
        "ranged": {"source": {**repository, "helm": {"valuesObject": {"k": "ours"}}}, "project": "shop"},
        "oci": {"source": {"repoURL": f"{places.registry}/team", "chart": "bar", "targetRevision": "3.1.4"}},
        "whole": {"source": {"repoURL": stage.url, "path": "whole", "targetRevision": "main"}, "project": "shop"},
        "stranger": {"source": repository, "project": "others"},
        "evil": {"source": {**repository, "chart": "evil", "targetRevision": "1.0.0"}, "project": "shop"},
    }
    for name, spec in applications.items():
        stage.application(name, "", space(stage, name), **spec)
    for name in ("ranged", "oci", "whole"):
        stage.until(lambda name=name: stage.is_well(name), f"{name} is well")
    assert data(stage, "ranged/shop") == {"version": "1.1.0", "k": "ours"}
    assert stage.status("ranged")["sync"]["revision"] == "1.1.0"
    assert data(stage, "oci/bar") == {"version": "3.1.4", "k": "chart"}
    assert data(stage, "whole/shop") == {"version": "1.1.0", "k": "chart"}
    listed = sorted(one["name"] for one in stage.status("whole")["resources"])
    assert listed == ["beside", "shop", "whole"]

    stage.until(lambda: stage.conditions("stranger") and stage.conditions("evil"), "what cannot be had is told")
    assert "answers 401" in stage.conditions("stranger")[0]
    assert stage.conditions("evil") == [
        "ComparisonError: Failed to load target state: failed to generate manifest for source 1 of 1: "
        f"{places.charts}/evil 1.0.0: 'evil/../../../evil': a path in the archive leaves its folder"
    ]

    chart(places.folder, "shop", "1.2.0")
    index(places.server, places.folder)
    stage.until(lambda: data(stage, "ranged/shop").get("version") == "1.2.0", "the new version of the range")
    told = stage.log() + stage.kubectl("get", "applications,events", "-n", stage.space, "-o", "yaml")
    assert "hunter2" not in told
