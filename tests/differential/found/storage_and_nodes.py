"""Claims, quotas and nodes."""

from differential.found.requests import CLAIMS, QUOTAS
from differential.steps import MERGE, Step

ONE_GIBIBYTE = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
VOLUMES = "/api/v1/persistentvolumes"
ON_HOST = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}
OF_DRIVER = {**ON_HOST, "hostPath": None, "csi": {"driver": "d.example.com", "volumeHandle": "h"}}
GROWING, SECRET = "controllerExpandSecretRef", {"name": "s", "namespace": "n"}

SEQUENCES: dict[str, list[Step]] = {
    "a claim that asked for no class keeps asking for none": [
        CLAIMS.post({"metadata": {"name": "x"}, "spec": {**ONE_GIBIBYTE, "storageClassName": ""}}),
        CLAIMS.put({"metadata": {"name": "x"}, "spec": ONE_GIBIBYTE}),
        CLAIMS.put({"metadata": {"name": "x"}, "spec": {**ONE_GIBIBYTE, "storageClassName": "a"}}),
    ],
    "a claim is pending in storage only with its first write": [
        CLAIMS.post(
            {
                "metadata": {"name": "x", "labels": {"a": "b"}},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }
        ),
        CLAIMS.patch(MERGE, {}),
        CLAIMS.patch(MERGE, {}),
    ],
    "doubled scopes of a quota are the same scopes": [
        QUOTAS.post({"metadata": {"name": "x"}, "spec": {"scopes": ["Terminating"]}}),
        QUOTAS.put({"metadata": {"name": "x"}, "spec": {"scopes": ["Terminating", "Terminating"]}}),
        QUOTAS.put({"metadata": {"name": "x"}, "spec": {"scopes": ["Terminating", "NotTerminating"]}}),
    ],
    "networks of a node that are none": [
        Step(
            "POST", "/api/v1/nodes", {"metadata": {"name": "{ns}-x"}, "spec": {"podCIDRs": both}}, about="/api/v1/nodes"
        )
        for both in (["10.9.0.0/24", ""], ["10.9.0.1", "::/200"])
    ],
    "a volume is judged twice at a change, metadata and all": [
        Step("POST", VOLUMES, {"metadata": {"name": "{ns}-x"}, "spec": ON_HOST}, about=f"{VOLUMES}/{{ns}}-x"),
        *(
            Step("PUT", f"{VOLUMES}/{{ns}}-x", {"metadata": meta, "spec": spec}, about=f"{VOLUMES}/{{ns}}-x")
            for meta in ({"name": "{ns}-x", "labels": {"a": "b c"}}, {"name": "{ns}-x"})
            for spec in (ON_HOST, {**ON_HOST, "accessModes": [""]}, {**ON_HOST, "hostPath": {"path": "/../y"}})
        ),
    ],
    "a volume may be told later with whose secret it grows": [
        Step("POST", VOLUMES, {"metadata": {"name": "{ns}-x"}, "spec": OF_DRIVER}, about=f"{VOLUMES}/{{ns}}-x"),
        *(
            Step("PATCH", f"{VOLUMES}/{{ns}}-x", {"spec": {"csi": change}}, MERGE, f"{VOLUMES}/{{ns}}-x")
            for change in ({"fsType": "x"}, {GROWING: SECRET}, {GROWING: {**SECRET, "name": "t"}}, {GROWING: None})
        ),
    ],
}
