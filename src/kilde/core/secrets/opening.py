"""Opening: a SealedSecret and private keys become a Secret, all of it or nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.secrets import base64, documents
from kilde.core.secrets.item import open_item
from kilde.core.secrets.scope import SKIP_OWNER, is_true, label_of
from kilde.core.secrets.sealed_value import CannotOpen, open_blob

Render = Callable[[str, str, Mapping[str, str]], str]  # name of the item, its template, the opened values → text


class DoesNotOpen(InvalidInput):
    """A SealedSecret that cannot be opened as a whole; the message names items, never what they hold."""

    code = "sealed-secret-does-not-open"


class TemplateFailed(ValueError):
    """A template of `spec.template.data` that cannot be rendered, in Go's words and without a sealed value."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What came out. `values` are the sealed items alone, `data` is all that the Secret holds."""

    values: Mapping[str, bytes] = field(repr=False)
    data: Mapping[str, bytes] = field(repr=False)
    opened_by: Mapping[str, RSAPrivateKey] = field(repr=False)


def open_values(sealed: Object, keys: Iterable[RSAPrivateKey]) -> Opened:
    """The sealed items of a typed SealedSecret, without its templates. DoesNotOpen tells of every item that does not."""
    tried = list(keys)
    values: dict[str, bytes] = {}
    opened_by: dict[str, RSAPrivateKey] = {}
    wrong: list[tuple[str, str]] = []
    for item in sealed["spec"]["encryptedData"]:
        try:
            values[item], key = open_item(sealed, item, tried)
        except (CannotOpen, base64.IllegalBase64) as error:
            wrong.append((item, str(error)))
            continue
        opened_by[item] = key
        tried.sort(key=lambda one: one is not key)  # its neighbours are likely sealed to the same
    if wrong:
        raise DoesNotOpen(_told(wrong))
    return Opened(values, values, opened_by)


def open_sealed(sealed: Object, keys: Iterable[RSAPrivateKey], render: Render, *, old_form: bool = True) -> Object:
    """The Secret of a typed SealedSecret (documents.sealed_secret). DoesNotOpen.

    `old_form`: whether `spec.data`, one blob over a whole Secret, is opened too.
    """
    spec = sealed["spec"]
    if spec.get("data"):
        return _owned(_from_old_form(sealed, keys, old_form=old_form), sealed)
    return assembled(sealed, open_values(sealed, keys).values, render)


def assembled(source: Object, values: Mapping[str, bytes], render: Render) -> Object:
    """The Secret of an object with a template (`spec.template`) and of its values. DoesNotOpen for a template that fails."""
    template = source["spec"]["template"]
    data = {**values, **_rendered(template.get("data") or {}, values, render)}
    secret: Object = {"kind": "Secret", "apiVersion": "v1", "metadata": dict(template["metadata"])}
    if "immutable" in template:
        secret["immutable"] = template["immutable"]
    if data:
        secret["data"] = {key: base64.encode(data[key]) for key in sorted(data)}
    if template.get("type"):
        secret["type"] = template["type"]
    return _owned(secret, source)


def _rendered(templates: Mapping[str, str | None], values: Mapping[str, bytes], render: Render) -> dict[str, bytes]:
    dot = {key: value.decode("utf-8", "replace") for key, value in values.items()} if templates else {}
    found: dict[str, bytes] = {}
    wrong: list[tuple[str, str]] = []
    for item, template in templates.items():
        try:
            found[item] = documents.encoded(render(item, template or "", dot))
        except TemplateFailed as error:
            wrong.append((item, str(error)))
    if wrong:
        raise DoesNotOpen(_told(wrong))
    return found


def _from_old_form(sealed: Object, keys: Iterable[RSAPrivateKey], *, old_form: bool) -> Object:
    spec = sealed["spec"]
    if not old_form:
        raise DoesNotOpen("using deprecated 'data' field, use 'encryptedData' or flip the feature flag")
    if spec["encryptedData"]:
        raise DoesNotOpen("cannot use the field 'encryptedData' and the deprecated field 'data' at the same time")
    try:
        text, _ = open_blob(base64.decode(spec["data"]), keys, label_of(sealed["metadata"]))
        held = msgspec.json.decode(text)
        about = "the sealed Secret"
        documents.expect(held, "Secret", "v1", about=about)
        metadata, values = documents.metadata_of(held, about=about), documents.secret_values(held, about=about)
    except (CannotOpen, base64.IllegalBase64) as error:
        raise DoesNotOpen(str(error)) from None
    except (msgspec.DecodeError, InvalidInput, AttributeError):
        raise DoesNotOpen("what the deprecated field 'data' holds is not a Secret") from None
    secret: Object = {"kind": "Secret", "apiVersion": "v1", "metadata": metadata}
    if values:
        secret["data"] = {key: base64.encode(value) for key, value in values.items()}
    return {**secret, **{key: held[key] for key in ("type", "immutable") if held.get(key) is not None}}


def _owned(secret: Object, sealed: Object) -> Object:
    """Named and placed as the SealedSecret is, and owned by it unless its template says no."""
    outer = sealed["metadata"]
    metadata = {**secret["metadata"], "name": outer.get("name"), "namespace": outer.get("namespace")}
    metadata = {key: value for key, value in metadata.items() if value or key == "creationTimestamp"}
    template = sealed["spec"]["template"]["metadata"]
    if not is_true(template.get("annotations"), SKIP_OWNER):
        metadata.pop("ownerReferences", None)
        if outer.get("uid"):
            metadata["ownerReferences"] = [owner_of(sealed)]
    about = f"{outer.get('namespace', '')}/{outer.get('name', '')}"
    return {**secret, "metadata": documents.metadata_of({"metadata": metadata}, about=about)}


def owner_of(sealed: Object) -> Object:
    """The owner reference of the Secret that is made from a SealedSecret, or from another object with a template."""
    metadata = sealed["metadata"]
    return {
        "apiVersion": sealed["apiVersion"],
        "kind": sealed["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }


def _told(wrong: list[tuple[str, str]]) -> str:
    """Each different error on a line, with the items that have it."""
    by_words: dict[str, list[str]] = {}
    for item, words in wrong:
        by_words.setdefault(words, []).append(item)
    return "\n".join(f"{words} ({', '.join(sorted(items))})" for words, items in by_words.items())
