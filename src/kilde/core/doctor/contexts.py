"""Kubeconfig hygiene: which contexts put production within reach of a slip of the hand."""

import re
from dataclasses import dataclass

from kilde.core.doctor.finding import Finding, Verdict

PRODUCTION = r"(^|[^a-z])(prod|production|prd|live)([^a-z]|$)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One context as it was found. `deletes`: whether its user may delete namespaces (None: not known, `failure` says why)."""

    name: str
    server: str
    current: bool
    insecure: bool = False
    deletes: bool | None = None
    failure: str = ""


def is_production(context: Context, pattern: str = PRODUCTION) -> bool:
    """Whether its name or its server's address says that it is production (a regular expression, whatever the case)."""
    return any(re.search(pattern, text, re.IGNORECASE) for text in (context.name, context.server))


def judge_context(context: Context, *, production: bool) -> Finding:
    """The verdict on one context."""
    verdict, says, hint = _judged(context, production)
    if context.insecure and verdict in (Verdict.GOOD, Verdict.UNKNOWN):
        verdict, hint = (
            Verdict.WATCH,
            "insecure-skip-tls-verify lets anybody in between read its token: name its certificate-authority",
        )
        says = f"{says}; its server's certificate is not checked"
    kind = "production" if production else "not production"
    marks = ", ".join(part for part in (kind, "current" if context.current else "") if part)
    return Finding(area="kubeconfig", check=context.name, verdict=verdict, says=f"{says} ({marks})", hint=hint)


def _judged(context: Context, production: bool) -> tuple[Verdict, str, str]:
    if context.deletes is None:
        return Verdict.UNKNOWN, f"what it may do is not known: {context.failure}", ""
    if not production:
        return Verdict.GOOD, "may delete namespaces" if context.deletes else "may not delete namespaces", ""
    if context.deletes and context.current:
        return Verdict.BAD, "may delete namespaces, and is what a plain kubectl means", _HINT
    if context.deletes:
        return Verdict.WATCH, "may delete namespaces", _HINT
    if context.current:
        return Verdict.GOOD, "may not delete namespaces, though it is what a plain kubectl means", ""
    return Verdict.GOOD, "may not delete namespaces", ""


_HINT = "give people a user that reads only, and let Git write: kubectl config use-context another, and keep an admin's kubeconfig apart"


def judge_file(path: str, mode: int) -> Finding | None:
    """The verdict on the file's permissions (st_mode); None where they are right."""
    if not mode & 0o077:
        return None
    says = f"{path} can be read by others on this machine (mode {mode & 0o777:04o})"
    return Finding(area="kubeconfig", check="file", verdict=Verdict.WATCH, says=says, hint=f"chmod 600 {path}")
