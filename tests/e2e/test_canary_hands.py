"""Canaries through `kilde plan --out`, `kilde apply` and `kilde guard`: secret values are in the Secrets and in Git, and nowhere else."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from e2e.shop import manifest
from e2e.stage import BIN, Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
# not the values of test_canary.py: that one looks at all commands of the machine, and hands type these
FIRST, SECOND, BY_HAND, REFUSED = (f"c4nary-{word}-typed" for word in ("first", "second", "byhand", "refused"))
CANARIES = (FIRST, SECOND, BY_HAND, REFUSED)


def secret(value: str) -> str:
    return manifest("Secret", "login", stringData={"password": value})


class Play:
    """An application with a Secret; everything that is said of it is kept."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.said = stage, ""
        self.space = f"{stage.space}-shop"[-60:].lstrip("-")

    def kilde(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        where = ()
        if arguments[0] == "guard":
            where = (
                "--namespace",
                self.stage.space,
                *(("--kubeconfig", str(self.stage.config)) if self.stage.config else ()),
            )
        done = self.stage.said(*arguments, *where)
        assert done.returncode in codes, done.stdout + done.stderr
        self.said += done.stdout + done.stderr
        return done.stdout

    def password(self) -> str:
        found = self.stage.get("secret", "login", "-n", self.space) or {}
        return base64.b64decode((found.get("data") or {}).get("password", "")).decode()


def test_no_secret_is_told_by_apply_or_guard(stage: Stage) -> None:
    play, file = Play(stage), stage.folder / "plan.kilde"
    stage.options = ("--as", "system:kilde") if stage.config is not None else ()
    stage.create_repository(
        {"shop/secret.json": secret(FIRST), "shop/config.json": manifest("ConfigMap", "config", data={"k": "v"})}
    )
    stage.start()
    stage.application("shop", "shop", play.space, syncPolicy={"syncOptions": ["CreateNamespace=true"]})
    stage.until(lambda: bool(stage.status("shop").get("sync")), "shop compared")
    play.kilde("app", "sync", "shop")
    assert play.password() == FIRST

    stage.commit({"shop/secret.json": secret(SECOND)})
    for output in ("text", "markdown", "json", "html"):
        play.kilde("plan", "shop", "-o", output, "--out", str(file), codes=(1,))
    play.kilde("apply", str(file), "--check")
    play.kilde("apply", str(file))
    assert play.password() == SECOND
    play.kilde("apply", str(file), codes=(3,))

    play.kilde("guard", "install")
    stage.until(lambda: "secret.json" in _refusal(stage, play.space), "entries")
    play.kilde("guard", "test", codes=(0, 1))
    stage.kubectl("-n", stage.space, "patch", "application", "shop", "--type=merge", "-p", json.dumps(HEALED))
    play.kilde("guard", "open", "--reason", "orders fail", "--app", "shop")
    stage.kubectl("-n", play.space, "patch", "secret", "login", "-p", json.dumps({"stringData": {"password": BY_HAND}}))
    play.kilde("guard", "status", "-o", "json")
    play.kilde("guard", "adopt", "shop", "--repo", str(stage.work), codes=(0, 1, 2, 3))
    assert BY_HAND not in (stage.work / "shop/secret.json").read_text()
    play.kilde("guard", "close")
    stage.until(lambda: play.password() == SECOND, "put back")
    for words in (("show", "--by-hand"), ("show", "-o", "oscal"), ("show", "-o", "csv"), ("log", "-o", "json")):
        play.kilde("ledger", *words)
    play.kilde("ledger", "show", "--html", str(stage.folder / "report.html"))
    assert "Secret" in (stage.folder / "report.html").read_text()
    stage.stop()

    assert not [canary for canary in CANARIES if canary in play.said or canary in stage.log()]
    assert not list(_leaks(stage))


HEALED = {"spec": {"syncPolicy": {"syncOptions": ["CreateNamespace=true"], "automated": {"selfHeal": True}}}}


def _refusal(stage: Stage, space: str) -> str:
    """What a person is told who writes a value by hand; the value itself is not repeated."""
    body = json.dumps({"stringData": {"password": REFUSED}})
    command = ["-n", space, "patch", "secret", "login", "--dry-run=server", "-p", body]
    done = subprocess.run([str(BIN / "kubectl"), *command], env=stage.env, capture_output=True, text=True)
    assert REFUSED not in done.stderr
    return done.stderr if done.returncode else ""


def _leaks(stage: Stage) -> list[str]:
    """Files of ours that hold a value, as it is or in base64; the cluster's own store and the repositories are where values belong."""
    found = []
    needles = [form for each in CANARIES for form in (each.encode(), base64.b64encode(each.encode()))]
    for path in Path(stage.folder).rglob("*"):
        inside = path.relative_to(stage.folder).parts
        ours = path.is_file() and inside[:1] not in (("work",), ("config.git",)) and inside[:2] != ("data", "cluster")
        if ours and any(needle in path.read_bytes() for needle in needles):
            found.append("/".join(inside))
    return found
