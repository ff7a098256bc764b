"""What `kilde seal` does, one function an action; text in, text out, files only where kubeseal has them."""

import datetime
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from kilde.cli.no_core_dumps import forbid_core_dumps
from kilde.cli.sealing.flags import Values
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects.yaml_writer import write_document
from kilde.core.secrets import documents, json_text, keys, recipients
from kilde.core.secrets.opening import open_sealed
from kilde.core.secrets.scope import API_VERSION, KIND, Scope, scope_of, with_scope
from kilde.core.secrets.sealing import Sealer, merged, prepared

LARGEST = 64 << 20  # bytes of input


@dataclass(frozen=True, slots=True)
class Job:
    """One run: its flags, what stands on stdin (read when it is asked for), and the environment."""

    values: Values
    stdin: Callable[[], bytes]
    environment: Mapping[str, str]

    @property
    def about(self) -> str:
        """How errors name the input."""
        return self.values.text("secret-file") or "<stdin>"

    def input(self) -> bytes:
        """The bytes of -f, or of stdin. InvalidInput."""
        file = self.values.text("secret-file")
        return read_file(file) if file else self.stdin()

    def write(self, objects: Iterable[Object]) -> str:
        """The objects in the format asked for."""
        return "".join(written(obj, self.format) for obj in objects)

    @property
    def format(self) -> str:
        """json or yaml. InvalidInput for another."""
        if Path(self.output).suffix in (".yaml", ".yml"):
            return "yaml"
        asked = self.values.text("format")
        if asked.lower() not in ("", "json", "yaml"):
            raise InvalidInput(f"unsupported output format: {asked}")
        return asked.lower() or "json"

    @property
    def output(self) -> str:
        """The file to write; "" for stdout. Re-encrypting a file writes that file, unless another is named."""
        named = self.values.text("sealed-secret-file")
        return named or (self.values.text("secret-file") if self.re_encrypts else "")

    @property
    def re_encrypts(self) -> bool:
        return self.values.is_set("re-encrypt") or self.values.is_set("rotate")

    @property
    def scope(self) -> Scope | None:
        """The scope, if one was asked for."""
        asked = self.values.text("scope")
        return Scope(asked) if asked else None


def run(job: Job) -> str:
    """Does what the flags ask for; gives what is to be printed or written. KildeError."""
    forbid_core_dumps()
    values = job.values
    if values.many("from-file") and not values.is_set("raw"):
        raise InvalidInput("--from-file requires --raw")
    action = next((act for flag, act in _ACTIONS if values.is_set(flag)), None)
    if action is not None:
        return action(job)
    if job.re_encrypts:
        return _re_encrypt(job)
    if values.is_set("fetch-cert"):
        return b"".join(data for _, data in _certificates(job)).decode("latin-1")
    first, *others = _public_keys(job)
    sealer = Sealer(first, os.urandom, others=others)
    if values.text("merge-into"):
        return _merge(job, sealer)
    return _raw(job, sealer) if values.is_set("raw") else _seal(job, sealer)


def _seal(job: Job, sealer: Sealer) -> str:
    secrets = documents.read(job.input(), file=job.about)
    if not secrets:
        raise InvalidInput("no secrets found", about=job.about, hint="give a Secret in YAML or JSON")
    return job.write(_sealed(job, sealer, secret, name=job.values.text("name")) for secret in secrets)


def _sealed(job: Job, sealer: Sealer, secret: Object, *, name: str) -> Object:
    return sealer.sealed(
        prepared(
            secret,
            about=job.about,
            name=name,
            namespace=lambda: _namespace(job),
            scope=job.scope,
            allow_empty=job.values.is_set("allow-empty-data"),
        ),
        about=job.about,
    )


def _raw(job: Job, sealer: Sealer) -> str:
    if len(sealer.keys) > 1:
        hint = "seal the Secret without --raw, or add the value with --merge-into FILE"
        raise InvalidInput("--raw takes one --cert: a value for several is bound to its object", hint=hint)
    scope = job.scope or Scope.STRICT
    name, namespace = job.values.text("name"), ""
    if scope is not Scope.CLUSTER_WIDE:
        namespace = _namespace(job)
        if not name and scope is Scope.STRICT:
            raise InvalidInput(f"must provide the --name flag with --raw and --scope {scope}")
    files = job.values.many("from-file")
    if len(files) > 1:
        raise InvalidInput("must provide only one --from-file when encrypting a single item with --raw")
    value = read_file(files[0].partition("=")[2] or files[0]) if files else job.stdin()
    return sealer.text(value, scope.label(namespace, name))


def _merge(job: Job, sealer: Sealer) -> str:
    """The file's own scope counts: an item sealed for another would never open."""
    file = job.values.text("merge-into")
    found = documents.read(read_file(file), file=file)
    if len(found) != 1:
        raise InvalidInput(f"holds {len(found)} objects, and one SealedSecret is needed", about=file)
    into = documents.sealed_secret(found[0], about=file)
    scope, metadata = scope_of(into["metadata"]), into["metadata"]
    if job.scope is not None and job.scope is not scope:
        hint = f"leave out --scope, or seal the whole Secret anew as {job.scope}"
        raise InvalidInput(f"is {scope}: an item sealed {job.scope} would never open in it", about=file, hint=hint)
    secrets = documents.read(job.input(), file=job.about)
    if not secrets:
        raise InvalidInput("no secrets found", about=job.about, hint="give a Secret in YAML or JSON")
    place = {key: metadata[key] for key in ("name", "namespace") if metadata.get(key)}
    if recipients.is_marked(metadata):
        replace_file(file, written(_merge_bound(job, sealer, into, secrets), job.format))
        return ""
    if len(sealer.keys) > 1:
        hint = "give one --cert, or seal the whole Secret anew with several"
        raise InvalidInput(
            "its values have one recipient: an item for several would never open in it", about=file, hint=hint
        )
    for secret in secrets:
        given = secret.get("metadata") if isinstance(secret.get("metadata"), dict) else {}
        annotations = with_scope((given or {}).get("annotations"), scope)
        placed = {**secret, "metadata": {**(given or {}), **place, "annotations": annotations}}
        into = merged(into, _sealed(job, sealer, placed, name=""))
    text = written(documents.sealed_secret(into, about=file), job.format)
    replace_file(file, text)
    return ""


def _merge_bound(job: Job, sealer: Sealer, into: Object, secrets: list[Object]) -> Object:
    """Items for several recipients. They are bound to the file's template, which stays: the items there are bound to it, too."""
    file, items = job.values.text("merge-into"), dict(into["spec"]["encryptedData"])
    lacking = {each for text in items.values() for each in recipients.recipients_of_text(text)} - set(sealer.keys)
    if lacking:
        names = ", ".join(sorted(each.hex() for each in lacking))
        hint = "give the certificate of every recipient: --cert A --cert B; kilde secrets status names them"
        raise InvalidInput(f"is sealed to further keys: {names}", about=file, hint=hint)
    for secret in secrets:
        documents.expect(secret, "Secret", "v1", about=job.about)
        for key, value in documents.secret_values(secret, about=job.about).items():
            items[key] = sealer.item(into, key, value)
    return {**into, "spec": {**into["spec"], "encryptedData": dict(sorted(items.items()))}}


def _validate(job: Job) -> str:
    from kilde.cli.sealing.remote import Remote

    Remote(job.values).validate(_sealed_secrets(job))
    return ""


def _re_encrypt(job: Job) -> str:
    from kilde.cli.sealing.remote import Remote

    kind = {"kind": KIND, "apiVersion": API_VERSION}
    found = [{**obj, **kind} for obj in Remote(job.values).rotated(_sealed_secrets(job))]
    return job.write(documents.sealed_secret(obj, about=job.about) for obj in found)


def _unseal(job: Job) -> str:
    private = [key for file in job.values.many("recovery-private-key") for key in private_keys(file)]
    first, *others = _sealed_secrets(job)  # kubeseal opens one; that more were given is at least said
    if others:
        sys.stderr.write(f"warning: opened the first of {len(others) + 1} documents; give the others one by one\n")
    return job.write([open_sealed(first, private, render)])


def _sealed_secrets(job: Job) -> list[Object]:
    found = documents.read(job.input(), file=job.about)
    if not found:
        raise InvalidInput("no SealedSecret found", about=job.about, hint="give one in YAML or JSON")
    return [documents.sealed_secret(obj, about=job.about) for obj in found]


_ACTIONS: tuple[tuple[str, Callable[[Job], str]], ...] = (("recovery-unseal", _unseal), ("validate", _validate))


def render(item: str, template: str, values: Mapping[str, str]) -> str:
    """Templates are seldom: their engine is loaded when the first one comes."""
    from kilde.core.secrets import templates

    return templates.render(item, template, values)


def private_keys(file: str) -> list[RSAPrivateKey]:
    """The private keys of a file: PEM, a key Secret, or a List of them. InvalidInput."""
    data = read_file(file)
    if b"-----BEGIN" in data[:4096] and not data.lstrip().startswith((b"{", b"apiVersion")):
        return [keys.read_private_key(data, about=file)]
    found = []
    for secret in documents.read(data, file=file):
        values = documents.secret_values(secret, about=file)
        if "tls.key" not in values:
            raise InvalidInput(
                "holds a Secret without tls.key", about=file, hint="give PEM or a backup of the key Secrets"
            )
        name = (secret.get("metadata") or {}).get("name", "")
        found.append(keys.read_private_key(values["tls.key"], about=f"{file}: {name}"))
    if not found:
        raise InvalidInput("holds no private key", about=file, hint="give PEM or a backup of the key Secrets")
    return found


def _certificates(job: Job) -> list[tuple[str, bytes]]:
    """Each certificate with the name that errors give it; the controller's where none is named. InvalidInput."""
    named = job.values.many("cert") or [""]
    return [(where or job.values.text("controller-name"), _certificate(job, where)) for where in named]


def _certificate(job: Job, where: str) -> bytes:
    if where and "://" not in where and not where.startswith("file:"):
        return read_file(where)
    if where:
        from kilde.cli.sealing import certificate

        return certificate.load(where, insecure=job.values.is_set("insecure-cert-url"))
    from kilde.cli.sealing.remote import Remote

    return Remote(job.values).certificate()


def _public_keys(job: Job) -> list[RSAPublicKey]:
    now = datetime.datetime.now(datetime.UTC)
    return [
        keys.public_key(keys.read_certificate(data, about=about), now=now, about=about)
        for about, data in _certificates(job)
    ]


def _namespace(job: Job) -> str:
    """-n, or that of the kubeconfig's context. InvalidInput where there is neither."""
    named = job.values.text("namespace")
    if named:
        return named
    file = job.values.text("kubeconfig")
    known = [Path(part) for part in job.environment.get("KUBECONFIG", "").split(os.pathsep) if part]
    home = Path(job.environment.get("HOME", "")) / ".kube" / "config"
    is_in_pod = "KUBERNETES_SERVICE_HOST" in job.environment
    if not file and not is_in_pod and not any(path.exists() for path in known or [home]):
        raise InvalidInput(
            "input secret has no namespace and cannot infer the namespace automatically when no kube config is available",
            hint="write metadata.namespace, or give --namespace",
        )
    from kilde.adapters.clock import SystemClock
    from kilde.adapters.cluster import entry
    from kilde.cli.sealing.remote import overrides

    context, over = job.values.text("context"), overrides(job.values)
    way = entry.access(Path(file) if file else None, SystemClock(), job.environment, context=context, over=over)
    return way.namespace


def read_file(name: str) -> bytes:
    """The bytes of a file; `-` is no special name. InvalidInput."""
    try:
        with Path(name).open("rb") as file:
            return bounded(file.read(LARGEST + 1), name)
    except FileNotFoundError:
        raise InvalidInput(f"open {name}: no such file or directory") from None
    except OSError as error:
        raise InvalidInput(f"open {name}: {(error.strerror or 'cannot be read').lower()}") from None


def bounded(data: bytes, about: str) -> bytes:
    """The data; InvalidInput if it is more than anything honest."""
    if len(data) > LARGEST:
        raise InvalidInput(f"is larger than {LARGEST >> 20} MiB", about=about)
    return data


def read_stdin() -> bytes:
    """Everything on stdin."""
    return bounded(sys.stdin.buffer.read(LARGEST + 1), "<stdin>")


def replace_file(name: str, text: str) -> None:
    """Writes a file beside the old one and renames it: it is there whole, or as it was. InvalidInput."""
    target = Path(os.path.realpath(name))
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
            file.write(text)
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise InvalidInput(f"cannot be written: {error.strerror}", about=name) from None


def written(obj: Object, form: str) -> str:
    """One object as kubeseal prints it."""
    return f"---\n{write_document(obj)}" if form == "yaml" else f"{json_text.write(obj)}\n"
