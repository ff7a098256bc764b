"""Content negotiation: which form of an answer a client takes, and which body it sends (RFC 9110 §12.5.1, as Kubernetes reads it)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from kilde.kubeapi.interface import ApiError

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
_ACCEPTABLE = "only the following media types are accepted: "


class Form(NamedTuple):
    """How an answer is written: `media` is JSON, YAML or PROTOBUF; `kind` "" for the object, else Table, PartialObjectMetadata(List)."""

    media: str = JSON
    kind: str = ""
    version: str = ""

    @property
    def content_type(self) -> str:
        return self.media


PLAIN = Form()
_KINDS = {"Table", "PartialObjectMetadata", "PartialObjectMetadataList"}
_CONVERTING = ("as", "g", "v")
Clause = tuple[str, dict[str, str]]


@lru_cache(maxsize=256)  # a client says the same each time
def accepted(accept: str) -> tuple[Clause, ...]:
    """The media types of an Accept header with their parameters, the best first, as goautoneg sorts them; nobody changes them."""
    found: list[tuple[float, str, dict[str, str]]] = []
    for part in accept.split(","):
        media, *raw = (piece.strip(" ") for piece in part.split(";"))
        media = "*/*" if media == "*" else media
        if media.count("/") != 1:
            continue
        pairs = (piece.split("=") for piece in raw)
        parameters = {pair[0].strip(" "): pair[1].strip(" ") for pair in pairs if len(pair) == 2 and pair[1]}
        found.append((_weight(parameters.pop("q", "1")), media, parameters))
        at = len(found) - 1
        while at and _before(found[at], found[at - 1]):
            found[at - 1 : at + 1] = found[at], found[at - 1]
            at -= 1
    return tuple((media, parameters) for _, media, parameters in found)


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _before(one: tuple[float, str, dict[str, str]], other: tuple[float, str, dict[str, str]]) -> bool:
    """No order, as there: what is no wildcard goes before what is one, whatever their weights."""
    if one[0] > other[0]:
        return True
    return any(
        mine != "*" and theirs == "*" for mine, theirs in zip(one[1].split("/"), other[1].split("/"), strict=True)
    )


def form(accept: str, *, custom: bool = False) -> Form:
    """The form to answer in; 406 if the client takes none of ours.

    Objects of a `custom` kind have no protobuf form, their metadata does.
    """
    if accept in ("", JSON):
        return PLAIN
    for media, parameters in accepted(accept):
        kind = parameters.get("as", "")
        converts = any(word in parameters for word in _CONVERTING)
        if converts and not (kind in _KINDS and parameters.get("g") == "meta.k8s.io" and _is_version(parameters)):
            continue
        chosen = _offered(media, parameters, without_protobuf=kind == "Table" or (custom and not converts))
        if chosen and parameters.get("sv", "v1") == "v1":
            return Form(chosen, kind, parameters.get("v", ""))
    raise not_acceptable()


def status_form(accept: str) -> Form:
    """The form of a Status that tells of a refusal: JSON for who takes none of ours."""
    return _unconverted(accept) or PLAIN


def document_form(accept: str) -> Form:
    """The form of a document of discovery; 406 if the client takes none of ours."""
    found = _unconverted(accept or JSON)
    if found is None:
        raise not_acceptable()
    return found


def _unconverted(accept: str) -> Form | None:
    for media, parameters in accepted(accept):
        chosen = _offered(media, parameters)
        if chosen and not any(word in parameters for word in (*_CONVERTING, "sv")):
            return Form(chosen)
    return None


def _is_version(parameters: Mapping[str, str]) -> bool:
    return parameters.get("v") in ("v1", "v1beta1")


def _offered(media: str, parameters: Mapping[str, str], *, without_protobuf: bool = False) -> str:
    """Which of ours a clause means; "" if none."""
    if media in ("*/*", "application/*"):
        media = JSON
    if media not in (JSON, YAML, PROTOBUF) or (media == PROTOBUF and without_protobuf):
        return ""
    stream = parameters.get("stream", "")
    return media if not stream or (stream == "watch" and media != YAML) else ""


def check_route(headers: Mapping[str, str], *, patch: bool, many: bool) -> None:
    """Refuses what a route of a built-in kind neither takes nor gives, before anything else is looked at. `many`: lists and watches."""
    sent = headers.get("content-type", "").partition(";")[0].strip()
    if patch and sent not in (JSON_PATCH, MERGE, STRATEGIC, APPLY):
        raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
    accept = headers.get("accept", "") or "*/*"
    offers = (JSON, YAML, PROTOBUF)
    if accept != JSON and not any(part.partition(";")[0].strip() in ("*/*", *offers) for part in accept.split(",")):
        told = (*offers, f"{JSON};stream=watch", f"{PROTOBUF};stream=watch") if many else offers
        raise ApiError(406, "NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {', '.join(told)}", {})


def check_offer(accept: str, offer: str) -> None:
    """406 if a client does not take the one form there is."""
    if not any(part.partition(";")[0].strip() in ("*/*", offer) for part in (accept or "*/*").split(",")):
        raise ApiError(406, "NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {offer}", {})


def not_acceptable(*, stream: bool = False) -> ApiError:
    offers = (
        "application/json, application/vnd.kubernetes.protobuf;stream=watch"
        if stream
        else f"{JSON}, {YAML}, {PROTOBUF}"
    )
    return ApiError(406, "NotAcceptable", _ACCEPTABLE + offers)


def check_shape(form: Form, go: str, *, many: bool) -> None:
    """406 if the metadata of one object is asked for where a list is answered, or the other way; `go` is the answer's type in Go."""
    if form.kind == ("PartialObjectMetadata" if many else "PartialObjectMetadataList"):
        told = f"you requested {form.kind}, but the requested object is {'' if many else 'not '}a list (*{go})"
        raise ApiError(406, "NotAcceptable", told)


def body_media(content_type: str) -> str:
    """The media type of a request body: JSON, YAML or PROTOBUF; 415 for any other."""
    media = content_type.split(";")[0].strip().lower() or JSON
    if media in (JSON, YAML, PROTOBUF):
        return media
    offers = f"{JSON}, {YAML}, {PROTOBUF}"
    raise unsupported("the body of the request was in an unknown format - accepted media types include: " + offers)


def unsupported(message: str) -> ApiError:
    return ApiError(415, "UnsupportedMediaType", message)


def patch_media(content_type: str, offered: tuple[str, ...]) -> str:
    """The patch type of a PATCH; 415 if this resource does not take it."""
    media = content_type.split(";")[0].strip().lower()
    if media not in offered:
        raise unsupported(
            "the body of the request was in an unknown format - accepted media types include: " + ", ".join(offered)
        )
    return media
