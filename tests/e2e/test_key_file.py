"""Keys in a locked file: the controller opens with them across restarts, the cluster has none, and nothing private is on the disk."""

import base64
import json

import pytest

from e2e.stage import Stage, free_port
from e2e.test_sealed import health, run, seal, space, value
from kilde.core.secrets import archive

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
PASSPHRASE = "c4nary-passphrase-5ecret"
VALUE = "c4nary-value-of-this-test"


def test_values_open_with_keys_that_are_in_no_cluster(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILDE_KEYS_PASSPHRASE", PASSPHRASE)
    port, home = free_port(), f"file:{stage.folder}/sealing-keys"
    stage.options = ("--seal-controller", "--seal-listen", f"127.0.0.1:{port}", "--seal-keys", home)
    stage.create_repository({"readme": ""})
    stage.start()
    stage.commit({"app/db.yaml": seal(stage, port, pw=VALUE)})
    stage.application("shop", "app", space(stage))
    stage.until(lambda: stage.is_well("shop"), "well")
    data = (stage.folder / "sealing-keys").read_bytes()
    [key] = archive.unlock(data, PASSPHRASE.encode(), about="sealing-keys")
    secrets = json.loads(stage.kubectl("get", "secrets", "-A", "-o", "json"))["items"]
    held = [base64.b64decode(text) for secret in secrets for text in (secret.get("data") or {}).values()]
    assert VALUE.encode() in held
    assert [text for text in held if key.private.splitlines()[1] in text] == []
    listed = run(stage, "secrets", "keys", "list", "--seal-keys", home)
    stage.stop()
    stage.start()
    stage.commit({"app/db.yaml": seal(stage, port, pw="hunter3")})
    stage.push()
    stage.until(lambda: (value(stage), health(stage)) == ("hunter3", ("Healthy", "")), "opened after a restart")
    assert run(stage, "secrets", "keys", "list", "--seal-keys", home) == listed
    stage.stop()
    words = [
        text for plain in (PASSPHRASE.encode(), *key.private.splitlines()[1:-1]) for text in (plain, *shifted(plain))
    ]
    assert len(words) > 100
    assert [word for word in words if word.decode() in stage.log() + listed] == []
    files = [path for path in sorted(stage.folder.rglob("*")) if path.is_file()]
    assert [path for path in files if any(word in path.read_bytes() for word in words)] == []


def shifted(text: bytes) -> list[bytes]:
    """What a text looks like within base64, wherever in it the text begins."""
    return [base64.b64encode(text[cut : cut + (len(text) - cut) // 3 * 3]) for cut in range(3)]
