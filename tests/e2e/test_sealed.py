"""Applications with SealedSecrets on both clusters: opened, judged, put back; and not a trace of the value anywhere else."""

import base64
import json
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from core.secrets.keys_at_hand import sealing_key
from e2e.stage import OWN_START, Stage, free_port
from kilde.core.secrets.keys import SealingKey, write_private_key
from warm.program import warm_kilde

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
CANARY, CHANGED, BY_HAND, BROKEN = (f"c4nary-{word}-5ealed" for word in ("sealed", "changed", "byhand", "template"))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def space(stage: Stage) -> str:
    return f"{stage.space}-shop"[-60:].lstrip("-")


def run(stage: Stage, *arguments: str, stdin: str = "", codes: tuple[int, ...] = (0,)) -> str:
    """What a command says on both its outputs."""
    done = subprocess.run([str(warm_kilde()), *arguments], env=stage.env, capture_output=True, text=True, input=stdin)
    assert done.returncode in codes, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def elsewhere(folder: Path) -> Path:
    """The certificate of a key that is in no cluster."""
    file = folder / "elsewhere.pem"
    file.write_bytes(sealing_key(5).pem)
    return file


def plain(stage: Stage, **values: str) -> str:
    metadata = {"name": "db", "namespace": space(stage)}
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values})


def seal(stage: Stage, port: int, **values: str) -> str:
    certificate = f"http://127.0.0.1:{port}/v1/cert.pem"
    return run(stage, "seal", "--cert", certificate, "-o", "yaml", stdin=plain(stage, **values))


def health(stage: Stage) -> tuple[str, str]:
    """The Application's, and what the SealedSecret says."""
    sealed = stage.get("-n", space(stage), "sealedsecret", "db") or {}
    conditions = (sealed.get("status") or {}).get("conditions") or [{}]
    return (stage.status("shop").get("health") or {}).get("status", ""), conditions[0].get("message", "")


def value(stage: Stage, key: str = "pw") -> str:
    found = stage.get("-n", space(stage), "secret", "db") or {}
    return base64.b64decode((found.get("data") or {}).get(key, "")).decode()


@pytest.fixture
def sealing(stage: Stage) -> tuple[Stage, int]:
    """A running Kilde that opens SealedSecrets, and the port where it answers."""
    port = free_port()
    stage.options = ("--seal-controller", "--seal-listen", f"127.0.0.1:{port}")
    stage.program = OWN_START
    stage.create_repository({"readme": ""})
    stage.start()
    return stage, port


def test_an_application_with_a_sealed_secret(sealing: tuple[Stage, int]) -> None:
    stage, port = sealing
    stage.commit({"app/db.yaml": seal(stage, port, pw="hunter2")})
    stage.application("shop", "app", space(stage))
    stage.until(lambda: stage.is_well("shop"), "well")
    assert (value(stage), health(stage)) == ("hunter2", ("Healthy", ""))

    foreign = run(stage, "seal", "--cert", str(elsewhere(stage.folder)), "-oyaml", stdin=plain(stage, pw="hunter2"))
    stage.commit({"app/db.yaml": foreign})
    stage.push()
    degraded = ("Degraded", "no key could decrypt secret (pw)")
    stage.until(lambda: health(stage) == degraded, "degraded")
    assert value(stage) == "hunter2"  # the last good one

    sha = stage.commit({"app/db.yaml": seal(stage, port, pw="hunter3")})
    stage.push()
    stage.until(lambda: stage.is_well("shop", sha) and value(stage) == "hunter3", "mended")
    stage.kubectl("delete", "secret", "db", "-n", space(stage))
    stage.until(lambda: value(stage) == "hunter3", "made again")

    where = ("--repo", str(stage.work), "--kubeconfig", str(stage.kubeconfig), "-n", stage.space)
    for key in ("pw", "more"):
        said = run(stage, "secrets", "set", "shop/db", key, *where, stdin="hunter4\n")
        assert said.startswith(f"app/db.yaml: {key} sealed to sealed-secrets-key")
    stage.git("push", "-q", "origin", "main")
    stage.push()
    stage.until(lambda: (value(stage), value(stage, "more")) == ("hunter4", "hunter4"), "set")
    assert "hunter4" not in stage.git("log", "-p")
    assert "newest" in run(stage, "secrets", "status", *where)
    assert stage.stop() == 0


def test_the_controller_takes_its_lease_up_again_after_a_crash(sealing: tuple[Stage, int]) -> None:
    stage, port = sealing
    stage.commit({"app/db.yaml": seal(stage, port, pw="1")})
    stage.application("shop", "app", space(stage))
    stage.until(lambda: value(stage) == "1", "opened")
    stage.stop(how=signal.SIGKILL)
    stage.start()
    stage.commit({"app/db.yaml": seal(stage, port, pw="2")})
    stage.push()
    stage.until(lambda: value(stage) == "2", "opened by the next", patience=30.0)


def test_no_sealed_value_is_seen_anywhere_but_in_its_secret(sealing: tuple[Stage, int], tmp_path: Path) -> None:
    stage, port = sealing
    canaries = [CANARY, CHANGED, BY_HAND, BROKEN]
    canaries += [*map(encoded, canaries), *(one.upper() for one in canaries)]
    assert stage.process is not None
    limits = Path(f"/proc/{stage.process.pid}/limits").read_text()
    assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size")] == [["0", "0"]]
    printed: list[str] = []
    stage.commit({"app/db.yaml": seal(stage, port, pw=CANARY)})
    stage.application("shop", "app", space(stage))
    stage.until(lambda: value(stage) == CANARY, "opened")

    stage.commit({"app/db.yaml": seal(stage, port, pw=CHANGED)})
    stage.push()
    stage.until(lambda: value(stage) == CHANGED, "changed")
    patch = tmp_path / "patch.json"
    patch.write_text(json.dumps({"stringData": {"pw": BY_HAND, "more": BY_HAND}}))
    stage.kubectl("patch", "secret", "db", "-n", space(stage), "--type=merge", "--patch-file", str(patch))
    patch.unlink()
    stage.until(lambda: value(stage) == CHANGED, "put back")

    tells = ("{{ .pw | b64enc | fail }}", "{{ fail .pw }}", "{{ fail (upper .pw) }}")
    items = "".join(f"      x{n}: '{each}'\n" for n, each in enumerate(tells))
    template = f"  template:\n    data:\n{items}"
    sealed = seal(stage, port, pw=BROKEN)
    stage.commit({"app/db.yaml": sealed.replace("  template:\n", template)})
    stage.push()
    stage.until(lambda: "depend on a sealed value" in health(stage)[1], "a template that tells")
    for path in ("verify", "rotate"):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/{path}", plain(stage, pw=CANARY).encode())
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=10)
        printed.append(caught.value.read().decode())
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        printed.append(answer.read().decode())
    for text in (
        plain(stage, pw=CANARY).replace('"stringData"', '"data"'),
        plain(stage, pw=CANARY)[:-3],
        f"- {CANARY}",
    ):
        printed.append(run(stage, "seal", "--cert", f"http://127.0.0.1:{port}/v1/cert.pem", stdin=text, codes=(1,)))
        printed.append(run(stage, "unseal", stdin=text, codes=(1,)))
    printed += [stage.kilde("ledger", "log", "-o", "json"), stage.kilde("app", "diff", "shop", codes=(0, 1))]
    for kinds in ("events,configmaps,sealedsecrets", "leases"):
        for where in (space(stage), "kube-system", stage.space):
            printed.append(stage.kubectl("get", kinds, "-n", where, "-o", "yaml", "--show-managed-fields"))
    stage.stop()
    printed.append(stage.log())
    assert [one for one in canaries if any(one in text for text in printed)] == []
    found = [path for path in sorted(stage.folder.rglob("*")) if path.is_file() and path.parent.name != "cluster"]
    assert [path for path in found if any(one.encode() in path.read_bytes() for one in canaries)] == []


WEB = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {{kilde.dev/restart-on-secret-change: "true", note: "{note}"}}
spec:
  replicas: 0
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers: [{{name: web, image: registry.example/web:1, envFrom: [{{secretRef: {{name: db}}}}]}}]
"""


def digests(stage: Stage) -> tuple[str, str, str]:
    """On the Deployment, on its pod template, and its note."""
    web = stage.get("-n", space(stage), "deployment", "web") or {"metadata": {}, "spec": {"template": {"metadata": {}}}}
    outer, inner = (part.get("annotations") or {} for part in (web["metadata"], web["spec"]["template"]["metadata"]))
    return outer.get("kilde.dev/secrets", ""), inner.get("kilde.dev/secrets", ""), outer.get("note", "")


def test_an_edit_is_put_back_attributed_and_only_a_change_in_git_restarts(sealing: tuple[Stage, int]) -> None:
    stage, port = sealing
    stage.commit({"app/db.yaml": seal(stage, port, pw="hunter2"), "app/web.yaml": WEB.format(note="a")})
    stage.application("shop", "app", space(stage))
    stage.until(lambda: stage.is_well("shop") and digests(stage)[0], "well, and seen")
    first = digests(stage)
    assert first == (first[0], "", "a")

    edit = json.dumps({"stringData": {"pw": "edited-by-hand"}})
    arguments = ("-n", space(stage), "--type=merge", "-p", edit, "--field-manager=intruder")
    stage.kubectl("patch", "secret", "db", *arguments)
    stage.until(lambda: value(stage) == "hunter2", "put back")
    stage.kubectl("delete", "secret", "db", "-n", space(stage))
    stage.until(lambda: value(stage) == "hunter2", "made again")
    records = stage.kilde("ledger", "log", "-o", "json")
    (restored,) = [each for each in json.loads(records) if "intruder" in json.dumps(each)]
    assert "data.pw" in json.dumps(restored)
    assert [word for word in ("hunter2", "edited-by-hand", encoded("edited-by-hand")) if word in records] == []
    assert digests(stage) == first

    sha = stage.commit({"app/db.yaml": seal(stage, port, pw="hunter3")})
    stage.push()
    stage.until(lambda: digests(stage)[1], "a rollout begins")
    second = digests(stage)
    assert second[0] == second[1] != first[0]
    stage.until(lambda: stage.is_well("shop", sha), "well: the digest is no drift")
    assert stage.kilde("app", "diff", "shop") == ""
    sha = stage.commit({"app/web.yaml": WEB.format(note="b")})
    stage.push()
    stage.until(lambda: stage.is_well("shop", sha) and digests(stage)[2] == "b", "applied over it")
    assert digests(stage) == (*second[:2], "b")
    assert "uses a Secret that changed: db" in stage.kilde("ledger", "log", "-o", "json")


def add_key(stage: Stage, key: SealingKey) -> None:
    """As a backup is restored: a key Secret by hand."""
    held = {"tls.key": write_private_key(key.private), "tls.crt": key.pem}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": key.name,
            "namespace": "kube-system",
            "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "active"},
        },
        "data": {name: base64.b64encode(text).decode() for name, text in held.items()},
    }
    stage.kubectl("create", "-f", "-", stdin=json.dumps(body))


def test_a_key_is_retired_when_no_watched_branch_needs_it(sealing: tuple[Stage, int], tmp_path: Path) -> None:
    stage, _ = sealing
    old, new = (sealing_key(n, days=d, name=f"{stage.space}-{n}"[-60:].lstrip("-")) for n, d in ((3, 3000), (4, 3001)))
    where = ("--kubeconfig", str(stage.kubeconfig), "-n", stage.space)
    mine = ("--application-namespaces", stage.space)  # other tests leave Applications whose repositories are gone
    retire = ("secrets", "retire", *where, *mine, "--data-dir", str(tmp_path / "looking"))
    add_key(stage, old)
    (tmp_path / "old.pem").write_bytes(old.pem)
    sealed = run(stage, "seal", "--cert", str(tmp_path / "old.pem"), "-oyaml", stdin=plain(stage, pw="hunter2"))
    stage.commit({"app/db.yaml": sealed})
    stage.git("push", "-q", "origin", "main:release")
    source = {"repoURL": stage.url, "path": "app", "targetRevision": "release"}
    stage.application("shop", "app", space(stage))
    stage.application("shipped", "app", space(stage), source=source, syncPolicy={})
    stage.until(lambda: value(stage) == "hunter2", "opened")

    add_key(stage, new)
    said = run(stage, *retire, codes=(1,))
    assert f"{old.name}: needed by 3 values\n" in said  # main, release, and the cluster
    rotate = ("secrets", "rotate", "--repo", str(stage.work), *where)
    assert f"1 values sealed anew to {new.name}" in run(stage, *rotate)
    stage.git("push", "-q", "origin", "main")
    stage.push()
    fresh = (stage.work / "app" / "db.yaml").read_text()
    items = "{.spec.encryptedData.pw}"
    stage.until(
        lambda: stage.kubectl("get", "sealedsecret", "db", "-n", space(stage), "-o", f"jsonpath={items}") in fresh,
        "rotated",
    )
    said = run(stage, *retire, codes=(1,))
    assert f"{old.name}: needed by 1 value\n  {stage.url} at release: app/db.yaml:" in said
    status = ("secrets", "status", "--watched", *where, *mine, "-o", "json", "--data-dir", str(tmp_path / "looking"))
    rows = json.loads(run(stage, *status, codes=(0, 1)))  # 1 where others have left what nobody can open
    counts = {row["key"]: row["values"] for row in rows["keys"]}
    assert (counts[old.name], counts[new.name]) == (1, 2)

    stage.git("push", "-q", "origin", "main:release")
    stage.commit({"elsewhere.yaml": "kind: SealedSecret\nspec: [\n"})
    assert "stays, as not everything was understood" in run(stage, *retire, codes=(1,))
    stage.commit({"elsewhere.yaml": None})
    assert f"{old.name}: would be retired\n" in run(stage, *retire, "--dry-run", "--despite-unopened", codes=(0, 1))
    assert f"{old.name}: retired\n" in run(stage, *retire, "--despite-unopened", codes=(0, 1))
    label = "sealedsecrets.bitnami.com/sealed-secrets-key"
    held = stage.get("-n", "kube-system", "secret", old.name) or {}
    assert held["metadata"]["labels"][label] == "retired"
    stage.kubectl("delete", "secret", "db", "-n", space(stage))
    stage.until(lambda: value(stage) == "hunter2", "made again, by the newest key")
    for name in (old.name, new.name):
        stage.kubectl("delete", "secret", name, "-n", "kube-system")
