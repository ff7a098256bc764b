"""Puts up the final states of the scenarios recorded on Argo CD, with what it said of them, and looks at them in its shadow.

Nothing is played: Git, objects and statuses are those of the recordings, as if Argo CD had deployed them and stood still.

python tests/scenarios/shadow.py             # all of them
python tests/scenarios/shadow.py --embedded  # on the embedded API; further words name some of them
"""

import asyncio
import copy
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools"), str(ROOT / "src")]

from build_real import where  # noqa: E402

from e2e.recording import recorded  # noqa: E402
from scenarios.argocd import FOLDER, embedded, install, real  # noqa: E402

T = TypeVar("T")
_SPACE = "argocd"
_BY_CLUSTER = ("nodePort", "ownerReferences", "managers")  # what the cluster fills in, or the recording notes
_NOTED = re.compile(r"<commit([78]?):(?:(\d+):)?(\d+)>")
_APPLICATION = f"/apis/argoproj.io/v1alpha1/namespaces/{_SPACE}/applications"
_MERGE = "application/merge-patch+json"


def runner() -> ModuleType:
    """The recordings' own runner: it makes repositories and knows what a scenario's words mean."""
    spec = importlib.util.spec_from_file_location("scenario_runner", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Recording:
    """One scenario's end."""

    def __init__(self, scenario: Any, final: dict[str, Any]) -> None:
        self.scenario, self.final, self.api = scenario, final, scenario.api

    def put_up(self) -> None:
        steps = self.scenario.s.get("steps") or []
        commits = [*(self.scenario.s.get("git") or ()), *(one["commit"] for one in steps if "commit" in one)]
        for commit in copy.deepcopy(commits):
            self.scenario.do_commit(commit, None, 0)
        for project in self.scenario.s.get("projects") or ():
            self.scenario.put(project)
        there = {name: self._real(body) for name, body in self.final["objects"].items() if body is not None}
        for body in sorted(there.values(), key=_first):
            self._create(body)
        for one in steps:
            if "status" in one and self._is_there(one["status"]):
                self.scenario.do_status(one["status"], None, 5)
        for app in self.scenario.s.get("applications") or ():
            name = self.scenario.sub(app["metadata"]["name"])
            if self.final["applications"].get(name) is not None:
                self._tell(app, name, self._real(self.final["applications"][name]))
        for one in steps:
            if "patch" in one and one["patch"]["target"].startswith("Application/"):
                self.scenario.do_patch(copy.deepcopy(one["patch"]), None, 0)

    def _tell(self, app: dict[str, Any], name: str, told: dict[str, Any]) -> None:
        """The Application as its author wrote it, with what Argo CD has put into it."""
        self.scenario.put(copy.deepcopy(app))
        meta = {
            key: told["metadata"][key] for key in ("annotations", "labels", "finalizers") if key in told["metadata"]
        }
        self.api.call("PATCH", f"{_APPLICATION}/{name}", {"metadata": meta, "status": told["status"]}, _MERGE)

    def _is_there(self, status: dict[str, Any]) -> bool:
        return "prefix" not in status and self.scenario.get(status["target"]) is not None

    def _create(self, body: dict[str, Any]) -> None:
        """As it was found, by whom it was made; what was being deleted is deleted."""
        meta, status = body["metadata"], body.pop("status", None)
        going = meta.pop("deletionTimestamp", None)
        manager = "argocd-controller" if "tracking-id" in str(meta.get("annotations")) else "tester"
        path = patiently(lambda: self._served(body))
        how = "" if self.api.call("GET", f"{path}/{meta['name']}", ok404=True) is None else f"/{meta['name']}"
        way = ("PATCH", f"{path}{how}?fieldManager={manager}", body, _MERGE)
        patiently(lambda: self.api.call(*(way if how else ("POST", f"{path}?fieldManager={manager}", body))))
        if status:
            self.api.call("PATCH", f"{path}/{meta['name']}/status", {"status": status}, _MERGE, ok404=True)
        if going:
            self.api.call("DELETE", f"{path}/{meta['name']}")

    def _served(self, body: dict[str, Any]) -> str:
        kind = (body["apiVersion"], body["kind"])
        path = self.api.path(*kind, body["metadata"].get("namespace"))
        if path is None:
            self.api.res.pop(kind, None)
            raise LookupError(kind)
        return str(path)

    def _real(self, value: Any) -> Any:
        """A recorded value, with what the recording has taken out of it."""
        if isinstance(value, dict):
            kept = {key: one for key, one in value.items() if key not in _BY_CLUSTER and one not in ("<any>", "<uid>")}
            return {self._real(key): self._real(one) for key, one in kept.items()}
        if isinstance(value, list):
            return [self._real(one) for one in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        def commit(found: re.Match[str]) -> str:
            shas = self.scenario.gits[int(found[2] or 1) - 1].shas
            return str(shas[int(found[3])][: int(found[1] or 40)])

        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for word, real_one in (("<time>", now), ("<unix>", "1700000000"), ("<n>", "abcde"), ("<uuid>", "")):
            text = text.replace(word, real_one)
        return str(self.scenario.sub(_NOTED.sub(commit, text)))


def patiently(do: Callable[[], T]) -> T:
    """What it gives as soon as the kind that it is about is served: a definition may just have been made."""
    end = time.monotonic() + 30
    while True:
        try:
            return do()
        except Exception as error:
            if time.monotonic() > end or (getattr(error, "code", None) != 404 and not isinstance(error, LookupError)):
                raise
        time.sleep(0.1)


def _first(body: dict[str, Any]) -> tuple[bool, str]:
    """Namespaces and definitions come before what is in them."""
    return body["kind"] not in ("Namespace", "CustomResourceDefinition"), body["metadata"]["name"]


def shadowed(only: Iterable[str] = (), *, on_embedded: bool = False) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What the shadow says of each Application, and every write that it sent."""
    run, verdicts, writes = runner(), {}, []
    specs, expected = run.load(FOLDER / "scenarios"), run.load(FOLDER / "expected")
    names = set(only) or set(specs)
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        groups.setdefault(json.dumps(specs[name].get("settings") or {}), []).append(name)
    with tempfile.TemporaryDirectory(prefix="kilde-shadow-") as made:
        folder = Path(made)
        with (embedded if on_embedded else real)(folder / "plane") as config:
            asyncio.run(install(config))
            api = run.Api(str(config))
            ctx = SimpleNamespace(api=api, gitdir=str(folder / "git"), argons=_SPACE, proxy=None, settle=1, timeout=30)
            for settings, group in sorted(groups.items(), reverse=True):
                patiently(lambda: run.ensure_base(api, _SPACE, json.loads(settings)))  # noqa: B023
                for name in group:
                    Recording(run.Scenario(specs[name], ctx), expected[name]["snapshots"]["final"]).put_up()
                seen, sent = _look(config, folder)
                verdicts.update({one["name"]: one for one in seen["applications"]})
                writes += sent
                api.call("DELETE", _APPLICATION)
    return verdicts, writes


def _look(config: Path, folder: Path) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    with recorded(config, folder) as recorder:
        words = [
            "migrate",
            "argocd",
            "--shadow",
            "--for",
            "3s",
            "--kubeconfig",
            str(recorder.kubeconfig),
            "--namespace",
            _SPACE,
        ]
        words += ["--raw-secrets", "allow", "--data-dir", str(folder / "data"), "-o", "json"]
        done = subprocess.run(
            [sys.executable, "-m", "kilde", *words],
            capture_output=True,
            text=True,
            env={**os.environ, "KILDE_HELM_COMMAND": str(where("helm"))},
        )
        assert done.returncode in (0, 1), done.stderr[-3000:]
        return json.loads(done.stdout), recorder.writes


def unlike(verdict: dict[str, Any]) -> list[str]:
    """What the shadow says otherwise, in words."""
    found = [f"{one['name']}: Argo CD {one['theirs']}, Kilde {one['ours']}"
             for one in verdict["fields"] if one["theirs"] != one["ours"]]  # fmt: skip
    return found + ([f"not compared: {verdict['silent']}"] if verdict["silent"] else [])


if __name__ == "__main__":
    found, sent = shadowed(
        [word for word in sys.argv[1:] if word != "--embedded"], on_embedded="--embedded" in sys.argv
    )
    said = {name: unlike(verdict) for name, verdict in sorted(found.items())}
    print(json.dumps({"agree": [name for name in said if not said[name]], "writes": sent,
                      "differ": {name: told for name, told in said.items() if told}}, indent=1))  # fmt: skip
