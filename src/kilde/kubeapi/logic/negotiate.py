"""Content negotiation: which form of an answer a client takes, and which body it sends (RFC 9110 §12.5.1, as Kubernetes reads it)."""

from collections.abc import Mapping
from typing import NamedTuple

from kilde.kubeapi.interface import ApiError

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
_ACCEPTABLE = "only the following media types are accepted: "


class Form(NamedTuple):
    """How an answer is written: `media` is JSON or YAML; `kind` "" for the object itself, else Table, PartialObjectMetadata(List)."""

    media: str = JSON
    kind: str = ""
    version: str = ""
    pretty: bool = False

    @property
    def content_type(self) -> str:
        return self.media


PLAIN = Form()
_KINDS = {"Table", "PartialObjectMetadata", "PartialObjectMetadataList"}


def accepted(accept: str) -> list[tuple[str, dict[str, str]]]:
    """The media types of an Accept header with their parameters, the best first (stable for equal weights)."""
    found = []
    for part in accept.split(","):
        media, *raw = (piece.strip() for piece in part.split(";"))
        parameters = dict(piece.split("=", 1) for piece in raw if "=" in piece)
        try:
            weight = float(parameters.pop("q", "1"))
        except ValueError:
            weight = 0.0
        if media and weight > 0:
            found.append((weight, media.lower(), parameters))
    found.sort(key=lambda entry: -entry[0])
    return [(media, parameters) for _, media, parameters in found]


def form(
    accept: str, *, transforms: tuple[str, ...] = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
) -> Form:
    """The form to answer in; 406 if the client takes none of ours. `transforms` are the `as=` kinds that fit this request."""
    if accept == JSON:
        return PLAIN
    for media, parameters in accepted(accept or "*/*"):
        kind = parameters.get("as", "")
        if kind:
            fits = kind in _KINDS and kind in transforms and parameters.get("g") == "meta.k8s.io"
            if not fits or parameters.get("v") not in ("v1", "v1beta1"):
                continue
        chosen = _media(media)
        if chosen:
            return Form(chosen, kind, parameters.get("v", ""), parameters.get("pretty") == "1")
    raise not_acceptable()


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


def _media(asked: str) -> str:
    if asked in ("*/*", "application/*", JSON):
        return JSON
    return YAML if asked in (YAML, "application/x-yaml") else ""


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
