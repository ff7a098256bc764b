"""Held deletions, approvals and undo as people have them: the program, killed in between, on both clusters."""

import base64
import json
import signal
import subprocess

from e2e.stage import BIN, Stage
from kilde.core.plan.held import digest_in

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


def failed(stage: Stage, *arguments: str) -> str:
    """What a command says that could not."""
    where = ["--data-dir", str(stage.data), "--namespace", stage.space]
    where += ["--kubeconfig", str(stage.config)] if stage.config else []
    done = subprocess.run([str(BIN / "kilde"), *arguments, *where], env=stage.env, capture_output=True, text=True)
    assert done.returncode == 3
    return done.stderr
