"""What the conversion webhook of the tests answers: `spec.address` of v1 is `spec.host` and `spec.port` of v2; some answers are wrong."""

from typing import Any

Object = dict[str, Any]


def converted(obj: Object, wanted: str) -> Object:
    """An object of either version in the other."""
    spec = dict(obj.get("spec") or {})
    if wanted.endswith("/v2"):
        host, _, port = str(spec.pop("address", "")).partition(":")
        spec |= ({"host": host} if host else {}) | ({"port": int(port)} if port.isdigit() else {})
        if "replicas" in spec:
            spec["size"] = spec.pop("replicas")
    else:
        host, port = spec.pop("host", ""), spec.pop("port", None)
        if host or port:
            spec["address"] = f"{host}:{port}" if port else host
        if "size" in spec:
            spec["replicas"] = spec.pop("size")
    return {**obj, "apiVersion": wanted, "spec": spec}


def _meta(obj: Object, **change: Any) -> Object:
    return {**obj, "metadata": {**obj["metadata"], **change}}


def answer(path: str, review: Object) -> Object:
    """The answer of the webhook at `/convert/<mode>`."""
    mode, request = path.rpartition("/")[2], review["request"]
    wanted = request["desiredAPIVersion"]
    made: Any = [converted(obj, wanted) for obj in request["objects"]]
    result: Object = {"status": "Success"}
    response: Object = {"uid": request["uid"], "convertedObjects": made, "result": result}
    changes: dict[str, Object] = {
        "renamed": {"name": "other"},
        "moved": {"namespace": "elsewhere"},
        "other-uid": {"uid": "x"},
        "labelled": {"labels": {"by": "webhook"}, "annotations": {"by": "webhook"}, "finalizers": ["a.b/c"]},
        "mislabelled": {"labels": {"y": "not valid!"}},
        "misannotated": {"annotations": {"not valid!": "x"}},
        "odd-labels": {"labels": ["x"]},
        "odd-values": {"labels": {"a": 1}},
    }
    if mode in changes:
        response["convertedObjects"] = [_meta(obj, **changes[mode]) for obj in made]
    elif mode == "refusing":
        response["result"] = {"status": "Failure", "message": "cannot do that"}
    elif mode == "silent":
        response["result"] = {"status": "Failure"}
    elif mode == "few":
        response["convertedObjects"] = []
    elif mode == "wrong-id":
        response["uid"] = "x"
    elif mode == "wrong-version":
        response["convertedObjects"] = request["objects"]
    elif mode == "wrong-kind":
        response["convertedObjects"] = [{**obj, "kind": "Other"} for obj in made]
    elif mode == "stray":
        for obj in made:
            obj["spec"]["unknown"] = 1
    elif mode == "bare":
        for obj in made:
            del obj["metadata"]
    elif mode == "wrong-review":
        return {"kind": "ConversionReview", "apiVersion": "apiextensions.k8s.io/v1beta1", "response": response}
    elif mode == "no-answer":
        return {"kind": "ConversionReview", "apiVersion": review["apiVersion"]}
    return {"kind": "ConversionReview", "apiVersion": review["apiVersion"], "response": response}


def definition(group: str, client: Object, *, stored: str = "v1", reviews: tuple[str, ...] = ("v1",)) -> Object:
    """A CRD of two versions of different shapes that this webhook converts."""
    number, text = {"type": "integer"}, {"type": "string"}
    shapes: dict[str, Object] = {
        "v1": {"address": text, "replicas": number, "mode": {"type": "string", "default": "one"}},
        "v2": {
            "host": {"type": "string", "maxLength": 20},
            "port": {"type": "integer", "maximum": 9999},
            "size": number,
            "mode": text,
            "extra": {"type": "string", "default": "two"},
        },
    }
    columns = {"v1": ".spec.address", "v2": ".spec.host"}
    replicas = {"v1": ".spec.replicas", "v2": ".spec.size"}
    status = {"type": "object", "properties": {"replicas": number, "phase": text}}
    versions = []
    for name in ("v1", "v2"):
        properties = {"spec": {"type": "object", "properties": shapes[name]}, "status": status}
        paths = {"specReplicasPath": replicas[name], "statusReplicasPath": ".status.replicas"}
        versions.append(
            {
                "name": name,
                "served": True,
                "storage": name == stored,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
                "subresources": {"status": {}, "scale": paths},
                "additionalPrinterColumns": [{"name": "Where", "type": "string", "jsonPath": columns[name]}],
                "selectableFields": [{"jsonPath": columns[name]}],
            }
        )
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing", "listKind": "ThingList", "singular": "thing"},
            "versions": versions,
            "conversion": {
                "strategy": "Webhook",
                "webhook": {"conversionReviewVersions": [*reviews], "clientConfig": client},
            },
        },
    }
