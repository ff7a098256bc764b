"""`kilde secrets`: whole outputs over a repository, byte-exact rewriting, and nothing half done."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from core.secrets.keys_at_hand import sealing_key
from kilde.core.basics.errors import InvalidInput
from kilde.core.secrets import documents, in_files, templates
from kilde.core.secrets.keys import SealingKey, write_private_key
from kilde.core.secrets.opening import open_sealed
from kilde.core.secrets.sealing import Sealer
from warm.program import warm_kilde

OLD, NEW, FOREIGN = sealing_key(0, name="old"), sealing_key(1, days=30, name="new"), sealing_key(2)
FILE = """# kept: a comment
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata:
  name: db   # kept too
  namespace: shop
spec:
  encryptedData:
    b: {b}
    "a": '{a}'
  template:
    data: {{url: "pg://{{{{ .a }}}}"}}
---
kind: ConfigMap
apiVersion: v1
"""


def text(key: SealingKey, value: str, label: bytes = b"shop/db") -> str:
    return Sealer(key.private.public_key(), os.urandom).text(value.encode(), label)


def backup(folder: Path, *held: SealingKey) -> Path:
    items = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": key.name},
            "data": {
                "tls.key": base64.b64encode(write_private_key(key.private)).decode(),
                "tls.crt": base64.b64encode(key.pem).decode(),
            },
        }
        for key in held
    ]
    file = folder / "backup.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return file


def git(folder: Path, *arguments: str) -> str:
    names = {f"GIT_{who}_{what}": "tester" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {**os.environ, **names, "GIT_CONFIG_GLOBAL": "/dev/null"}
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True, env=env
    ).stdout


def kilde(folder: Path, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
    names = {f"GIT_{who}_{what}": "tester" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {"HOME": str(folder), "PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", **names}
    command = [str(warm_kilde()), "secrets", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=env, input=stdin, cwd=folder, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """One file of two values sealed to the old key, in a base one sealed for an overlay's namespace, one that nobody opens."""
    folder = tmp_path / "repo"
    (folder / "base").mkdir(parents=True)
    git(folder.parent, "init", "-q", "-b", "main", str(folder))
    (folder / "db.yaml").write_text(FILE.format(a=text(OLD, "one"), b=text(NEW, "two")))
    bare = {"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "in-base"}}
    bare["spec"] = {"encryptedData": {"k": text(OLD, "three", b"live/in-base")}}
    (folder / "base" / "sealed.json").write_text(json.dumps(bare, indent=1))
    (folder / "kustomization.yaml").write_text("namespace: live\nresources: [base]\n")
    lost = {
        **bare,
        "metadata": {"name": "lost", "namespace": "shop"},
        "spec": {"encryptedData": {"k": text(FOREIGN, "x")}},
    }
    (folder / "lost.yaml").write_text(yaml.safe_dump(lost, width=10_000))
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Begin")
    return folder


def test_status_tells_what_would_be_lost(repo: Path) -> None:
    code, out, err = kilde(repo, "status", "--private-key", str(backup(repo.parent, OLD, NEW)), "-o", "json")

    found = json.loads(out)
    assert (code, err) == (1, "")
    assert [(row["key"], row["values"], row["objects"], row["newest"]) for row in found["keys"]] == [
        ("new", 1, 1, True),
        ("old", 2, 2, False),
    ]
    assert found["unopened"] == [
        {"place": "lost.yaml:8:5", "object": "shop/lost", "item": "k", "why": "no key could decrypt secret"}
    ]
    code, out, _ = kilde(repo, "status", "--private-key", str(backup(repo.parent, OLD, NEW)))
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == "KEY CREATED AGE EXPIRES VALUES OBJECTS NOTE"
    assert lines[3:] == [
        "",
        "Nobody can open:",
        "WHERE OBJECT ITEM WHY",
        "lost.yaml:8:5 shop/lost k no key could decrypt secret",
    ]


def test_rotate_changes_ciphertexts_and_nothing_else(repo: Path) -> None:
    keys = str(backup(repo.parent, OLD, NEW))
    before = {name: (repo / name).read_text() for name in ("db.yaml", "base/sealed.json", "lost.yaml")}
    assert kilde(repo, "rotate", "--private-key", keys, "--dry-run")[1].endswith(
        "2 values would be sealed anew to new\n"
    )
    assert git(repo, "status", "--porcelain") == ""

    code, out, err = kilde(repo, "rotate", "--private-key", keys)
    sha = git(repo, "rev-parse", "HEAD").strip()[:12]
    assert (code, out) == (1, f"base/sealed.json: k\ndb.yaml: a\n2 values sealed anew to new: commit {sha}\n")
    assert err == "nobody can open: lost.yaml:8:5: k: no key could decrypt secret\n"
    assert git(repo, "show", "--stat", "--format=%s").split("\n")[0] == "Seal 2 values anew to new"
    after = {name: (repo / name).read_text() for name in before}
    assert after["lost.yaml"] == before["lost.yaml"]
    changed = [
        (a, b) for a, b in zip(before["db.yaml"].split("\n"), after["db.yaml"].split("\n"), strict=True) if a != b
    ]
    assert [a.partition("'")[0] for a, _ in changed] == ['    "a": ']
    (sealed,) = in_files.find(after["db.yaml"].encode(), file="x")
    opened = open_sealed(sealed.sealed, [NEW.private], templates.render)
    assert {k: base64.b64decode(v).decode() for k, v in opened["data"].items()} == {
        "a": "one",
        "b": "two",
        "url": "pg://one",
    }
    assert all(value not in git(repo, "log", "-p", "--all") for value in ('"one"', '"three"'))

    assert kilde(repo, "rotate", "--private-key", keys)[1] == "everything that opens is sealed to new\n"


def test_rotate_leaves_your_own_changes_alone(repo: Path) -> None:
    (repo / "db.yaml").write_text((repo / "db.yaml").read_text() + "# mine\n")
    before = (repo / "db.yaml").read_text()
    code, _, err = kilde(repo, "rotate", "--private-key", str(backup(repo.parent, OLD, NEW)))

    assert (code, (repo / "db.yaml").read_text()) == (3, before)
    assert "there are changes of yours in the files to be written" in err


def test_rotate_to_another_clusters_certificate(repo: Path) -> None:
    (repo.parent / "other.pem").write_bytes(FOREIGN.pem)
    keys = str(backup(repo.parent, OLD, NEW))
    code, out, _ = kilde(repo, "rotate", "--private-key", keys, "--cert", str(repo.parent / "other.pem"), "--no-commit")

    assert code == 1
    assert out.splitlines()[-1].startswith("3 values sealed anew to ")
    (sealed,) = in_files.find((repo / "db.yaml").read_bytes(), file="x")
    assert {item.key for item in in_files.opened(sealed, [FOREIGN], [])} == {FOREIGN}


@pytest.mark.parametrize(
    "body",
    [
        "spec:\n  encryptedData:\n    a: xyz\n",
        'spec: {\n  "encryptedData": {\n    "a": "xyz"\n  }\n}\n',
        "spec:\n  encryptedData:\n    'a': xyz  # said\n",
    ],
)
def test_an_item_is_added_to_the_text(body: str) -> None:
    data = f"apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: db}}\n{body}".encode()
    (found,) = in_files.find(data, file="f")

    put = in_files.added(data, found, "new-one", "AgA=")
    assert yaml.safe_load(put)["spec"]["encryptedData"] == {"a": "xyz", "new-one": "AgA="}
    assert put.replace(next(line + b"\n" for line in put.split(b"\n") if b"new-one" in line), b"") == data


@pytest.mark.parametrize("body", ["spec: {encryptedData: {a: xyz}}\n", "spec: {encryptedData: {}}\n"])
def test_an_item_is_not_added_where_the_text_does_not_show_how(body: str) -> None:
    data = f"apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: db}}\n{body}".encode()
    (found,) = in_files.find(data, file="f")

    with pytest.raises(InvalidInput, match="an item cannot be added"):
        in_files.added(data, found, "b", "AgA=")


def test_a_sealed_text_over_several_lines_is_not_rewritten() -> None:
    sealed = text(OLD, "v")
    folded = "\n      ".join((sealed[:100], sealed[100:]))
    data = (
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: db, namespace: shop}\n"
        f"spec:\n  encryptedData:\n    a: |\n      {folded}\n"
    ).encode()
    (found,) = in_files.find(data, file="f")
    (item,) = in_files.opened(found, [OLD], [])

    assert item.value == b"v"
    with pytest.raises(InvalidInput, match="broken over lines"):
        in_files.resealed(data, [item], Sealer(NEW.private.public_key(), os.urandom))
    assert documents.read(data, file="f")
