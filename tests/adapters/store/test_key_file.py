"""The signing key: made once, its owner's alone, and handed over without a moment in which there is none."""

from pathlib import Path

import pytest

from kilde.adapters.store.key_file import KeyFile
from kilde.core.basics.errors import LedgerError
from kilde.core.ledger.checkpoint import NEXT_KEY, PublicKey, open_note, read_key
from kilde.engine.records.notary import Notary
from kilde.testing.records import MemoryRecords

NOW = 1_700_000_000.0


def test_it_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "ledger.key"
    first = KeyFile(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyFile(path).public == first.public
    assert sorted(file.name for file in path.parent.iterdir()) == ["ledger.key"]


def test_one_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    with pytest.raises(LedgerError, match="there is no signing key"):
        KeyFile(path, make=False)
    KeyFile(path)
    path.chmod(0o640)
    with pytest.raises(LedgerError, match="others can read the signing key"):
        KeyFile(path)
    path.write_text("no key")
    path.chmod(0o600)
    with pytest.raises(LedgerError, match="this is no Ed25519 private key in PEM"):
        KeyFile(path)


def test_a_rotation_that_a_crash_cut_off_is_taken_up(tmp_path: Path) -> None:
    """The record names the new key, and the file is still the old one's: the moment in between."""
    path, ledger = tmp_path / "ledger.key", MemoryRecords()
    notary = Notary(ledger, KeyFile(path), now=NOW)
    old = path.read_bytes()
    new = notary.rotate(now=NOW)
    (tmp_path / "ledger.key.next").write_bytes(path.read_bytes())
    (tmp_path / "ledger.key.next").chmod(0o600)
    path.write_bytes(old)

    again = Notary(ledger, KeyFile(path), now=NOW)

    assert open_note(again.sign("text\n"), [new]) == "text\n"
    assert KeyFile(path).public == new.public
    assert len(again.verifier_keys()) == 2


def test_another_ledgers_key_signs_nothing(tmp_path: Path) -> None:
    ledger = MemoryRecords()
    Notary(ledger, KeyFile(tmp_path / "one"), now=NOW)

    with pytest.raises(LedgerError, match="the signing key is not the ledger's"):
        Notary(ledger, KeyFile(tmp_path / "other"), now=NOW)


def test_a_key_that_the_one_before_did_not_sign_for_is_no_key(tmp_path: Path) -> None:
    ledger, forger = MemoryRecords(), KeyFile(tmp_path / "forger")
    notary = Notary(ledger, KeyFile(tmp_path / "key"), now=NOW)
    forged = PublicKey(notary.verifier_keys()[0].name, forger.public)
    ledger.append(NEXT_KEY, {"key": str(forged), "signature": ""}, at=NOW)

    assert notary.verifier_keys() == notary.verifier_keys()[:1]
    assert [(f.tampering, f.number, f.what) for f in ledger.verify().findings] == [
        ("altered", 2, "the key before did not sign for the key it introduces")
    ]


def test_a_verifier_key_has_the_form_of_signed_note(tmp_path: Path) -> None:
    """The example key of C2SP's signed-note page."""
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

    key = read_key(text)

    assert (str(key), key.name, key.id.hex()) == (text, "PeterNeumann", "c74f20a3")
    note = (
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert open_note(note, [key]).startswith("If you think")
    with pytest.raises(LedgerError, match="no known key signed it"):
        open_note(note.replace("answer", "answers"), [key])
    with pytest.raises(LedgerError, match="verifier key"):
        read_key(text.replace("c74f20a3", "c74f20a4"))
