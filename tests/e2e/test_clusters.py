"""Several clusters as people have them: clusters side by side, one killed and one that swallows everything, and nothing secret told."""

import json
import os
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from e2e.clusters import Cluster, clusters, secret
from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CANARY = "c4nary-token-5ecret"


def program(folder: Path, config: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    """One that prints a cluster's token, as a cloud's do; and the `config` of a Secret that has it run."""
    version = "client.authentication.k8s.io/v1"
    said = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": config["bearerToken"]}}
    (folder / "said.json").write_text(json.dumps(said))
    made = folder / "opens-the-west"
    made.write_text(f'#!/bin/sh\ntest "$WHO" = kilde && cat {folder}/said.json\n')
    made.chmod(0o700)
    asked = {"command": str(made), "apiVersion": version, "env": {"WHO": "kilde"}}
    return made, {"execProviderConfig": asked, "tlsClientConfig": {"caData": config["tlsClientConfig"]["caData"]}}


def config_map(value: str) -> dict[str, str | None]:
    return {
        "app/settings.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{k: '{value}'}}\n"
    }


def metrics(stage: Stage) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{stage.listen}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def test_clusters_side_by_side_outlive_each_other(stage: Stage, tmp_path: Path) -> None:
    space = f"{stage.space}-shop"[-60:].lstrip("-")
    first = {name: str(text) for name, text in config_map("1").items()}
    with clusters(tmp_path, "east", "west") as (east, west):
        stage.create_repository(first)
        server, config = west.way_in()
        opens, by_program = program(tmp_path, config)
        stage.options = ("--cluster-exec", str(opens))
        stage.start()
        secret(stage, "east", *east.way_in())
        secret(stage, "west", server, by_program)
        secret(stage, "south", "https://127.0.0.1:9", {"bearerToken": CANARY, "password": CANARY})
        for name in ("east", "west", "south"):
            stage.application(f"in-{name}", "app", space, destination={"name": name, "namespace": space})
        stage.application("at-home", "app", space)
        names = ("in-east", "in-west", "at-home")
        stage.until(lambda: all(stage.is_well(name) for name in names), "all in step")
        stage.until(lambda: "south (" in str(stage.conditions("in-south")), "the one that is not there says so")
        words = "cannot connect to https://127.0.0.1:9: Connection refused"
        assert stage.conditions("in-south") == [
            f"ComparisonError: Failed to load live state: cluster south (https://127.0.0.1:9): {words}"
        ]
        assert (east.data(space), west.data(space)) == ("1", "1")
        west.kubectl("patch", "configmap", "settings", "-n", space, "--type=merge", "-p", '{"data": {"k": "by hand"}}')
        stage.until(lambda: west.data(space) == "1", "healed in the west")
        if stage.config is None:
            os.kill(east.process.pid, signal.SIGSTOP)  # takes connections and never answers
        west.process.kill()
        stage.commit(config_map("2"))
        stage.push()
        stage.until(lambda: stage.is_well("at-home", stage.git("rev-parse", "HEAD").strip()), "home goes on")
        stage.until(lambda: (stage.status("in-west").get("sync") or {}).get("status") == "Unknown", "the west says so")
        if stage.config is None:
            stage.until(
                lambda: (stage.status("in-east").get("sync") or {}).get("status") == "Unknown", "so does the east"
            )
            os.kill(east.process.pid, signal.SIGCONT)
        stage.until(lambda: east.data(space) == "2" and stage.is_well("in-east"), "the east is back")
        up = {line for line in metrics(stage).splitlines() if line.startswith("kilde_cluster_up")}
        assert {line.rpartition(" ")[2] for line in up if 'name="west"' in line or 'name="south"' in line} == {"0.0"}
        assert stage.kilde("app", "diff", "in-east", codes=(0,)) is not None
        planned = stage.said("plan", "in-east", "in-west")
        assert "in-west" in planned.stdout
        told = [stage.log(), metrics(stage), stage.kilde("ledger", "log", "-o", "json"), planned.stdout, planned.stderr]
        told += [stage.kubectl("get", "applications,events", "-n", stage.space, "-o", "yaml")]
        keys = [CANARY, *(part for one in (east, west) for part in _secrets(one))]
        assert [key[:12] for key in keys for text in told if key in text] == []


def _secrets(cluster: Cluster) -> list[str]:
    _, config = cluster.way_in()
    return [one for one in (config["bearerToken"], config["tlsClientConfig"].get("keyData", "")) if one]
