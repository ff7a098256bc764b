"""`kilde seal --cert A --cert B` and what works on its objects: whole commands, the real kubeseal beside them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from build_real import where
from cryptography.hazmat.primitives.serialization import Encoding

from cli.test_secrets import backup, git, kilde
from core.secrets.keys_at_hand import NOW, sealing_key
from kilde.core.secrets import documents, recipients
from kilde.core.secrets.keys import SealingKey, make_certificate, write_private_key
from kilde.core.secrets.opening import open_values
from warm.program import warm_kilde

OURS, OLDER, THEIRS, THIRD = (sealing_key(n, days=d, name=f"key{n}") for n, d in ((0, 9), (3, 1), (1, 0), (2, 0)))
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "db", "namespace": "shop"},
    "stringData": {"k": "v"},
}


def run(
    *arguments: str, stdin: str = "", program: Path | None = None, first: tuple[str, ...] = ("seal",)
) -> tuple[int, str, str]:
    env = {"HOME": "/nonexistent", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [str(program or warm_kilde()), *first, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env=env,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for key in (OURS, OLDER, THEIRS, THIRD):
        (tmp_path / f"{key.name}.pem").write_bytes(key.pem)
        (tmp_path / f"{key.name}.key").write_bytes(write_private_key(key.private))
    return tmp_path


def certs(folder: Path, *keys: SealingKey) -> list[str]:
    return [part for key in keys for part in ("--cert", str(folder / f"{key.name}.pem"))]


def values(text: str, key: SealingKey) -> dict[str, bytes]:
    (body,) = documents.read(text.encode(), file="x")
    return dict(open_values(documents.sealed_secret(body, about="x"), [key.private]).values)


def test_one_object_that_any_of_the_clusters_opens(folder: Path) -> None:
    code, text, _ = run(*certs(folder, OURS, THEIRS), stdin=json.dumps(SECRET))
    made = json.loads(text)
    assert (code, made["metadata"]["annotations"]) == (0, {recipients.MARK: recipients.MARKED})
    for key in (OURS, THEIRS):
        unseal = ("--recovery-unseal", "--recovery-private-key", str(folder / f"{key.name}.key"))
        opened: dict[str, Any] = json.loads(run(*unseal, stdin=text)[1])
        assert opened["data"] == {"k": "dg=="}
    code, out, err = run("--recovery-unseal", "--recovery-private-key", str(folder / "key2.key"), stdin=text)
    assert (code, out) == (1, "")
    assert err.startswith("error: no key could decrypt secret, or name, scope, item, type or template are not as they")
    # twice the same certificate is one recipient, as kubeseal seals
    code, text, _ = run(*certs(folder, OURS, OURS), stdin=json.dumps(SECRET))
    assert (code, "annotations" in json.loads(text)["metadata"], values(text, OURS)) == (0, False, {"k": b"v"})


def test_the_real_kubeseal_refuses_it_cleanly(folder: Path) -> None:
    if not where("kubeseal").exists():
        pytest.skip("not built: kubeseal (make real)")
    for value in ("v", "v" * 70_000):
        text = run(*certs(folder, OURS, THEIRS), stdin=json.dumps({**SECRET, "stringData": {"k": value}}))[1]
        unseal = ("--recovery-unseal", "--recovery-private-key", str(folder / "key0.key"))
        assert run(*unseal, stdin=text, program=where("kubeseal"), first=()) == (
            1,
            "",
            "error: no key could decrypt secret (k)\n",
        )


def test_items_are_added_for_all_recipients_and_the_template_stays(folder: Path) -> None:
    file = folder / "db.yaml"
    file.write_text(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec:\n  encryptedData: {}\n"
        "  template: {type: app/url, data: {url: 'pg://{{ .k }}'}}\n"
        "metadata: {name: db, namespace: shop, annotations: {kilde.dev/sealed-format: recipients/v1}}\n"
    )
    merge = ("-o", "yaml", "--merge-into", str(file))
    assert run(*certs(folder, OURS, THEIRS), *merge, stdin=json.dumps(SECRET))[0] == 0
    more = json.dumps({**SECRET, "stringData": {"more": "w"}})
    code, _, err = run(*certs(folder, OURS), *merge, stdin=more)
    assert (code, recipients.key_id(THEIRS.private.public_key()).hex() in err) == (1, True)
    assert run(*certs(folder, THEIRS, OURS), *merge, stdin=more)[0] == 0
    assert values(file.read_text(), OURS) == values(file.read_text(), THEIRS) == {"k": b"v", "more": b"w"}
    opened = json.loads(
        run("--recovery-unseal", "--recovery-private-key", str(folder / "key1.key"), stdin=file.read_text())[1]
    )
    assert (opened["type"], opened["data"]["url"]) == ("app/url", "cGc6Ly92")


def test_what_cannot_be_for_several_is_refused(folder: Path) -> None:
    both = certs(folder, OURS, THEIRS)
    code, out, err = run(*both, "--raw", "--name", "db", "-n", "shop", stdin="v")
    assert (code, out, err.splitlines()[0]) == (
        1,
        "",
        "error: --raw takes one --cert: a value for several is bound to its object",
    )
    common = folder / "common.json"
    common.write_text(run(*certs(folder, OURS), stdin=json.dumps(SECRET))[1])
    before = common.read_text()
    code, _, err = run(*both, "--merge-into", str(common), stdin=json.dumps(SECRET))
    assert (code, common.read_text()) == (1, before)
    assert "its values have one recipient" in err


def test_rotate_status_and_set_keep_every_recipient(folder: Path) -> None:
    repo = folder / "repo"
    git(folder, "init", "-q", "-b", "main", str(repo))
    file = repo / "db.yaml"
    file.write_text(run(*certs(folder, OLDER, THEIRS), "-o", "yaml", stdin=json.dumps(SECRET))[1])
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "Begin")
    keys = ("--private-key", str(backup(folder, OLDER, OURS)))
    rows = json.loads(kilde(repo, "status", *keys, "-o", "json")[1])["keys"]
    assert [(row["key"], row["values"]) for row in rows] == [("key0", 0), ("key3", 1)]

    before = file.read_text().splitlines()
    code, out, err = kilde(repo, "rotate", *keys)
    assert (code, err, out.splitlines()[1].partition(":")[0]) == (0, "", "1 values sealed anew to key0")
    after = file.read_text().splitlines()
    assert [line.partition(":")[0] for line, old in zip(after, before, strict=True) if line != old] == ["    k"]
    assert values(file.read_text(), OURS) == values(file.read_text(), THEIRS) == {"k": b"v"}
    assert kilde(repo, "rotate", *keys)[1] == "everything that opens is sealed to key0\n"

    assert kilde(repo, "rotate", *keys, "--cert", str(folder / "key2.pem"))[0] == 0
    for key in (OURS, THEIRS, THIRD):
        assert values(file.read_text(), key) == {"k": b"v"}
    assert kilde(repo, "rotate", *keys, "--cert", str(folder / "key2.pem"))[1].startswith("everything that opens")


def test_one_bad_certificate_of_several_and_nothing_is_sealed(folder: Path) -> None:
    over = make_certificate(THIRD.private, now=NOW, seconds=60, serial=bytes(range(16)))
    (folder / "over.pem").write_bytes(over.public_bytes(Encoding.PEM))
    words = {
        str(folder / "over.pem"): "failed to encrypt using an expired certificate",
        "http://192.0.2.1/cert.pem": "a certificate is not taken over plain http",
        str(folder / "absent.pem"): "no such file or directory",
    }
    for cert, said in words.items():
        code, out, err = run(*certs(folder, OURS), "--cert", cert, stdin=json.dumps(SECRET))
        assert (code, out, said in err) == (1, "", True)
    repo = folder / "repo"
    git(folder, "init", "-q", "-b", "main", str(repo))
    keys = ("--private-key", str(backup(folder, OURS)))
    for cert, said in words.items():
        code, out, err = kilde(repo, "rotate", *keys, "--cert", cert)
        assert (code in (1, 2, 3), out, said in err) == (True, "", True)
