"""SOPS files as the real program writes them: the same plain text, and everything that was changed is refused."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from build_real import where
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyrage import x25519

from kilde.adapters.keys.age import unwrapper
from kilde.core.basics.errors import InvalidInput
from kilde.core.secrets.sops import Opened, SopsFailed, decrypted, is_sops
from real.sealed_secrets import required

IDENTITY, OTHER = x25519.Identity.generate(), x25519.Identity.generate()
UNWRAP = unwrapper([f"# created: today\n{OTHER}\n", f"{IDENTITY}\n"])
SECRET = b"""apiVersion: v1
kind: Secret
metadata: {name: db, n: 5}
data:
    # a comment
    a: aGVsbG8=   # on the line
    b_unencrypted: q
    list: [1, 2.5, true, null, "x", {k: v}, 1.0e+30]
    multi: |
        one
        two
    none: ""
---
second: doc
"""


@pytest.fixture(autouse=True)
def _sops() -> None:
    required("sops")


def sops(*arguments: str, file: Path) -> bytes:
    env = {"HOME": "/nonexistent", "PATH": os.environ["PATH"], "SOPS_AGE_KEY": str(IDENTITY)}
    command = [str(where("sops")), *arguments, str(file)]
    return subprocess.run(command, capture_output=True, env=env, check=True, timeout=60).stdout


def encrypted(file: Path, data: bytes, *flags: str) -> bytes:
    file.write_bytes(data)
    made = sops("--encrypt", "--age", str(IDENTITY.to_public()), *flags, file=file)
    file.write_bytes(made)
    return made


def opened(name: str, data: bytes) -> Opened:
    assert is_sops(name, data)
    found = decrypted(name, data, UNWRAP)
    assert found is not None
    return found


RULES: dict[str, tuple[str, ...]] = {
    "all": (),
    "encrypted regex": ("--encrypted-regex", "^(data|stringData)$"),
    "unencrypted regex, short MAC": ("--mac-only-encrypted", "--unencrypted-regex", "^(kind|a)$"),
    "encrypted suffix": ("--encrypted-suffix", "ata"),
    "unencrypted suffix": ("--unencrypted-suffix", "ist"),
}


@pytest.mark.parametrize("rule", RULES)
def test_yaml_by_every_rule(rule: str, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    made = encrypted(file, SECRET, *RULES[rule])
    assert list(yaml.safe_load_all(opened("s.yaml", made).data)) == list(yaml.safe_load_all(sops("-d", file=file)))


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
KEYS = st.text(alphabet="abcXYZ_-.", min_size=1, max_size=6).filter(lambda key: key != "sops")
SCALARS = (
    TEXTS
    | st.integers(-(2**40), 2**40)
    | st.booleans()
    | st.none()
    | st.floats(-1e9, 1e9).map(lambda x: round(x, 3) or 0.0)
)
TREES = st.dictionaries(
    KEYS, SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(KEYS, SCALARS, max_size=3), min_size=1
)


@given(tree=TREES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_json_byte_for_byte(tree: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    made = encrypted(file, json.dumps(tree).encode())
    assert opened("s.json", made).data == sops("-d", file=file)


@pytest.mark.parametrize(
    "data", [b"text\n", bytes(range(256)), b"", b'{"sops": 1}'], ids=["text", "bytes", "empty", "json"]
)
def test_binary_files_byte_for_byte(data: bytes, tmp_path: Path) -> None:
    made = encrypted(tmp_path / "tls.pem", data)
    assert opened("tls.pem", made).data == data


def test_dotenv_byte_for_byte(tmp_path: Path) -> None:
    file = tmp_path / "s.env"
    made = encrypted(file, b"# said\nA=1\nB=two words = \nC=\nD=a\\nb\nE_unencrypted=x\n")
    found = opened("s.env", made)
    assert (found.data, found.values) == (sops("-d", file=file), ["1", "two words = ", "a\nb"])


def test_what_was_changed_does_not_open(tmp_path: Path) -> None:
    made = encrypted(tmp_path / "s.yaml", b"data: {a: one, b: two}\nplain_unencrypted: x\n").decode()
    body = yaml.safe_load(made)
    swapped = yaml.safe_load(made)
    swapped["data"] = {"a": body["data"]["b"], "b": body["data"]["a"]}
    edited = made.replace("plain_unencrypted: x", "plain_unencrypted: y")
    added = made.replace("plain_unencrypted: x", "plain_unencrypted: x\nmore_unencrypted: y")
    removed = {**body, "data": {"a": body["data"]["a"]}}
    later = made.replace(body["sops"]["lastmodified"], "2031-01-01T00:00:00Z")
    bare = {**body, "data": {**body["data"], "a": "not encrypted"}}
    no_mac = {**body, "sops": {**body["sops"], "mac": None}}
    cases = {"MAC": [edited, added, removed, later, no_mac], "a value does not decrypt": [swapped, bare]}
    for words, texts in cases.items():
        for each in texts:
            data = (each if isinstance(each, str) else yaml.safe_dump(each, sort_keys=False)).encode()
            with pytest.raises(SopsFailed, match=words) as caught:
                decrypted("s.yaml", data, UNWRAP)
            assert "one" not in str(caught.value)


def test_without_the_key_or_with_what_is_not_supported_it_says_so(tmp_path: Path) -> None:
    made = encrypted(tmp_path / "s.yaml", b"data: {a: one}\n")
    with pytest.raises(SopsFailed, match="none of the age keys"):
        decrypted("s.yaml", made, unwrapper([str(OTHER)]))
    body = yaml.safe_load(made)
    for field, value, words in (
        ("age", None, "has no age recipient"),
        ("shamir_threshold", 2, "uses shamir_threshold"),
        ("encrypted_comment_regex", "x", "uses encrypted_comment_regex"),
        ("encrypted_regex", "(a+)+$(?=", "."),
    ):
        with pytest.raises(InvalidInput, match=words):
            decrypted("s.yaml", yaml.safe_dump({**body, "sops": {**body["sops"], field: value}}).encode(), UNWRAP)
    with pytest.raises(InvalidInput, match="there is no age identity"):
        unwrapper(["nothing\n"])
    with pytest.raises(InvalidInput, match="cannot be read"):
        unwrapper(["AGE-SECRET-KEY-1NONSENSE\n"])
    assert decrypted("s.yaml", b"a: 'ENC[AES256_GCM,' # sops", UNWRAP) is None
    assert decrypted("x.pem", b"ENC[AES256_GCM, sops", UNWRAP) is None
