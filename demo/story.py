"""The main job, told step by step on a terminal: real git, real kubectl, the embedded cluster, and nothing faked.

    python demo/story.py [--keep]

Runs in a folder of its own, ends by itself, and leaves with exit code 1 if any step does not happen.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from theatre import BIN, Stage, Teller, until

PRODUCTION = "hello-production"


def is_well(stage: Stage, name: str, sha: str = "") -> bool:
    status = stage.application(name).get("status") or {}
    sync, health = status.get("sync") or {}, status.get("health") or {}
    right = not sha or sync.get("revision") == sha
    return right and (sync.get("status"), health.get("status")) == ("Synced", "Healthy")


def replicas(stage: Stage) -> str:
    place = ("-n", "hello-production", "hello")
    return stage.kubectl("get", "deploy", *place, "-o", "jsonpath={.spec.replicas}", show=False)


def play(stage: Stage) -> None:
    """The story."""
    tell = stage.tell
    begin_repository(stage)
    tell.chapter("A cluster in the box, and a controller")
    begun = time.monotonic()
    with stage.up():
        tell.happened("an embedded Kubernetes API and the controller are up", time.monotonic() - begun)
        deploy(stage)
        scale_by_commit(stage)
        seal_a_secret(stage)
        undo_a_hand_edit(stage)
        refuse_a_hand(stage)
        prune_by_commit(stage)
        hold_a_mass_deletion(stage)
        refuse_a_bad_commit(stage)
        roll_back(stage)
        verify(stage)
        export(stage)
    tell.chapter("The end")
    tell.happened("stopped cleanly; everything it knew is in Git, in the cluster and in the ledger")


def begin_repository(stage: Stage) -> None:
    stage.tell.chapter("A config repository, apart from the applications'")
    begun = time.monotonic()
    stage.run("git", "init", "-q", "--bare", "-b", "main", str(stage.server))
    stage.run(
        "kilde", "init", str(stage.repo), "--repo-url", stage.url, show=f"kilde init {stage.repo.name} --repo-url …"
    )
    stage.run("git", "-C", str(stage.repo), "remote", "add", "origin", stage.url)
    stage.run("git", "-C", str(stage.repo), "push", "-q", "origin", "main", show="git push origin main")
    stage.tell.happened("made, committed and pushed", time.monotonic() - begun)
    stage.tell.says(stage.run("git", "-C", str(stage.repo), "ls-files"))


def deploy(stage: Stage) -> None:
    stage.tell.chapter("Applications are created: unchanged Argo CD manifests")
    begun = time.monotonic()
    stage.tell.does(f"kubectl apply -f {stage.repo.name}/argocd-apps/")
    stage.tell.says(stage.kubectl("apply", "-f", str(stage.repo / "argocd-apps"), show=False))
    names = stage.kubectl("get", "-n", "argocd", "app", "-o", "name", show=False).split()
    for name in [n.partition("/")[2] for n in names]:
        until(f"{name} Synced and Healthy", lambda name=name: is_well(stage, name))
    stage.tell.happened("all Synced and Healthy", time.monotonic() - begun)
    stage.tell.says(stage.kilde("app", "list"))


def scale_by_commit(stage: Stage) -> None:
    stage.tell.chapter("A commit scales production")
    overlay = stage.repo / "apps/overlays/production/kustomization.yaml"
    overlay.write_text(overlay.read_text().replace("count: 3", "count: 5"))
    begun = time.monotonic()
    stage.commit("Scale production to five")
    until("five replicas wanted", lambda: replicas(stage) == "5")
    stage.tell.happened("push → the Deployment has 5 replicas", time.monotonic() - begun)


PASSWORD = "correct horse battery staple"
SECRET = f"""apiVersion: v1
kind: Secret
metadata: {{name: db, namespace: hello-production}}
stringData: {{password: {PASSWORD}}}
"""
VARIABLE = "      - name: web\n        env:\n        - {name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}\n"


def seal_a_secret(stage: Stage) -> None:
    tell, overlay = stage.tell, stage.repo / "apps/overlays/production"
    tell.chapter("A password goes through Git, sealed")
    until("production well", lambda: is_well(stage, PRODUCTION))
    show = "kilde seal -o yaml < secret.yaml > apps/overlays/production/db.yaml"
    sealed = stage.run("kilde", "seal", "-o", "yaml", stdin=SECRET, show=show)
    (overlay / "db.yaml").write_text(sealed)
    tell.says("\n".join(f"{line[:90]}…" if len(line) > 90 else line for line in sealed.splitlines()[:10]))
    kustomization, patch = overlay / "kustomization.yaml", overlay / "resources.yaml"
    kustomization.write_text(kustomization.read_text().replace("- ../../base\n", "- ../../base\n- db.yaml\n"))
    patch.write_text(patch.read_text().replace("      - name: web\n", VARIABLE))
    begun = time.monotonic()
    sha = stage.commit("Give production its password")
    until("production well with its password", lambda: is_well(stage, PRODUCTION, sha))
    tell.happened("push → opened in the cluster; pods that need the password run", time.monotonic() - begun)
    place = ("-n", "hello-production", "-o")
    held = stage.kubectl("get", "secret", "db", *place, "go-template={{ .data.password | base64decode }}")
    history = stage.run("git", "-C", str(stage.repo), "log", "-p", "--all")
    if held != PASSWORD or PASSWORD in history:
        raise SystemExit(f"the password is not where it belongs: {held!r}")
    tell.happened("the Secret holds the password; Git, in its whole history, only the ciphertext")
    ready = stage.kubectl("get", "deploy", "hello", *place, "jsonpath={.status.readyReplicas}", show=False)
    tell.happened(f"{ready} pods run with PASSWORD from it")


def undo_a_hand_edit(stage: Stage) -> None:
    stage.tell.chapter("Somebody edits production by hand")
    until("production well", lambda: is_well(stage, PRODUCTION))
    stage.kubectl("scale", "-n", "hello-production", "deployment/hello", "--replicas=1")
    begun = time.monotonic()
    until("five replicas again", lambda: replicas(stage) == "5")
    stage.tell.happened("undone before the next look", time.monotonic() - begun)
    until("the heal is on record", lambda: heals(stage))
    heal = heals(stage)[0]
    took = _seconds(heal["closed_at"]) - _seconds(heal["opened_at"])
    who = " and ".join(heal["changed_by"]) or "somebody"
    stage.tell.happened(f"the ledger says: {', '.join(heal['fields'])} was changed by {who}; put back", took)


def refuse_a_hand(stage: Stage) -> None:
    tell, place = stage.tell, ("-n", "hello-production", "deployment/hello")
    tell.chapter("The guard: a hand is refused, and the glass can be broken")
    stage.kilde("guard", "install")
    show = "kubectl delete namespace hello-production"

    def refusal(*options: str) -> str:
        command = [str(BIN / "kubectl"), "delete", "namespace", "hello-production", *options]
        done = subprocess.run(command, env=stage.env, capture_output=True, text=True)
        return done.stderr.partition("denied request: ")[2]

    until("the guard at work", lambda: refusal("--dry-run=server"))
    tell.does(show)
    tell.says(refusal())
    tell.happened("the accident that began all this is refused")
    until("production well", lambda: is_well(stage, PRODUCTION))
    opened = stage.kilde("guard", "open", "--reason", "orders fail", "--for", "10m", "--app", PRODUCTION)
    tell.says(opened)
    stage.kubectl("scale", *place, "--replicas=2")
    stage.kilde("guard", "close")
    begun = time.monotonic()
    until("five replicas again", lambda: replicas(stage) == "5")
    tell.happened("the window is shut, and production is as Git has it", time.monotonic() - begun)

    def window() -> dict[str, Any] | None:
        log = json.loads(stage.kilde("ledger", "log", "-o", "json", show=False))
        return next((one for one in log if one["cause"].startswith("the guard was opened") and one["closed_at"]), None)

    until("the window is on record", window)
    found = window() or {}
    changed = ", ".join(str(one["object"]) for one in found["written"])
    tell.happened(f"the ledger says: {found['asked_by']}: {found['cause']}; changed by hand: {changed}")


def heals(stage: Stage) -> list[dict[str, Any]]:
    """Heals of the replicas, the newest first."""
    found = json.loads(stage.kilde("ledger", "log", "-o", "json", show=False))
    return [one for one in found if "spec.replicas" in one["fields"] and one["closed_at"]]


def prune_by_commit(stage: Stage) -> None:
    stage.tell.chapter("A file is removed from Git: its objects go, and nothing else")
    (stage.repo / "cluster-config/roles.yaml").unlink()
    begun = time.monotonic()
    stage.commit("Take the developers' role away")
    roles = ("get", "clusterrole,clusterrolebinding", "-o", "name")
    until("the role pruned", lambda: "/developer" not in stage.kubectl(*roles, show=False))
    stage.tell.happened("clusterrole/developer and clusterrolebinding/developers pruned", time.monotonic() - begun)


def hold_a_mass_deletion(stage: Stage) -> None:
    tell, name, file = stage.tell, "cluster-config", stage.repo / "cluster-config/parts.yaml"
    tell.chapter("A commit that deletes too much is held, released by a person, and undone")
    file.write_text("---\n".join(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: part-{n}}}\n" for n in range(8)))
    sha = stage.commit("Add eight parts")
    until("the parts deployed", lambda: is_well(stage, name, sha))
    file.unlink()
    begun = time.monotonic()
    stage.commit("Take all of them away")
    until("held", lambda: "would be" in stage.kilde("app", "approve", name, codes=(0, 1), show=False))
    tell.happened("held, and nothing was deleted:", time.monotonic() - begun)
    tell.says(held := stage.kilde("app", "approve", name, codes=(1,)))
    stage.kilde("app", "approve", name, "--plan", held.partition("--plan ")[2][:12])
    until("the parts pruned", lambda: "part-" not in stage.kubectl("get", "configmap", "-o", "name", show=False))
    tell.happened("approved, and gone; the ledger has who approved what")
    tell.says(stage.kilde("app", "undo", name))
    tell.happened("put back; they stay until Git has them again")


def refuse_a_bad_commit(stage: Stage) -> None:
    stage.tell.chapter("A bad commit is refused; the cluster keeps its last good state")
    patch = stage.repo / "apps/overlays/production/resources.yaml"
    patch.write_text(patch.read_text().replace("containers:", "containers: [oops"))
    begun = time.monotonic()
    stage.commit("Break the patch")

    def condition() -> str:
        conditions = (stage.application(PRODUCTION).get("status") or {}).get("conditions") or []
        return next((c["message"] for c in conditions if c["type"] == "ComparisonError"), "")

    until("the commit refused", condition)
    stage.tell.happened("refused, with file and line:", time.monotonic() - begun)
    stage.tell.says(condition())
    stage.tell.happened(f"production still has {replicas(stage)} replicas")


def roll_back(stage: Stage) -> None:
    stage.tell.chapter("A rollback is a commit: Git stays the truth")
    begun = time.monotonic()
    stage.tell.says(stage.kilde("app", "rollback", PRODUCTION, "--reason", "the patch is broken"))
    stage.run("git", "-C", str(stage.repo), "pull", "-q", "--ff-only", "origin", "main", show="git pull")
    sha = stage.pushed()
    until("production well again", lambda: is_well(stage, PRODUCTION, sha))
    stage.tell.happened("reverted, Synced and Healthy", time.monotonic() - begun)
    stage.tell.says(stage.run("git", "-C", str(stage.repo), "log", "--oneline", show="git log --oneline"))


def verify(stage: Stage) -> None:
    stage.tell.chapter("The ledger proves it")
    begun = time.monotonic()
    stage.tell.says(stage.kilde("ledger", "verify"))
    stage.tell.happened("every record in its place", time.monotonic() - begun)


def export(stage: Stage) -> None:
    tell, archive = stage.tell, stage.folder / "audit.zip"
    tell.chapter("An auditor takes it away")
    tell.says(stage.kilde("ledger", "export", "--out", str(archive)))
    checker, name = stage.folder / "audit" / "verify.py", archive.name
    stage.run(
        "python3", "-m", "zipfile", "-e", str(archive), str(checker.parent), show=f"python3 -m zipfile -e {name} audit"
    )
    begun = time.monotonic()
    said = stage.run("python3", "-I", str(checker), str(archive), show=f"python3 audit/verify.py {name}")
    tell.says(said)
    tell.happened("checked without Kilde, with nothing but the archive", time.monotonic() - begun)
    content = bytearray(archive.read_bytes())
    at = content.index(b'"phase":"Succeeded"') + 9
    content[at] ^= 1
    archive.write_bytes(content)
    tell.happened(f"one bit of byte {at} of {len(content)} is changed")
    show = f"python3 audit/verify.py {name}"
    said = stage.run("python3", "-I", str(checker), str(archive), show=show, codes=(1,))
    found = [line for line in said.splitlines() if line.startswith(("WRONG: records.txt: record", "NOT INTACT"))]
    if len(found) < 2:
        raise SystemExit(f"the changed byte was not found:\n{said}")
    tell.says("\n".join(found))
    tell.happened("found, and the record named")


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the folder there to look at")
    keep = parser.parse_args().keep
    folder = Path(tempfile.mkdtemp(prefix="kilde-demo-"))
    begun = time.monotonic()
    try:
        teller = Teller()
        play(Stage(folder, teller))
        teller.happened("the whole story", time.monotonic() - begun)
    finally:
        if keep:
            print(f"\nleft in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
