"""SOPS: whether an application's files are decrypted, and with which keys: those of its project, in labelled Secrets or in Vault."""

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from kilde.core.apps.application import Application
from kilde.core.basics.errors import InvalidInput, KildeError
from kilde.core.basics.values import Object, canonical
from kilde.core.secrets.sops import VAULT, SopsFailed, Unwrap, wrapped_by
from kilde.core.secrets.sops_tree import Decrypter
from kilde.core.secrets.vault.place import Place, segments
from kilde.core.secrets.vault.rules import Rule, permits
from kilde.ports.cluster import Cluster, Resource
from kilde.ports.vault import Reason, Vault, VaultError

SOPS = "kilde.dev/sops"
KEYS_LABEL = "kilde.dev/sops-keys"  # its value is the project whose applications may use them
_SECRETS = Resource("", "v1", "Secret", "secrets", True)
_WAYS = ("age", "vault")
_MOST = 20  # entries of a file that Vault is asked for
_PATIENCE = 15.0  # seconds that a render waits for Vault; the renders of others wait behind it
Unwrapper = Callable[[Iterable[str]], Unwrap]  # key files → what unwraps with them


@dataclass(frozen=True, slots=True)
class SopsKeys:
    """What unwraps: age's identities, and a Vault with the rules about which project may use which transit key."""

    age: Unwrapper
    vault: Vault | None = None
    rules: tuple[Rule, ...] = ()


def no_age(texts: Iterable[str]) -> Unwrap:
    """Where nobody gave an Unwrapper."""
    del texts
    raise InvalidInput("SOPS files cannot be decrypted here")


NO_KEYS = SopsKeys(no_age)


async def decrypter(cluster: Cluster, app: Application, keys: SopsKeys) -> Decrypter | None:
    """What decrypts the application's files; None where it does not ask for it. InvalidInput, ClusterError."""
    asked = app.annotations.get(SOPS)
    if asked is None:
        return None
    ways = [word.strip() for word in asked.split(",")]
    if not set(ways) <= set(_WAYS):
        raise InvalidInput(f"its annotation {SOPS} says neither 'age' nor 'vault' nor both", about=str(app))
    marks: list[object] = []
    unwraps: list[Unwrap] = []
    for way in dict.fromkeys(ways):
        if way == "age":
            texts = await _identities(cluster, app)
            marks.append(texts)
            unwraps.append(keys.age(texts))
        else:
            if keys.vault is None:
                hint = "start the controller with --vault FILE (for kilde app diff: set KILDE_VAULT)"
                raise InvalidInput(
                    "its SOPS files need Vault, and it is not said where that is", about=str(app), hint=hint
                )
            marks.append([[list(rule.who), list(rule.paths)] for rule in keys.rules])
            unwraps.append(_by_vault(keys.vault, keys.rules, app.project, asyncio.get_running_loop()))
    mark = hashlib.blake2b(canonical([ways, marks]), digest_size=16).hexdigest()
    return Decrypter(unwraps[0] if len(unwraps) == 1 else _first_of(unwraps), mark)


def _first_of(unwraps: Sequence[Unwrap]) -> Unwrap:
    """Tries one after the other; the last one's error is told."""

    def unwrap(metadata: Object) -> bytes:
        for each in unwraps[:-1]:
            try:
                return each(metadata)
            except KildeError:
                continue
        return unwraps[-1](metadata)

    return unwrap


def _by_vault(vault: Vault, rules: tuple[Rule, ...], project: str, loop: asyncio.AbstractEventLoop) -> Unwrap:
    """Unwraps by transit. A render runs in a thread and waits there; what it got is kept for that render.

    The address that a file names is never asked: whoever writes the file would have the token sent to him.
    """
    known: dict[tuple[Place, str], bytes] = {}

    def unwrap(metadata: Object) -> bytes:
        entries = wrapped_by(metadata, VAULT)[:_MOST]
        if not entries:
            raise SopsFailed("is wrapped by no transit key", hint="encrypt it with sops --hc-vault-transit")
        refused: KildeError | None = None
        for entry in entries:
            try:
                key, text = _transit_key(entry, rules, project), str(entry.get("enc", ""))
                if (key, text) not in known:
                    known[key, text] = _asked(vault, key, text, loop)
                return known[key, text]
            except KildeError as error:
                refused = error
        assert refused is not None
        raise refused

    return unwrap


def _asked(vault: Vault, key: Place, text: str, loop: asyncio.AbstractEventLoop) -> bytes:
    """From the thread of a render. VaultError."""
    asked = asyncio.run_coroutine_threadsafe(vault.decrypt(key, text), loop)
    try:
        return asked.result(_PATIENCE)
    except TimeoutError:
        asked.cancel()
        raise VaultError(Reason.UNREACHABLE, f"no answer within {_PATIENCE:g} s", about="Vault") from None


def _transit_key(entry: Object, rules: tuple[Rule, ...], project: str) -> Place:
    """InvalidInput for what is no transit key, or not one of the project."""
    mount, name = str(entry.get("engine_path", "")).strip("/"), str(entry.get("key_name", ""))
    for part in (mount, name):
        segments(part, about="hc_vault")
    key = Place(mount, name)
    if not permits(rules, key, word="project", name=project):
        hint = "the rules in the controller's file for Vault (sops) say which keys a project may use"
        raise SopsFailed(f"transit key {key} is not for project {project}", hint=hint)
    return key


async def _identities(cluster: Cluster, app: Application) -> list[str]:
    raw = await cluster.list(_SECRETS, app.home, label_selector=f"{KEYS_LABEL}={app.project}")
    texts = [text for each in raw for text in _texts(each)]
    if not texts:
        hint = f"label a Secret of namespace {app.home} that holds age identities: {KEYS_LABEL}={app.project}"
        raise InvalidInput(f"there are no SOPS keys for project {app.project}", about=str(app), hint=hint)
    return texts


def _texts(raw: bytes) -> list[str]:
    data = msgspec.json.decode(raw).get("data") or {}
    try:
        return [base64.b64decode(data[key]).decode("utf-8", "replace") for key in sorted(data)]
    except (binascii.Error, TypeError):
        return []
