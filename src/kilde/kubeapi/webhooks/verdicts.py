"""What a webhook's reply means (apiserver's pkg/admission/plugin/webhook)."""

import base64
import binascii
import json
from typing import Any, NamedTuple

from kilde.core.basics.json_words import json_problem
from kilde.core.basics.values import Json, Object
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic.failures import quoted
from kilde.kubeapi.webhooks.hooks import Hook
from kilde.kubeapi.webhooks.questions import Question, Reply

_JSON_PATCH = "JSONPatch"
_LEAST_CODE = 400


class Verdict(NamedTuple):
    """A webhook's yes: the JSON patch it wants (None: none) and its warnings."""

    patch: Json = None
    warnings: tuple[str, ...] = ()


def verdict(hook: Hook, question: Question, reply: Reply, *, mutating: bool) -> Verdict:
    """ApiError where it says no, or where it says nothing sensible and may not be ignored."""
    problem = reply.problem and f"failed to call webhook: {reply.problem}"
    found = {} if problem else _response(reply.body)
    problem = problem or _unfit(question, reply.body, found, mutating=mutating)
    if problem:
        return _failed(hook, problem)
    response: Object = found or {}
    warnings = tuple(str(each) for each in response.get("warnings") or ())
    if not response.get("allowed"):
        raise _denial(hook, response.get("status"))
    if not mutating or not response.get("patch"):
        return Verdict(None, warnings)
    try:
        raw = base64.b64decode(response["patch"], validate=True)
    except (binascii.Error, ValueError):
        return _failed(hook, "failed to call webhook: the patch is not base64")
    try:
        return Verdict(json.loads(raw), warnings)
    except ValueError:
        return _failed(hook, f"received undecodable patch in webhook response: {json_problem(raw)}")


def _response(body: Any) -> Object | None:
    found = body.get("response") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else None


def _unfit(question: Question, body: Any, response: Object | None, *, mutating: bool) -> str:
    """Why a reply is no AdmissionReview that answers the question; "" if it is one."""
    head = "received invalid webhook response: "
    if response is None:
        return f"{head}webhook response was absent"
    version, kind = str(body.get("apiVersion") or ""), str(body.get("kind") or "")
    wanted = question.review["apiVersion"]
    if wanted.endswith("/v1"):
        uid = question.review["request"]["uid"]
        if response.get("uid") != uid:
            return f"{head}expected response.uid={quoted(uid)}, got {quoted(str(response.get('uid') or ''))}"
        if (version, kind) != (wanted, "AdmissionReview"):
            return f"{head}expected webhook response of {wanted}, Kind=AdmissionReview, got {version}, Kind={kind}"
    patch, patch_type = response.get("patch"), response.get("patchType")
    if not mutating and patch:
        return f"{head}validating webhook may not return response.patch"
    if not mutating and patch_type is not None:
        return f"{head}validating webhook may not return response.patchType"
    if mutating and wanted.endswith("/v1") and bool(patch) != (patch_type is not None):
        there, lacking = ("patch", "patchType") if patch else ("patchType", "patch")
        return f"{head}webhook returned response.{there} but not response.{lacking}"
    if patch and patch_type not in (_JSON_PATCH, None):
        return f'unsupported patch type "{patch_type}"'
    return ""


def _failed(hook: Hook, problem: str) -> Verdict:
    """A call that failed: forgiven, or the request's own failure."""
    if hook.ignores_failure:
        return Verdict()
    text = f"failed calling webhook {quoted(hook.name)}: {problem}"
    raise ApiError(500, "InternalError", f"Internal error occurred: {text}", {"causes": [{"message": text}]})


def _denial(hook: Hook, status: Any) -> ApiError:
    told: Object = status if isinstance(status, dict) else {}
    head = f"admission webhook {quoted(hook.name)} denied the request"
    why = told.get("message") or told.get("reason")
    code = told.get("code") if isinstance(told.get("code"), int) else 0
    details = told.get("details") if isinstance(told.get("details"), dict) else None
    message = f"{head}: {why}" if why else f"{head} without explanation"
    return ApiError(max(int(code or 0), _LEAST_CODE), str(told.get("reason") or ""), message, details)
