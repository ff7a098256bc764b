"""Options of `kilde cluster` about its audit log: which requests are recorded, and where."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kilde.cli.option_groups import group

if TYPE_CHECKING:
    from kilde.kubeapi.settings import AuditLog

_PATH = click.Path(path_type=Path)


def _audit(
    *,
    audit_log: Path | None,
    audit_policy: Path | None,
    audit_max_size: int,
    audit_max_backups: int,
    audit_max_age: int,
) -> "AuditLog | None":
    """What is recorded, and where; the limits are MiB, files and days."""
    log, policy, limits = audit_log, audit_policy, (audit_max_size, audit_max_backups, audit_max_age)
    if log is None:
        if policy is not None:
            raise click.UsageError("--audit-policy needs --audit-log FILE")
        if any(limits):
            raise click.UsageError("--audit-max-size, --audit-max-backups and --audit-max-age need --audit-log FILE")
        return None
    from kilde.core.basics.errors import InvalidInput
    from kilde.core.objects.yaml_reader import read_documents
    from kilde.kubeapi.logic import audit
    from kilde.kubeapi.serving.rotating import Rotation
    from kilde.kubeapi.settings import AuditLog

    rotation = Rotation(audit_max_size * 1024 * 1024, audit_max_backups, audit_max_age)
    if policy is None:
        return AuditLog(log.absolute(), audit.EVERYTHING, rotation)
    try:
        found = [one.value for one in read_documents(policy.read_bytes(), file=str(policy))]
    except OSError as error:
        raise InvalidInput(f"it cannot be read: {error.strerror}", about=str(policy)) from error
    if len(found) != 1:
        raise InvalidInput(f"it has {len(found)} documents, not one", about=str(policy))
    return AuditLog(log.absolute(), audit.policy(found[0], str(policy)), rotation)


audit_options = group(
    "audit",
    _audit,
    click.option("--audit-log", type=_PATH, metavar="FILE", help="Append who asked for what to a file, as JSON lines."),
    click.option(
        "--audit-policy",
        type=_PATH,
        metavar="FILE",
        help="A Policy of audit.k8s.io/v1: which requests --audit-log has, and whether with bodies. Default: all, without.",
    ),
    click.option(
        "--audit-max-size",
        type=click.IntRange(0),
        default=0,
        metavar="MIB",
        help="Put the file of --audit-log aside before it is larger. Default: never.",
    ),
    click.option(
        "--audit-max-backups",
        type=click.IntRange(0),
        default=0,
        metavar="N",
        help="Keep so many files that were put aside. Default: all.",
    ),
    click.option(
        "--audit-max-age",
        type=click.IntRange(0),
        default=0,
        metavar="DAYS",
        help="Keep files that were put aside for so long. Default: for ever.",
    ),
)
