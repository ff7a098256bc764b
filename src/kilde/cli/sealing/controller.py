"""`kilde seal controller`: opens SealedSecrets in a cluster, with the flags of the real controller."""

import asyncio
import os
import platform
import secrets
import signal
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path

import click

from kilde.cli.parameters import ADDRESS
from kilde.cli.sealing import flags
from kilde.cli.sealing.flags import Flag, Values
from kilde.cli.sealing.key_store import keys_of
from kilde.cli.vault_file import VARIABLE
from kilde.core.basics.errors import InvalidInput
from kilde.engine.sealing.settings import SealingSettings

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_NO_EFFECT = ("log-info-stdout", "old-gc-behavior", "skip-recreate", "update-status")
TABLE = (
    Flag("accept-deprecated-v1-data", "Open the old form, spec.data, too.", "flag", default="true"),
    Flag("additional-namespaces", "Further namespaces to look at, besides its own.", "list"),
    Flag("all-namespaces", "Look at every namespace.", "flag", default="true"),
    Flag("context", "The kubeconfig's context to use."),
    Flag("help", "Print this.", "flag", short="h"),
    Flag("key-cutoff-time", "Make a new key if the newest is older than this, as RFC 1123 with a numeric zone."),
    Flag("key-prefix", "What the names of key Secrets begin with.", default="sealed-secrets-key"),
    Flag("key-renew-period", "Make a new key when the newest is so old; 0: never.", "duration", default="720h"),
    Flag("key-size", "Bits of a new key.", "number", default="4096"),
    Flag("key-ttl", "How long a new certificate is valid.", "duration", default="87600h"),
    Flag("kubeconfig", "The kubeconfig file; without it as kubectl finds it, or the pod's service account."),
    Flag("label-selector", "Look only at SealedSecrets with these labels."),
    Flag("listen", "Where /v1/cert.pem, /v1/verify and /v1/rotate are served.", default="127.0.0.1:8080"),
    Flag("listen-metrics", "Where /metrics is served as well."),
    Flag("my-cn", "Common name of new certificates."),
    Flag(
        "namespace",
        "Where its keys, Service and lease are; else POD_NAMESPACE, the pod's own, or kube-system.",
        short="n",
    ),
    Flag("privatekey-annotations", "Annotations of new key Secrets, a=b,c=d.", "list"),
    Flag("privatekey-labels", "Labels of new key Secrets, a=b,c=d.", "list"),
    Flag(
        "seal-keys",
        "Where the private keys lie: secrets; file:PATH, locked with a passphrase; or vault:MOUNT/NAME[,TRANSIT-MOUNT/KEY].",
        default="secrets",
    ),
    Flag("rate-limit", "Requests a second that /v1/verify and /v1/rotate answer.", "number", default="2"),
    Flag("rate-limit-burst", "Requests at once beyond that.", "number", default="2"),
    Flag("rotate-period", "The old name of --key-renew-period.", "duration", hidden=True),
    Flag("vault", "How Vault is reached: a file, as kilde up has it. Without it as VAULT_ADDR and VAULT_TOKEN say."),
    Flag("verbose", "Log more.", "flag"),
    Flag("version", "Print the version.", "flag"),
    *(Flag(name, "No effect.", hidden=True) for name in ("log-format", "log-level")),
    *(Flag(name, "No effect.", "flag", hidden=True) for name in _NO_EFFECT),
)


def serve(arguments: Sequence[str]) -> None:
    """Opens until SIGINT or SIGTERM; SIGUSR1 makes a new key. Exit 2 for a wrong flag."""
    from kilde import __version__

    try:
        values = flags.parse(TABLE, arguments, os.environ)
    except flags.WrongFlag as error:
        click.echo(f"{error}\n{flags.usage(TABLE)}", nl=False)
        click.echo("Usage of kilde seal controller:", err=True)
        raise click.exceptions.Exit(2) from None
    if values.is_set("help"):
        click.echo(f"Usage of kilde seal controller:\n{flags.usage(TABLE)}", nl=False)
        return
    if values.is_set("version"):
        click.echo(f"controller version: kilde {__version__}")
        return
    _run(values)


def _run(values: Values) -> None:
    from kilde.cli.serving import begin_log, say_ready, serve_until_signal
    from kilde.wiring.cluster import open_cluster
    from kilde.wiring.sealing import SealSettings, run_sealing

    begin_log(verbose=values.is_set("verbose"))
    metrics = values.text("listen-metrics")
    file = values.text("vault") or os.environ.get(VARIABLE, "")
    keys = keys_of(values.text("seal-keys"), Path(file) if file else None)
    settings = SealSettings(
        sealing=sealing_settings(values),
        listen=ADDRESS.convert(values.text("listen"), None, None),
        metrics_listen=ADDRESS.convert(metrics, None, None) if metrics else None,
        key_prefix=_prefix(values.text("key-prefix")),
        key_labels=_pairs(values, "privatekey-labels"),
        key_annotations=_pairs(values, "privatekey-annotations"),
        keys=keys,
        rate=values.number("rate-limit"),
        burst=values.number("rate-limit-burst"),
    )

    async def whole(stop: asyncio.Event) -> None:
        renew = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, renew.set)
        file = values.text("kubeconfig")
        cluster = open_cluster(Path(file) if file else None, context=values.text("context"))
        try:
            await run_sealing(settings, cluster, say_ready, stop, renew)
        finally:
            await cluster.close()

    serve_until_signal(whole)


def sealing_settings(values: Values) -> SealingSettings:
    """What the flags say of keys and namespaces. InvalidInput."""
    namespace = values.text("namespace") or own_namespace()
    namespaces: tuple[str, ...] = ()
    if not values.is_set("all-namespaces") or values.many("additional-namespaces"):
        namespaces = tuple(dict.fromkeys((namespace, *values.many("additional-namespaces"))))
    period = "rotate-period" if "rotate-period" in values.given else "key-renew-period"
    return SealingSettings(
        namespace=namespace,
        namespaces=namespaces,
        label_selector=values.text("label-selector"),
        key_size=values.number("key-size"),
        key_ttl=values.seconds("key-ttl"),
        renew_period=values.seconds(period),
        cutoff=_moment(values.text("key-cutoff-time")),
        common_name=values.text("my-cn"),
        old_form=values.is_set("accept-deprecated-v1-data"),
        identity=f"{platform.node()}-{os.getpid()}-{secrets.token_hex(4)}",
    )


def own_namespace() -> str:
    """The namespace of the pod we run in; that of kubeseal's default outside of one."""
    if found := os.environ.get("POD_NAMESPACE"):
        return found
    try:
        return _SERVICE_ACCOUNT.read_text().strip() or "kube-system"
    except OSError:
        return "kube-system"


def _moment(text: str) -> float:
    if not text:
        return 0.0
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        hint = "write it as in: Mon, 02 Jan 2006 15:04:05 +0000"
        raise InvalidInput("is not a time", about="--key-cutoff-time", hint=hint) from None


def _prefix(text: str) -> str:
    if len(text) > 245 or not text.replace("-", "a").isalnum() or text != text.lower() or not text.isascii():
        raise InvalidInput("must be at most 245 lower-case letters, digits and dashes", about="--key-prefix")
    return text


def _pairs(values: Values, name: str) -> dict[str, str]:
    found = {}
    for pair in values.many(name):
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise InvalidInput(f"'{pair}' is not key=value", about=f"--{name}")
        found[key] = value
    return found
