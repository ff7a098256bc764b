"""A saved plan: the document in one line of JSON, in a signed note (C2SP signed-note, Ed25519), as a ledger's checkpoints are.

The text is the key's name, `kilde plan v1` and the document without its diffs. Whose key it has to be is for the reader to say.
"""

import hashlib
from collections.abc import Callable, Sequence

import msgspec

from kilde.core.basics.errors import InvalidInput, LedgerError
from kilde.core.ledger.checkpoint import PublicKey, open_note, sign_note
from kilde.core.preview.model import AppPlan, Preview

LARGEST = 64 << 20  # bytes of a file
_ORIGIN = "kilde.dev/plan/"
_FORMAT = "kilde plan v1"
_LINES = 5  # three of text, an empty one, one signature
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Preview).decode
_HINT = "the file was altered, or made with another key: name that with --key if you trust it"


def plan_key(public: bytes) -> PublicKey:
    """The verifier key of plans that are signed with this Ed25519 key."""
    return PublicKey(_ORIGIN + hashlib.sha256(public).hexdigest()[:16], public)


def saved(preview: Preview, key: PublicKey, sign: Callable[[bytes], bytes]) -> str:
    """The file. Raises InvalidInput where it would be too large to be read again."""
    slim = msgspec.structs.replace(preview, applications=tuple(_slim(app) for app in preview.applications))
    note = sign_note(f"{key.name}\n{_FORMAT}\n{_encode(slim).decode()}\n", key, sign)
    if len(note.encode()) > LARGEST:
        raise InvalidInput(f"the plan is larger than {LARGEST >> 20} MiB", hint="plan fewer applications at a time")
    return note


def _slim(app: AppPlan) -> AppPlan:
    steps = tuple(msgspec.structs.replace(step, diff="") for step in app.steps)
    return msgspec.structs.replace(app, steps=steps)


def read_saved(raw: bytes, keys: Sequence[PublicKey], *, about: str) -> Preview:
    """A plan that one of the keys signed; nothing of it is looked at before that is known. Raises InvalidInput."""
    if len(raw) > LARGEST:
        raise InvalidInput(f"is larger than {LARGEST >> 20} MiB: no saved plan", about=about)
    try:
        lines = open_note(raw.decode(), keys, most=LARGEST).split("\n")
    except UnicodeDecodeError:
        raise InvalidInput("is no saved plan: not UTF-8", about=about) from None
    except LedgerError as error:
        raise InvalidInput(error.what, about=about, hint=_HINT) from None
    if len(lines) != 4 or lines[1] != _FORMAT or raw.count(b"\n") != _LINES:
        raise InvalidInput("is a signed note, and no plan of this version", about=about)
    try:
        return _decode(lines[2])
    except (msgspec.DecodeError, RecursionError):
        raise InvalidInput("is signed, and cannot be read: another version of kilde made it", about=about) from None
