"""`plugin`: parameter sets that a service of the user's gives over HTTP, asked with a token from a Secret."""

from collections.abc import Mapping

import msgspec

from kilde.core.sets.failures import GeneratorFailed, within
from kilde.core.sets.generators.asking import Asking, Generator, Spec, text
from kilde.core.sets.outside import Outside, Request
from kilde.core.sets.parameters import Parameters, as_go, bounded, flattened

_EVERY = 1800.0
_PATH = "api/v1/getparams.execute"


def _give(spec: Spec, asking: Asking) -> list[Parameters]:
    with within("error getting plugin from generator"):
        data, token = _configured(spec, asking.outside)
    url = data["baseUrl"]
    given = (spec.get("input") or {}).get("parameters") or {}
    asked = Request(
        url=f"{url.rstrip('/')}/{_PATH}",
        method="POST",
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        body=msgspec.json.encode({"applicationSetName": asking.owner.name, "input": {"parameters": given}}),
        timeout=_seconds(data.get("requestTimeout", "")),
    )
    with within(f"error listing params: error get api '{asking.owner.name}'"):
        answer = asking.outside.request(asked)
        if not 200 <= answer.status < 300:
            raise GeneratorFailed(f"API error with status code {answer.status}")
    found = [_parameters(each, given, go=asking.filler.go) for each in _output(answer.body)]
    return bounded([asking.values(spec, each) for each in found])


def _configured(spec: Spec, outside: Outside) -> tuple[Mapping[str, str], str]:
    """What its ConfigMap says, and the token that it leads to."""
    with within("error fetching ConfigMap"):
        data = outside.config_map(text(spec.get("configMapRef") or {}, "name"))
        for key in ("baseUrl", "token"):
            if not data.get(key):
                raise GeneratorFailed(f"{key} not found in ConfigMap")
    with within("error fetching Secret token"):
        return data, _token(data["token"], outside)


def _output(body: bytes) -> list[Parameters]:
    try:
        found = msgspec.json.decode(body)["output"]["parameters"]
    except (msgspec.DecodeError, KeyError, TypeError, RecursionError):
        found = None
    if not (isinstance(found, list) and all(isinstance(each, dict) for each in found)):
        raise GeneratorFailed("error listing params: the plugin's answer has no list output.parameters")
    return [as_go(each) for each in found]


def _parameters(found: Parameters, given: Parameters, *, go: bool) -> Parameters:
    out: Parameters = dict(found) if go else dict(flattened(found))
    return out | {"generator": {"input": {"parameters": as_go(given)}}}


def _token(reference: str, outside: Outside) -> str:
    """`$key` of argocd-secret, or `$secret:key`."""
    if not reference.startswith("$"):
        raise GeneratorFailed("token is empty, or does not reference a secret key starting with '$'")
    secret, colon, key = reference[1:].partition(":")
    if not colon:
        secret, key = "argocd-secret", secret
    value = outside.secret(secret).get(key)
    if value is None:
        raise GeneratorFailed(f"key {key} not found in secret {secret}")
    return value.strip()


def _seconds(written: str) -> float:
    if not written:
        return 30.0
    if not written.isdecimal():
        raise GeneratorFailed(f"error set requestTimeout: '{written}' is no number of seconds")
    return float(min(int(written), 300)) or 30.0


GENERATOR = Generator(give=_give, requeue=_EVERY)
