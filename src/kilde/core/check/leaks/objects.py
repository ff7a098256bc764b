"""Credentials where Kubernetes keeps them: Secrets, generators, environments, arguments, annotations, kubeconfigs, values."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from kilde.core.check.leaks.keys import find_keys
from kilde.core.check.leaks.leak import Sighting, length_of
from kilde.core.check.leaks.lines import find_in_lines, named
from kilde.core.check.leaks.names import Promise, holds_secrets, promise_of
from kilde.core.check.leaks.nodes import Branch, Leaf, Node, leaves, parts_of
from kilde.core.check.leaks.tokens import find_tokens
from kilde.core.check.leaks.values import decoded, is_credential, is_placeholder, is_public

Look = Callable[[str], str | None]  # a path beside the file that is judged → its text; None: it is not in Git

_SEALED = frozenset({
    "SealedSecret",
})  # fmt: skip
# they name where a secret is, and hold none
_REFERENCES = frozenset({
    "ExternalSecret", "ClusterExternalSecret", "SecretStore", "ClusterSecretStore", "PushSecret",
    "VaultStaticSecret", "VaultDynamicSecret", "VaultPKISecret", "VaultAuth", "VaultConnection",
    "SecretProviderClass", "VaultSecret", "AzureKeyVaultSecret", "OnePasswordItem", "BitwardenSecret",
    "InfisicalSecret", "DopplerSecret", "CustomResourceDefinition",
})  # fmt: skip
_LAST_APPLIED = ("last-applied-configuration", "last-applied")
_DEEP = 3  # manifests within values within manifests
_ENCODES = 24  # characters of base64 from which on it may hold a token
_SHOWN = 5  # names of a Secret's values
_RAW, _FILES, _FIELD = 9, 8, 3


@dataclass(frozen=True, slots=True)
class _Where:
    """What is known of the place: the rule that its named values break, and whether names mean anything there."""

    rule: str = "named-value"
    named: bool = True
    in_block: bool = False  # of a name such as `credentials`
    depth: int = 0


def find_in_documents(
    text: str, line: int = 1, *, look: Look | None = None, kustomization: bool = False, depth: int = 0
) -> Iterator[Sighting]:
    """Everything that YAML or JSON holds; a document that cannot be read is gone through line by line."""
    for part in parts_of(text, line):
        if part.root is None:
            yield from find_in_lines(part.text, part.line, code=False)
            continue
        yield from _Walk(part.text.split("\n"), part.line, look).document(part.root, kustomization, depth)
        yield from find_in_lines(part.text, part.line, code=False, only_comments=True)


class _Walk:
    """One document's nodes, each looked at once."""

    def __init__(self, lines: list[str], first: int, look: Look | None) -> None:
        self._lines, self._first, self._look = lines, first, look

    def document(self, root: Node, kustomization: bool, depth: int) -> Iterator[Sighting]:
        where = _Where(depth=depth)
        if isinstance(root, Branch) and _is_sops(root):
            root = Branch([(key, value) for key, value in root.entries if key != "sops"], root.line, root.last)
        if isinstance(root, Branch) and (kustomization or root.text("kind") in ("Kustomization", "Component")):
            yield from self._generators(root)
        yield from self._node(root, where)

    def _node(self, node: Node, where: _Where) -> Iterator[Sighting]:
        if isinstance(node, Branch):
            yield from self._branch(node, where)
        elif isinstance(node, list):
            for value in node:
                yield from self._node(value, where)
        else:
            yield from self._leaf(node, where)

    def _branch(self, node: Branch, where: _Where) -> Iterator[Sighting]:
        kind = node.text("kind")
        is_object = bool(kind and (node.text("apiVersion") or _is_secret(node)))
        skipped: tuple[str, ...] = ()
        if is_object:
            where = replace(
                where,
                named=kind not in _SEALED | _REFERENCES,
                rule="config-credential" if kind == "ConfigMap" else "named-value",
                in_block=False,
            )
            if kind == "Secret":
                yield from self._secret(node)
                skipped = ("data", "stringData")
            elif kind == "Config" and node.get("users") is not None:
                yield from _kubeconfig(node)
        if (auths := node.branch("auths")) is not None:
            yield from _docker(auths)
        yield from self._pair(node, where)
        for key, value in node.entries:
            if key not in skipped:
                yield from self._entry(key, value, where)

    def _pair(self, node: Branch, where: _Where) -> Iterator[Sighting]:
        """`{name: DB_PASSWORD, value: x}`, as environments and parameters are written."""
        value = node.get("value")
        name = node.text("name") or node.text("key")
        if node.text("op"):
            name = node.text("path").rpartition("/")[2]  # of a JSON patch
        if isinstance(value, Leaf) and name and where.named and is_credential(value.text, promise_of(name)):
            yield _sighting(value, "env-credential", "credential", named(name, value.text), value.text)

    def _entry(self, key: str, value: Node, where: _Where) -> Iterator[Sighting]:
        if isinstance(value, Leaf):
            if key.endswith(_LAST_APPLIED):
                yield from self._last_applied(value, where)
                return
            if where.named and not value.is_block and "\n" not in value.text.strip():
                promise = promise_of(key)
                if where.in_block and promise is Promise.NOTHING and key not in ("name", "key", "namespace", "kind"):
                    promise = Promise.KEY
                if is_credential(value.text, promise):
                    yield _sighting(value, where.rule, "credential", named(key, value.text), value.text)
            yield from self._leaf(value, where)
            return
        inner = replace(where, in_block=where.in_block or holds_secrets(key))
        if key in ("args", "command", "extraArgs") and isinstance(value, list):
            yield from _arguments(value, where)
        elif key in ("annotations", "labels"):
            inner = replace(inner, rule="annotation-credential")
        elif key in ("encryptedData", "properties", "required", "enum"):
            inner = replace(inner, named=False)
        yield from self._node(value, inner)

    def _leaf(self, leaf: Leaf, where: _Where) -> Iterator[Sighting]:
        """What is within a value: lines of a file, a manifest, base64 of either."""
        text, here = leaf.text, leaf.column + 1
        is_document = text[:1] in "{[" and '"' in text
        if leaf.is_block or leaf.last > leaf.line:
            yield from self._block(leaf, where, is_document)
        elif where.named and is_document and where.depth < _DEEP:
            for one in find_in_documents(text, depth=where.depth + 1):
                yield replace(one, line=leaf.line, column=here)
        elif where.named and ("=" in text or ":" in text):
            for one in find_in_lines(text, leaf.line, code=True, rule=where.rule):
                yield replace(one, column=here)
        if len(text) >= _ENCODES and (plain := decoded(text)):
            for one in (*find_tokens(plain), *find_keys(plain)):
                yield replace(one, line=leaf.line, column=here, kind=f"{one.kind} in base64")

    def _block(self, leaf: Leaf, where: _Where, is_document: bool) -> Iterator[Sighting]:
        if where.depth < _DEEP and (
            is_document or ("kind:" in leaf.text and ("apiVersion:" in leaf.text or "kind: Secret" in leaf.text))
        ):
            for one in find_in_documents(leaf.text, leaf.line + leaf.is_block, depth=where.depth + 1):
                yield replace(one, column=one.column + self._indent(leaf), line=min(one.line, leaf.last))
        elif where.named and leaf.is_block:
            begin, end = leaf.line - self._first + 1, leaf.last - self._first + 1
            yield from find_in_lines("\n".join(self._lines[begin:end]), leaf.line + 1, code=False, rule=where.rule)

    def _indent(self, leaf: Leaf) -> int:
        """How far in the first line of a block's text stands."""
        line = self._lines[min(leaf.line - self._first + leaf.is_block, len(self._lines) - 1)]
        return len(line) - len(line.lstrip())

    def _secret(self, node: Branch) -> Iterator[Sighting]:
        """A raw Secret is one finding, whatever it holds; what is a placeholder, sealed or public is none."""
        names, values = [], []
        first: Leaf | None = None
        for block in ("data", "stringData"):
            inside = node.branch(block)
            for key, value in inside.entries if inside is not None else ():
                for leaf in leaves(value):
                    if _is_plain(leaf.text, (decoded(leaf.text, 4) or leaf.text) if block == "data" else leaf.text):
                        first = first or leaf
                        names.append(key)
                        values.append(leaf.text)
        if first is not None:
            shown = ", ".join(
                name
                for name in names[:_SHOWN]
                if len(name) <= 64 and name.isprintable() and not any(name in value for value in values)
            )
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            count = f"{len(values)} value{'s' if len(values) > 1 else ''}"
            hint = f"{count}: {shown}{more}" if shown else count
            yield _sighting(
                first, "raw-secret", "Secret in plain text", hint, "\0".join(values), _RAW, lines=(node.line, node.last)
            )

    def _last_applied(self, leaf: Leaf, where: _Where) -> Iterator[Sighting]:
        """The object as kubectl last applied it: a Secret's values are in there, too."""
        try:
            json.loads(leaf.text)
        except ValueError:
            return
        for one in find_in_documents(leaf.text, depth=where.depth + 1) if where.depth < _DEEP else ():
            hint = f"last-applied configuration: {one.hint}"
            yield replace(
                one, line=leaf.line, column=leaf.column + 1, rule="annotation-credential", hint=hint, lines=None
            )

    def _generators(self, node: Branch) -> Iterator[Sighting]:
        for field, rule in (("secretGenerator", "secret-generator"), ("configMapGenerator", "config-credential")):
            for generator in node.items(field):
                if isinstance(generator, Branch):
                    yield from self._generator(generator, rule)

    def _generator(self, node: Branch, rule: str) -> Iterator[Sighting]:
        for leaf in leaves(node.get("literals")):
            name, _, value = leaf.text.partition("=")
            value = value.strip("'\"")
            secret = rule == "secret-generator" and not is_placeholder(value) and not is_public(value)
            if secret or is_credential(value, promise_of(name)):
                yield _sighting(leaf, rule, "credential", named(name, value), leaf.text, _FILES)
        if rule == "secret-generator":
            for field in ("files", "envs", "env"):
                for leaf in leaves(node.get(field)):
                    yield from self._generated_file(leaf)

    def _generated_file(self, leaf: Leaf) -> Iterator[Sighting]:
        """A Secret made of a file: plain text in Git, unless the file is not there, encrypted, or public."""
        path = leaf.text.partition("=")[2] or leaf.text
        if self._look is not None:
            text = self._look(path)
            if text is None or _is_encrypted(text) or is_public(text.strip()[:4000]) or not text.strip():
                return
        yield _sighting(leaf, "secret-generator", "file of a Secret", "a file that becomes a Secret", leaf.text, _FILES)


def _is_secret(node: Branch) -> bool:
    """Whether it is one, whole or as a patch that leaves its version out."""
    return node.text("kind") == "Secret" and (node.branch("data") or node.branch("stringData")) is not None


def _is_plain(written: str, meant: str) -> bool:
    """Whether a Secret's value may be secret and is not encrypted."""
    if is_placeholder(meant) or is_placeholder(written) or meant.lstrip().startswith("-----BEGIN CERT"):
        return False
    return not is_public(written) or meant.isdigit()


def _is_sops(root: Branch) -> bool:
    sops = root.branch("sops")
    return sops is not None and sops.get("mac") is not None


def _is_encrypted(text: str) -> bool:
    return "ENC[AES256_GCM," in text or text.startswith(
        ("age-encryption.org/", "-----BEGIN AGE ENCRYPTED", "-----BEGIN PGP MESSAGE", "\0GITCRYPT")
    )


def _arguments(items: list[Node], where: _Where) -> Iterator[Sighting]:
    """`--password=x`, and `--password` with its value behind it."""
    del where
    before = ""
    for item in items:
        if not isinstance(item, Leaf):
            before = ""
            continue
        name, sign, value = item.text.partition("=")
        if before and not item.text.startswith("-"):
            name, value = before, item.text
        if name.startswith("-") and value and is_credential(value, promise_of(name.lstrip("-"))):
            yield _sighting(item, "argument-credential", "credential", named(name, value), value)
        elif item.is_block or " " in item.text:
            for one in find_in_lines(item.text, item.line + item.is_block, code=False, rule="argument-credential"):
                yield replace(one, column=item.column + 1)
        before = item.text if item.text.startswith("-") and not sign else ""


def _kubeconfig(node: Branch) -> Iterator[Sighting]:
    for user in node.items("users"):
        inside = user.branch("user") if isinstance(user, Branch) else None
        for field in ("token", "password", "client-key-data", "id-token", "refresh-token"):
            for leaf in leaves(inside.get(field)) if inside is not None else ():
                if not is_placeholder(leaf.text):
                    yield _sighting(
                        leaf,
                        "kubeconfig",
                        "kubeconfig with credentials",
                        f"{field} ({length_of(leaf.text)})",
                        leaf.text,
                        _FILES,
                    )


def _docker(auths: Branch) -> Iterator[Sighting]:
    for _, registry in auths.entries:
        for field in ("auth", "password", "identitytoken", "registrytoken"):
            leaf = registry.get(field) if isinstance(registry, Branch) else None
            if not isinstance(leaf, Leaf) or is_placeholder(leaf.text):
                continue
            _, colon, password = decoded(leaf.text).partition(":")
            if field != "auth" or (colon and not is_placeholder(password)):
                yield _sighting(
                    leaf,
                    "docker-config",
                    "registry credentials",
                    f"{field} ({length_of(leaf.text)})",
                    leaf.text,
                    _FILES,
                )


def _sighting(
    leaf: Leaf, rule: str, kind: str, hint: str, value: str, rank: int = _FIELD, lines: tuple[int, int] | None = None
) -> Sighting:
    line = leaf.line + (1 if leaf.is_block else 0)
    return Sighting(line, leaf.column + 1, rule, kind, hint, value, rank, lines)
