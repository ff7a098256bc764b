"""The refusals of the API server, in the words of Kubernetes' apimachinery (api/errors)."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.resources.causes import Cause

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    501: "NotImplemented",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class Named(NamedTuple):
    """What a Status is about: group and `kind`, where errors mostly put the plural, and the name."""

    group: str
    kind: str
    name: str = ""

    @property
    def qualified(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def details(self) -> Object:
        found = {"name": self.name, "group": self.group, "kind": self.kind}
        return {key: value for key, value in found.items() if value}


def cause(reason: str, message: str, field: str) -> Cause:
    """One reason of a refusal: `reason` is FieldValueInvalid and the like, `field` a path such as `spec.ports[0].port`."""
    return Cause(field, reason, message)


def _encoded(each: Cause) -> Object:
    return {key: value for key, value in each.as_json().items() if value}


def status(error: ApiError) -> Object:
    """The Status object that tells a refusal."""
    found: Object = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.message,
    }
    if error.reason:
        found["reason"] = error.reason
    if error.details is not None:
        found["details"] = error.details
    found["code"] = error.status
    return found


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def not_found(about: Named) -> ApiError:
    return ApiError(404, "NotFound", f'{about.qualified} "{about.name}" not found', about.details())


def no_such_resource() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(about: Named) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{about.qualified} "{about.name}" already exists', about.details())


def being_deleted(about: Named) -> ApiError:
    message = f'object is being deleted: {about.qualified} "{about.name}" already exists'
    return ApiError(409, "AlreadyExists", message, about.details())


def conflict(about: Named, why: str) -> ApiError:
    message = f'Operation cannot be fulfilled on {about.qualified} "{about.name}": {why}'
    return ApiError(409, "Conflict", message, about.details())


def stale(about: Named) -> ApiError:
    return conflict(
        about, "the object has been modified; please apply your changes to the latest version and try again"
    )


def forbidden(about: Named, why: str, causes: Sequence[Cause] = ()) -> ApiError:
    name = f'{about.qualified} "{about.name}"' if about.name else about.qualified
    details = about.details()
    if causes:
        details["causes"] = [_encoded(each) for each in causes]
    return ApiError(403, "Forbidden", f"{name} is forbidden: {why}", details)


def method_not_allowed() -> ApiError:
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def no_namespace() -> ApiError:
    return bad_request("Namespace parameter required.")


def cannot_watch(plural: str) -> ApiError:
    what = f"watch is not supported on resources of kind {quoted(plural)}"
    return ApiError(405, "MethodNotAllowed", what, {"kind": plural})


def internal(message: str) -> ApiError:
    return ApiError(500, "InternalError", f"Internal error occurred: {message}", {"causes": [{"message": message}]})


def unexplained(message: str, code: int = 500) -> ApiError:
    """An error that upstream did not dress: a Status with no reason."""
    return ApiError(code, "", message)


def expired(message: str) -> ApiError:
    return ApiError(410, "Expired", message)


def too_large_version(asked: int, current: int) -> ApiError:
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return ApiError(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1})


def invalid(about: Named, causes: Sequence[Cause]) -> ApiError:
    """422 with its causes; the message tells equal ones once."""
    texts = list(dict.fromkeys(str(each) for each in causes))
    what = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details = {**about.details(), "causes": [_encoded(each) for each in causes]}
    return ApiError(422, "Invalid", f'{about.qualified} "{about.name}" is invalid: {what}', details)


def unprocessable() -> ApiError:
    """What a failed JSON Patch operation answers."""
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})


_QUOTED = re.compile(r'["\\\x00-\x1f\x7f]')
_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}


def quoted(text: str) -> str:
    """A string as Go's %q prints it."""
    return '"' + _QUOTED.sub(lambda found: _ESCAPES.get(found[0]) or f"\\x{ord(found[0]):02x}", text) + '"'
