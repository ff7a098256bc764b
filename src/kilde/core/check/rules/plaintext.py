"""Credentials in plain text: in the files that are judged, in what the commits of the range have brought, and what is allowed of both."""

import posixpath
from collections.abc import Iterator

from kilde.core.access.project import read_project
from kilde.core.basics.errors import InvalidInput, KildeError, LimitExceeded
from kilde.core.check.allowing import FILE, Allowances, read_allowances
from kilde.core.check.context import Context
from kilde.core.check.finding import Problem, Severity
from kilde.core.check.leaks import LARGEST, Leak, Look, find_leaks, unread
from kilde.core.check.rule import Rule
from kilde.core.check.tree_files import as_text
from kilde.core.secrets.raw import raw_secrets
from kilde.core.source.tree import EntryKind

_GONE = "whoever fetches this has it: change it where it is used, then take it out of the commits"
_SHORT = 10  # characters of a commit's id


def _files(context: Context) -> Iterator[Problem]:
    allowed = _allowances(context)
    for path in context.paths():
        for leak in _leaks_of(context, path):
            if not allowed.allows(leak):
                yield _problem(leak, f"{_sentence(leak)}; {_what_to_do(leak)}")


def _leaks_of(context: Context, path: str) -> list[Leak]:
    """Of a file that is there and is no binary; of one that is too large, of its beginning, and that there is more."""
    entry = context.tree.entry(path)
    if entry is None or entry.kind is not EntryKind.FILE:
        return []
    try:
        content = context.tree.read(path)
    except LimitExceeded:
        return unread(path)
    text = as_text(content[:LARGEST])
    if text is None:
        return []
    return find_leaks(path, text, look=_looking(context, path)) + (unread(path) if len(content) > LARGEST else [])


def _history(context: Context) -> Iterator[Problem]:
    allowed = _allowances(context)
    for file in context.past_texts():
        now = context.text(file.path)
        if now == file.text and context.concerns(file.path):
            continue  # told of as a file
        leaks = [leak for leak in find_leaks(file.path, file.text) if not allowed.allows(leak)]
        still = {leak.fingerprint for leak in find_leaks(file.path, now)} if leaks and now is not None else set()
        for leak in leaks:
            if leak.fingerprint not in still or not context.concerns(file.path):
                hint = f"{_GONE}; or allow it in {FILE}: fingerprint {leak.fingerprint}, rule {leak.rule}"
                yield _problem(leak, hint, commit=file.commit)


def _rendered(context: Context) -> Iterator[Problem]:
    """What the controller would refuse, and no file told of."""
    allowing = {
        one.name for one in map(read_project, (one.body for one in context.rendering.projects)) if one.raw_secrets
    }
    allowed = _allowances(context)
    told: dict[str, bool] = {}
    for unit, item in context.items():
        if unit.app is None or unit.app.project in allowing:
            continue
        for raw in raw_secrets([item.manifest]):
            file = raw.place.file if raw.place is not None else ""
            if file not in told:
                told[file] = _is_told(context, file, allowed)
            if not told[file]:
                keys = ", ".join(raw.keys)
                project = f"project '{unit.app.project}' does not allow that"
                message = f"the controller refuses it: it comes of plain text in Git ({keys}), and {project}"
                hint = "seal it (kilde seal), or set the annotation kilde.dev/raw-secrets: allowed on the AppProject"
                yield context.problem(unit, item, message, hint=hint)


def _is_told(context: Context, path: str, allowed: Allowances) -> bool:
    """Whether the rule about files says the same of it."""
    leaks = _leaks_of(context, path) if path and context.concerns(path) else []
    return any(leak.rule in ("raw-secret", "secret-generator") and not allowed.allows(leak) for leak in leaks)


def _sentence(leak: Leak) -> str:
    return {
        "too-large": "split it",
        "raw-secret": "seal it with kilde seal",
        "secret-generator": "encrypt the file (SOPS), or seal the Secret and leave the generator out",
    }.get(leak.rule, "move it into a Secret and seal that")


def _what_to_do(leak: Leak) -> str:
    return f"or allow it in {FILE}: fingerprint {leak.fingerprint}, rule {leak.rule}"


def _problem(leak: Leak, hint: str, *, commit: str = "") -> Problem:
    what = leak.kind if leak.kind == leak.hint else f"{leak.kind}: {leak.hint}"
    message = f"{what} (in commit {commit[:_SHORT]})" if commit else what
    return Problem(message=message, path=leak.path, line=leak.line, column=leak.column, hint=hint)


def _looking(context: Context, path: str) -> Look:
    """What gives the text of a file beside this one; None for one outside of the repository."""
    folder = posixpath.dirname(path)

    def look(other: str) -> str | None:
        inside = posixpath.normpath(posixpath.join(folder, other))
        return None if inside.startswith(("../", "/")) else context.text(inside)

    return look


def _allowances(context: Context) -> Allowances:
    """None where the file cannot be read: then nothing is allowed, and the rule about it says why."""
    try:
        return _read(context)
    except KildeError:
        return Allowances()


def _read(context: Context) -> Allowances:
    text = context.text(FILE)
    return read_allowances(text.encode(), context.today) if text is not None else Allowances()


def _allow_file(context: Context) -> Iterator[Problem]:
    try:
        allowed = _read(context)
    except InvalidInput as error:
        place = error.place
        about = f"{error.about}: " if error.about else ""
        hint = f"{error.hint}; until then it allows nothing" if error.hint else "until then it allows nothing"
        yield Problem(
            message=about + error.what,
            path=FILE,
            line=place.line if place else 0,
            column=place.column if place else 0,
            hint=hint,
        )
        return
    for entry in allowed.over():
        what = f"fingerprint {entry.fingerprint}" if entry.fingerprint else f"rule {entry.rule}"
        message = f"an allowance has expired on {entry.expires}: {what} ({entry.reason})"
        yield Problem(
            message=message,
            path=FILE,
            line=entry.place.line,
            column=entry.place.column,
            hint="take the secret out of Git and the entry with it",
        )


PLAINTEXT_SECRETS = Rule(
    id="plaintext-secrets",
    title="a credential stands in plain text",
    severity=Severity.ERROR,
    docs="Secrets that are not sealed, credentials in ConfigMaps, environments, arguments, generators and values of "
    "charts, tokens of known shapes, private keys, kubeconfigs, and random values beside names that promise a "
    "secret. Whoever can read the repository, now or later, has them. Seal the Secret (kilde seal), encrypt the "
    "file (SOPS), or refer to where the value is kept. What must stay is allowed in .kilde-allow.yaml.",
    judge=_files,
)
PLAINTEXT_IN_HISTORY = Rule(
    id="plaintext-secrets-in-history",
    title="a commit of the range has a credential in plain text",
    severity=Severity.ERROR,
    docs="A commit that takes a credential out again does not take it out of Git: whoever fetches the branch gets it. "
    "Every version of a file that the judged commits add (--base, --history) is looked at. Change the credential "
    "where it is used; then rewrite the commits before they are pushed.",
    judge=_history,
)
PLAINTEXT_RENDERED = Rule(
    id="plaintext-secret-rendered",
    title="the controller would refuse a Secret in plain text",
    severity=Severity.WARNING,
    docs="An Application renders a Secret whose values Git holds in plain text (a generator, a chart's default values, a placeholder) and "
    "no AppProject of this repository allows that: nothing of such a commit is applied. Told where no file was told of already.",
    judge=_rendered,
)
ALLOW_FILE = Rule(
    id="allow-file",
    title="the list of what may stand in plain text is wrong or out of date",
    severity=Severity.ERROR,
    docs="Each entry of .kilde-allow.yaml names a fingerprint, or a rule and a path, with a reason and the last day it "
    "counts. An entry that is over allows nothing any more; a file that cannot be read allows nothing at all.",
    judge=_allow_file,
)
