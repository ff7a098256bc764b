"""The query parameters and options objects of requests, read and judged as apimachinery's meta/v1 validation does."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.selector import parse_fields, parse_labels
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.failures import Named, bad_request, invalid, quoted, unexplained
from kilde.kubeapi.resources.causes import Cause

Query = Mapping[str, list[str]]
MANAGER_LENGTH = 128
_INTEGER = re.compile(r"[+-]?[0-9]+")


def first(query: Query, name: str) -> str:
    """The first value of a parameter; "" if it is absent."""
    found = query.get(name)
    return found[0] if found else ""


def flag(query: Query, name: str) -> bool:
    """A boolean as apimachinery's conversion reads it: present and not "false" or "0"."""
    found = query.get(name)
    return bool(found) and found[0].lower() not in ("false", "0") if found else False


def integer(query: Query, name: str) -> int | None:
    """A whole number; None if absent; 400 if it is none."""
    text = first(query, name)
    if not text:
        return None
    if not _INTEGER.fullmatch(text):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


class WriteOptions(NamedTuple):
    """Create-, Update- and PatchOptions. `validation` is Strict, Warn or Ignore, "" where the request does not say."""

    dry_run: bool = False
    manager: str = ""
    validation: str = ""
    force: bool = False


def write_options(query: Query, kind: str, *, apply: bool = False) -> WriteOptions:
    """The options of a write; `kind` is CreateOptions, UpdateOptions or PatchOptions. 422 if they do not hold."""
    if not query:
        if apply:
            query = {}
        else:
            return WriteOptions()
    causes: list[Cause] = []
    manager, validation, force = first(query, "fieldManager"), first(query, "fieldValidation"), query.get("force")
    if kind == "PatchOptions" and not apply and force is not None:
        causes.append(
            failures.cause("FieldValueForbidden", "Forbidden: may not be specified for non-apply patch", "force")
        )
    if apply and not manager:
        causes.append(
            failures.cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
        )
    causes += _manager_causes(manager)
    dry_run = query.get("dryRun", [])
    causes += dry_run_causes(dry_run)
    if validation not in ("", "Ignore", "Strict", "Warn"):
        supported = 'supported values: "", "Ignore", "Strict", "Warn"'
        message = f"Unsupported value: {quoted(validation)}: {supported}"
        causes.append(failures.cause("FieldValueNotSupported", message, "fieldValidation"))
    if causes:
        raise invalid(Named("meta.k8s.io", kind), causes)
    return WriteOptions(bool(dry_run), manager, validation, flag(query, "force"))


def dry_run_causes(dry_run: list[Any]) -> list[Cause]:
    """What is wrong with dryRun, which is `All` or absent."""
    if all(value == "All" for value in dry_run):
        return []
    listed = ",".join(quoted(str(value)) for value in dry_run)
    return [
        failures.cause("FieldValueNotSupported", f'Unsupported value: [{listed}]: supported values: "All"', "dryRun")
    ]


def _manager_causes(manager: str) -> list[Cause]:
    found = []
    if len(manager.encode()) > MANAGER_LENGTH:
        message = f"Too long: may not be more than {MANAGER_LENGTH} bytes"
        found.append(failures.cause("FieldValueTooLong", message, "fieldManager"))
    for place, letter in enumerate(manager):
        if not letter.isprintable():
            what = f"invalid character U+{ord(letter):04X} (at position {place})"
            found.append(
                failures.cause("FieldValueInvalid", f"Invalid value: {quoted(manager)}: {what}", "fieldManager")
            )
            break
    return found


class ListOptions(NamedTuple):
    """ListOptions. `version` None where resourceVersion is unset; `match` is resourceVersionMatch."""

    label_selector: str = ""
    field_selector: str = ""
    watch: bool = False
    bookmarks: bool = False
    version: int | None = None
    match: str = ""
    timeout: int | None = None
    limit: int = 0
    token: str = ""
    initial_events: bool | None = None


def list_options(query: Query, *, watch: bool = False) -> ListOptions:
    """The options of a list or watch; 422 if they do not hold together, 400 or 500 if a number is none."""
    if not query:
        return ListOptions(watch=watch)
    watch = watch or flag(query, "watch")
    version, match = first(query, "resourceVersion"), first(query, "resourceVersionMatch")
    initial = flag(query, "sendInitialEvents") if "sendInitialEvents" in query else None
    timeout, limit = integer(query, "timeoutSeconds"), integer(query, "limit") or 0
    token = first(query, "continue")
    _check_selectors(first(query, "labelSelector"), first(query, "fieldSelector"))
    if watch and initial is None and not match and version in ("", "0"):
        initial, match = True, "NotOlderThan"  # what begins with all there is says when it has told that
    causes = _watch_causes(match, initial, bool(token)) if watch else _list_causes(version, match, initial, bool(token))
    if causes:
        raise invalid(Named("meta.k8s.io", "ListOptions"), causes)
    return ListOptions(
        label_selector=first(query, "labelSelector"),
        field_selector=first(query, "fieldSelector"),
        watch=watch,
        bookmarks=flag(query, "allowWatchBookmarks"),
        version=_list_version(version, watch=watch),
        match=match,
        timeout=timeout,
        limit=limit,
        token=token,
        initial_events=initial,
    )


def _check_selectors(labels: str, fields: str) -> None:
    """400 for selectors that cannot be read: that is told before it is asked whether the options hold together."""
    try:
        parse_labels(labels)
        parse_fields(fields)
    except InvalidInput as error:
        raise bad_request(error.what) from error


def _list_version(text: str, *, watch: bool) -> int | None:
    try:
        return version(text)
    except ApiError as error:
        if watch:
            raise
        raise bad_request(f"invalid resource version: {error.message}") from error


def version(text: str) -> int | None:
    """A resourceVersion; None for ""; a Status without reason, as upstream answers, if it is no number."""
    if not text:
        return None
    if text.isascii() and text.isdecimal() and int(text) < 1 << 64:
        return int(text)
    what = "value out of range" if text.isascii() and text.isdecimal() else "invalid syntax"
    raise unexplained(
        f"resourceVersion: Invalid value: {quoted(text)}: strconv.ParseUint: parsing {quoted(text)}: {what}"
    )


_MATCH = "resourceVersionMatch"


def _unsupported_match(match: str) -> list[Cause]:
    if match in ("Exact", "NotOlderThan"):
        return []
    message = f'Unsupported value: {quoted(match)}: supported values: "Exact", "NotOlderThan", ""'
    return [failures.cause("FieldValueNotSupported", message, _MATCH)]


def _list_causes(asked: str, match: str, initial: bool | None, continued: bool) -> list[Cause]:
    causes = _match_causes(asked, match, continued) if match else []
    if initial is not None:
        message = "Forbidden: sendInitialEvents is forbidden for list"
        causes.append(failures.cause("FieldValueForbidden", message, "sendInitialEvents"))
    return causes


def _match_causes(asked: str, match: str, continued: bool) -> list[Cause]:
    found = []
    if not asked:
        found.append("resourceVersionMatch is forbidden unless resourceVersion is provided")
    if continued:
        found.append("resourceVersionMatch is forbidden when continue is provided")
    causes = [failures.cause("FieldValueForbidden", f"Forbidden: {what}", _MATCH) for what in found]
    causes += _unsupported_match(match)
    if match == "Exact" and asked == "0":
        message = 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        causes.append(failures.cause("FieldValueForbidden", message, _MATCH))
    return causes


def _watch_causes(match: str, initial: bool | None, continued: bool) -> list[Cause]:
    found = []
    if initial is not None and match != "NotOlderThan":
        found.append("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
    if match and initial is None:
        found.append("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
    causes = [failures.cause("FieldValueForbidden", f"Forbidden: {what}", _MATCH) for what in found]
    if match and match != "NotOlderThan":
        message = f'Unsupported value: {quoted(match)}: supported values: "NotOlderThan"'
        causes.append(failures.cause("FieldValueNotSupported", message, _MATCH))
    if match and continued:
        message = "Forbidden: resourceVersionMatch is forbidden when continue is provided"
        causes.append(failures.cause("FieldValueForbidden", message, _MATCH))
    return causes


class DeleteOptions(NamedTuple):
    """DeleteOptions. `grace` in seconds (None: the object's own); `propagation` "" where the request does not say."""

    grace: int | None = None
    propagation: str = ""
    dry_run: bool = False
    uid: str | None = None
    version: str | None = None


_POLICIES = ("Foreground", "Background", "Orphan")


def delete_options(query: Query, body: Mapping[str, Any] | None) -> DeleteOptions:
    """From the body where there is one, else from the query. 422 if they do not hold."""
    if body is not None:
        raw: Mapping[str, Any] = body
        grace = raw.get("gracePeriodSeconds")
    else:
        raw = {}
        grace = integer(query, "gracePeriodSeconds")
        raw = {"propagationPolicy": first(query, "propagationPolicy") or None, "dryRun": query.get("dryRun")}
        if "orphanDependents" in query:
            raw["orphanDependents"] = flag(query, "orphanDependents")
    policy, orphan = raw.get("propagationPolicy"), raw.get("orphanDependents")
    causes = _policy_causes(policy, orphan) + dry_run_causes(raw.get("dryRun") or [])
    if causes:
        raise invalid(Named("meta.k8s.io", "DeleteOptions"), causes)
    if orphan is not None:
        policy = "Orphan" if orphan else "Background"
    wanted = raw.get("preconditions") or {}
    return DeleteOptions(
        max(int(grace), 0) if grace is not None else None,
        policy or "",
        bool(raw.get("dryRun")),
        wanted.get("uid"),
        wanted.get("resourceVersion"),
    )


def _policy_causes(policy: Any, orphan: Any) -> list[Cause]:
    if policy and orphan is not None:
        message = f"Invalid value: {quoted(str(policy))}: orphanDependents and deletionPropagation cannot be both set"
        return [failures.cause("FieldValueInvalid", message, "propagationPolicy")]
    if policy and policy not in _POLICIES:
        supported = 'supported values: "Foreground", "Background", "Orphan", "nil"'
        message = f"Unsupported value: {quoted(str(policy))}: {supported}"
        return [failures.cause("FieldValueNotSupported", message, "propagationPolicy")]
    return []
