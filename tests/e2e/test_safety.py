"""Held deletions, approvals and undo as people have them: the program, killed in between, on both clusters."""

import base64
import json
import signal
import subprocess

from e2e.stage import Stage
from kilde.core.plan.held import digest_in
from warm.program import warm_kilde

CANARY = "c4nary-5ecret-kept-for-undo"


def files(*names: str, **secrets: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in names:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": name}}
        found[f"shop/{name}.json"] = json.dumps(body)
    for name, value in secrets.items():
        data = {"p": base64.b64encode(value.encode()).decode()}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}
        found[f"shop/{name}.json"] = json.dumps(body)
    return found


def held(stage: Stage) -> str:
    return next((text for text in stage.conditions("shop") if text.startswith("DeletionHeldWarning: ")), "")


def there(stage: Stage, space: str) -> set[str]:
    found = stage.kubectl("get", "configmaps,secrets", "-n", space, "-o", "name").split()
    return {name.partition("/")[2] for name in found if "kube-root-ca" not in name}


def test_a_mass_deletion_is_held_through_a_crash_released_by_a_person_and_undone(stage: Stage) -> None:
    space = f"shop-{stage.space}"[:60].rstrip("-")
    many = [f"c{n}" for n in range(7)]
    stage.create_repository({"README.md": "much is deleted here"})
    stage.commit(files(*many, s=CANARY))
    stage.start()
    stage.application("shop", "shop", space)
    stage.until(lambda: stage.is_well("shop"), "deployed")
    everything = there(stage, space)
    assert everything == {*many, "s"}

    gone: dict[str, str | None] = {f"shop/{name}.json": None for name in (*many[1:], "s")}
    stage.commit({**gone, **files("new")})
    stage.push()
    stage.until(lambda: held(stage) and "new" in there(stage, space), "held, and the rest applied")
    digest = digest_in(held(stage))
    assert stage.stop(how=signal.SIGKILL) == -signal.SIGKILL
    stage.start()
    stage.commit({"README.md": "nothing of the shop"})
    stage.push()
    stage.until(lambda: stage.status("shop")["sync"]["revision"] == stage.git("rev-parse", "HEAD").strip(), "looked at")
    assert digest_in(held(stage)) == digest
    assert there(stage, space) == everything | {"new"}

    assert "held is not 0123456789ab" in failed(stage, "app", "approve", "shop", "--plan", "0123456789ab")
    assert stage.kilde("app", "approve", "shop", codes=(1,)).startswith("7 of 9 objects would be deleted")
    stage.kilde("app", "approve", "shop", "--plan", digest[:16])
    stage.until(lambda: there(stage, space) == {"c0", "new"} and stage.is_well("shop"), "pruned")
    log = json.loads(stage.kilde("ledger", "log", "-o", "json"))
    decisions = [(one["cause"], one["phase"]) for one in log if one["cause"].startswith("deletions")]
    assert decisions == [("deletions approved", "Approved"), ("deletions held", "Held")]
    assert all(CANARY.encode() not in path.read_bytes() for path in stage.data.glob("undo*"))

    stage.stop(how=signal.SIGKILL)
    stage.start()
    [one] = json.loads(stage.kilde("app", "undo", "shop", "--list", "-o", "json"))
    assert len(one["objects"]) == 7
    assert "7 of 7 objects put back" in stage.kilde("app", "undo", "shop", "--operation", str(one["operation"]))
    assert there(stage, space) == everything | {"new"}
    secret = stage.get("-n", space, "secret", "s")
    assert secret is not None
    assert base64.b64decode(secret["data"]["p"]).decode() == CANARY
    stage.until(lambda: "was put back by kilde app undo" in held(stage), "held after the undo")
    stage.commit(files(*many, s=CANARY))
    stage.push()
    stage.until(lambda: stage.is_well("shop") and not stage.conditions("shop"), "Git has it again")
    assert there(stage, space) == everything | {"new"}
    assert stage.kilde("ledger", "verify").startswith("intact")


def told(stage: Stage) -> str:
    return next((text for text in stage.conditions("shop") if text.startswith("QuarantineWarning: ")), "")


def content(stage: Stage, space: str, name: str) -> str:
    found = stage.get("-n", space, "configmap", name)
    return str(found["data"]["k"]) if found else ""


def test_a_failed_commit_stays_away_through_a_crash_and_the_next_good_one_flows(stage: Stage) -> None:
    space = f"shop-{stage.space}"[:60].rstrip("-")
    stage.create_repository({"README.md": "one of these commits is bad"})
    good = stage.commit(files("a", "b"))
    stage.start()
    automated = {"automated": {"prune": True, "selfHeal": True}, "syncOptions": ["CreateNamespace=true"]}
    stage.application("shop", "shop", space, syncPolicy={**automated, "retry": {"limit": 0}})
    stage.kubectl("annotate", "application", "shop", "-n", stage.space, "kilde.dev/on-degraded=rollback")
    stage.until(lambda: stage.is_well("shop", good), "deployed")

    two = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "two"}}
    refused = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"not a key": "x"}}
    bad = stage.commit({"shop/a.json": json.dumps(two), "shop/c.json": json.dumps(refused)})
    stage.push()
    stage.until(lambda: told(stage) and content(stage, space, "a") == "a", "back at the good commit")
    assert told(stage).startswith(f"QuarantineWarning: {bad[:7]} is in quarantine: its sync failed: ")
    stage.until(lambda: stage.status("shop")["operationState"]["phase"] == "Succeeded", "the way back is over")

    stage.stop(how=signal.SIGKILL)
    stage.start()
    stage.kubectl("patch", "configmap", "a", "-n", space, "--type=merge", "-p", json.dumps({"data": {"k": "by hand"}}))
    stage.until(lambda: content(stage, space, "a") == "a", "healed after the crash, towards the good commit")
    status = stage.status("shop")
    assert told(stage)
    assert (status["sync"]["status"], status["sync"]["revision"]) == ("OutOfSync", bad)

    third = stage.commit({**files("a", "b"), "shop/c.json": None, **files("d")})
    stage.push()
    stage.until(lambda: stage.is_well("shop", third) and not stage.conditions("shop"), "the next good commit")

    said = stage.kilde("app", "rollback", "shop", "--quarantine-only", "--to", good, "--reason", "d is not wanted")
    assert said.startswith(f"shop: {third[:7]} is in quarantine: d is not wanted. It is kept at {good[:7]} until")
    stage.until(lambda: there(stage, space) == {"a", "b"} and told(stage), "kept at the good commit")
    stage.kilde("app", "sync", "shop", "--prune")
    stage.until(lambda: there(stage, space) == {"a", "b", "d"} and not told(stage), "a person's word")
    log = json.loads(stage.kilde("ledger", "log", "-o", "json"))
    decisions = [one["cause"] for one in reversed(log) if one["cause"].startswith("quarantine")]
    assert decisions == ["quarantine", "quarantine lifted"] * 2
    assert stage.git("rev-parse", "origin/main").strip() == third
    assert stage.kilde("ledger", "verify").startswith("intact")


def failed(stage: Stage, *arguments: str) -> str:
    """What a command says that could not."""
    where = ["--data-dir", str(stage.data), "--namespace", stage.space]
    where += ["--kubeconfig", str(stage.config)] if stage.config else []
    done = subprocess.run([str(warm_kilde()), *arguments, *where], env=stage.env, capture_output=True, text=True)
    assert done.returncode == 3
    return done.stderr
