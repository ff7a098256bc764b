"""Services, their endpoints and NetworkPolicies."""

from typing import Any

from differential.found.requests import POLICIES, SERVICES, SLICES
from differential.steps import APPLY, JSON_PATCH, MERGE, STRATEGIC, Step

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}}

ONE, TWO = {"port": 80, "name": "one"}, {"port": 81, "name": "two"}
OF_NAMES = {"type": "ExternalName", "externalName": "a.b"}
POLICY = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"}}

EMPTY_PARTS: tuple[dict[str, Any], ...] = (
    {"podSelector": {"matchLabels": {}}},
    {"podSelector": {}},
    {"podSelector": {"matchExpressions": []}},
    {"egress": []},
    {"egress": [{}]},
    {"egress": [{}]},
    {"egress": [{"to": [], "ports": [{}]}]},
    {"egress": [{"to": [{"namespaceSelector": {}}]}]},
    {"egress": [{"to": [{"namespaceSelector": {}}]}]},
    {"egress": [{"to": [{"namespaceSelector": {"matchLabels": {}}}]}]},
    {"egress": None, "podSelector": {"matchLabels": None}},
)

HINTS = {"forZones": [{"name": "a b"}] * 2, "forNodes": [{"name": "N!"}] * 2}

BAD_ENDPOINTS: list[dict[str, Any]] = [
    {"addresses": ["x", "::1", "127.0.0.1"], "hostname": "H!", "nodeName": "N!", "hints": HINTS},
    {"addresses": ["10.0.0.1"] * 101, "hints": {"forNodes": [{"name": "n"}] * 9}},
]

BAD_PORTS = [{"name": "Bad!", "protocol": "X"}, {"name": "Bad!", "appProtocol": "a b"}]

BAD_SERVICES: tuple[dict[str, Any], ...] = (
    {
        "type": "ClusterIP",
        "ports": [{"port": 0}, {"port": 1}],
        "sessionAffinity": "X",
        "loadBalancerClass": "a/b",
        "loadBalancerSourceRanges": ["x"],
        "externalTrafficPolicy": "Local",
        "internalTrafficPolicy": "X",
    },
    {"type": "ExternalName", "ipFamilyPolicy": "SingleStack", "selector": {"a": "b c"}},
)

SEQUENCES: dict[str, list[Step]] = {
    "int-or-string takes anything until it is decoded": [
        SERVICES.patch(APPLY, {**SERVICE, "spec": {"ports": [{"port": 1, "targetPort": port}]}})
        for port in ({}, {"a": 1}, [], [1], True)
    ],
    "two ports of one number": [
        SERVICES.post({"metadata": {"name": "x"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}),
        SERVICES.patch(MERGE, {"spec": {"ports": [{"port": 80, "nodePort": 30001}, {"port": 81, "nodePort": 30001}]}}),
    ],
    "a name becomes a headless Service": [
        SERVICES.post({"metadata": {"name": "x"}, "spec": {"type": "ExternalName", "externalName": "a.example.com"}}),
        SERVICES.patch(APPLY, {**SERVICE, "spec": {"type": "ClusterIP", "clusterIP": "None"}}),
    ],
    "faults of a Service in order": [SERVICES.post({"metadata": {"name": "x"}, "spec": spec}) for spec in BAD_SERVICES],
    "an empty protocol of applications is none": [
        SERVICES.post({"metadata": {"name": "x"}, "spec": {"ports": [{"port": 80, "appProtocol": ""}]}}),
    ],
    "empty lists and maps count as changes of a NetworkPolicy": [
        POLICIES.post({"metadata": {"name": "x"}, "spec": {"policyTypes": ["Egress"]}}),
        *(
            POLICIES.put({"metadata": {"name": "x"}, "spec": {"policyTypes": ["Egress"], **part}})
            for part in EMPTY_PARTS
        ),
        POLICIES.patch(MERGE, {"spec": {"podSelector": {"matchLabels": {}}}}),
        POLICIES.patch(MERGE, {"spec": {"ingress": [{}]}}),
        POLICIES.patch(STRATEGIC, {"spec": {"egress": []}}),
        POLICIES.patch(JSON_PATCH, [{"op": "add", "path": "/spec/podSelector/matchLabels", "value": {}}]),
        POLICIES.patch(APPLY, {**POLICY, "spec": {"egress": []}}),
        POLICIES.patch(APPLY, {**POLICY, "spec": {"egress": []}}),
        POLICIES.patch(APPLY, {**POLICY, "spec": {"podSelector": {"matchLabels": {}}}}),
        POLICIES.patch(MERGE, {}),
        POLICIES.put({"metadata": {"name": "x"}, "spec": {"policyTypes": []}}),
    ],
    "metadata of an EndpointSlice is judged twice": [
        SLICES.post({"metadata": {"name": "x"}, "addressType": "IPv4", "endpoints": []}),
        SLICES.put({"metadata": {"name": "x", "finalizers": [None], "labels": {"a": "b c"}}, "addressType": "IPv4"}),
    ],
    "ports of a slice are judged before its endpoints, and those only where they change": [
        SLICES.post({"metadata": {"name": "x"}, "addressType": "IPv4", "endpoints": BAD_ENDPOINTS, "ports": BAD_PORTS}),
        SLICES.post({"metadata": {"name": "x"}, "addressType": "IPv4", "endpoints": BAD_ENDPOINTS[1:] * 1001}),
        SLICES.post({"metadata": {"name": "x"}, "addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}]}),
        SLICES.put({"metadata": {"name": "x"}, "addressType": "IPv4", "endpoints": BAD_ENDPOINTS, "ports": BAD_PORTS}),
    ],
    "a Service of names keeps a policy that it does not show": [
        SERVICES.patch(
            APPLY,
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "x"},
                "spec": {"type": "ExternalName", "externalName": "a.b", "internalTrafficPolicy": "Local"},
            },
        ),
        SERVICES.put({"metadata": {"name": "x"}, "spec": {"type": "ExternalName", "externalName": "b.c"}}),
        SERVICES.patch(MERGE, {"spec": {"internalTrafficPolicy": "Cluster"}}),
        Step("GET", f"{SERVICES.all}/x", about=f"{SERVICES.all}/x"),
        Step(
            "PATCH",
            f"{SERVICES.all}/x?fieldManager=n",
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "x"},
                "spec": {"internalTrafficPolicy": "Local"},
            },
            APPLY,
            f"{SERVICES.all}/x",
        ),
    ],
    "the status of a Service of names is answered as it is kept": [
        SERVICES.patch(APPLY, {**SERVICE, "spec": {**OF_NAMES, "internalTrafficPolicy": "Local"}}),
        SERVICES.patch(MERGE, {"status": {"loadBalancer": {}}}, "/status"),
        Step("GET", f"{SERVICES.all}/x/status", about=f"{SERVICES.all}/x"),
        Step("GET", f"{SERVICES.all}/x", about=f"{SERVICES.all}/x"),
    ],
    "what a Service loses with its type": [
        SERVICES.post({"metadata": {"name": "x"}, "spec": {"ports": [ONE], "internalTrafficPolicy": "Local"}}),
        SERVICES.patch(MERGE, {"spec": OF_NAMES}),
        Step("GET", f"{SERVICES.all}/x/status", about=f"{SERVICES.all}/x"),
        SERVICES.patch(MERGE, {"spec": {"type": "ClusterIP", "externalName": None}}),
        SERVICES.patch(MERGE, {"spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}}),
        SERVICES.patch(MERGE, {"spec": {"externalTrafficPolicy": "Cluster"}}),
        SERVICES.patch(MERGE, {"spec": {"type": "ClusterIP", "externalTrafficPolicy": None, "ports": [TWO, ONE]}}),
        SERVICES.patch(MERGE, {"spec": {"type": "NodePort", "ports": [{**TWO, "nodePort": 30011}, ONE]}}),
        SERVICES.patch(MERGE, {"spec": {"type": "ClusterIP", "ports": [{**TWO, "nodePort": 30012}, ONE]}}),
        SERVICES.patch(MERGE, {"spec": {"type": "ClusterIP", "ports": [{**ONE, "nodePort": 30011}]}}),
        SERVICES.patch(MERGE, {"spec": {**OF_NAMES, "ipFamilies": ["IPv6"]}}),
        SERVICES.patch(MERGE, {"spec": {**OF_NAMES, "clusterIPs": None}}),
        SERVICES.patch(MERGE, {"spec": OF_NAMES}),
    ],
}
