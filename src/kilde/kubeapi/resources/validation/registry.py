"""The rules of each built-in kind: one line a kind."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.resources.validation import (
    certificates,
    configuration,
    csi,
    device_claims,
    device_slices,
    endpoint_slices,
    events,
    fixed,
    flow_control,
    jobs,
    load_balancers,
    namespaces,
    network_addresses,
    networking,
    nodes,
    pod_updates,
    pods,
    policies,
    policy_bindings,
    quotas,
    rbac,
    scaling,
    services,
    storage,
    workload_status,
    workloads,
)

Create = Callable[[Object], Iterator[Cause]]
Update = Callable[[Object, Object], Iterator[Cause]]


class Rules(NamedTuple):
    """How a kind is judged when it is created and when it is changed; without `update`, a change is judged as if created anew.

    `parts` judge writes to sub-resources, by name.
    """

    create: Create
    update: Update | None = None
    parts: Mapping[str, Update] = MappingProxyType({})


_ADMISSION = "admissionregistration.k8s.io"
_POLICY_KINDS = ("Mutating", "Validating")
_DEVICES = "resource.k8s.io"
_FLOW = "flowcontrol.apiserver.k8s.io"
_RBAC = "rbac.authorization.k8s.io"

RULES: Mapping[tuple[str, str], Rules] = {
    ("", "ConfigMap"): Rules(configuration.check_config_map, configuration.check_config_map_update),
    ("", "Endpoints"): Rules(services.check_endpoints),
    ("", "Event"): Rules(events.check_event),
    ("", "LimitRange"): Rules(quotas.check_limit_range),
    ("", "Namespace"): Rules(
        namespaces.check_namespace,
        fixed.check_no_change,
        {"finalize": namespaces.check_finalize, "status": namespaces.check_status},
    ),
    ("", "Node"): Rules(nodes.check_node, nodes.check_node_update, {"status": nodes.check_node_status}),
    ("", "PersistentVolume"): Rules(storage.check_volume, storage.check_volume_update),
    ("", "PersistentVolumeClaim"): Rules(storage.check_claim, storage.check_claim_update),
    ("", "Pod"): Rules(
        pods.check_pod, pod_updates.check_pod_update, {"ephemeralcontainers": pod_updates.check_ephemeral_update}
    ),
    ("", "PodTemplate"): Rules(pods.check_pod_template),
    ("", "ReplicationController"): Rules(
        workloads.check_replication_controller, parts={"status": workload_status.check_replica_set}
    ),
    ("", "ResourceQuota"): Rules(quotas.check_quota, quotas.check_quota_update, {"status": quotas.check_quota_status}),
    ("", "Secret"): Rules(configuration.check_secret, configuration.check_secret_update),
    ("", "Service"): Rules(
        services.check_service, services.check_service_update, {"status": load_balancers.check_service_status}
    ),
    (_ADMISSION, "MutatingAdmissionPolicy"): Rules(policies.check_mutating_policy),
    (_ADMISSION, "MutatingAdmissionPolicyBinding"): Rules(policy_bindings.check_mutating_binding),
    (_ADMISSION, "MutatingWebhookConfiguration"): Rules(policies.check_webhooks),
    (_ADMISSION, "ValidatingAdmissionPolicy"): Rules(
        policies.check_policy, parts={"status": policies.check_policy_status}
    ),
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): Rules(policy_bindings.check_policy_binding),
    (_ADMISSION, "ValidatingWebhookConfiguration"): Rules(policies.check_webhooks),
    ("apiregistration.k8s.io", "APIService"): Rules(fixed.check_api_service),
    ("apps", "ControllerRevision"): Rules(workloads.check_revision, workloads.check_revision_update),
    ("apps", "DaemonSet"): Rules(
        workloads.check_daemon_set, workloads.check_daemon_set_update, {"status": workload_status.check_daemon_set}
    ),
    ("apps", "Deployment"): Rules(
        workloads.check_deployment, workloads.check_deployment_update, {"status": workload_status.check_deployment}
    ),
    ("apps", "ReplicaSet"): Rules(
        workloads.check_replica_set, workloads.check_replica_set_update, {"status": workload_status.check_replica_set}
    ),
    ("apps", "StatefulSet"): Rules(
        workloads.check_stateful_set,
        workloads.check_stateful_set_update,
        {"status": workload_status.check_stateful_set},
    ),
    ("autoscaling", "HorizontalPodAutoscaler"): Rules(
        scaling.check_autoscaler, parts={"status": scaling.check_autoscaler_status}
    ),
    ("batch", "CronJob"): Rules(jobs.check_cron_job, jobs.check_cron_job_update),
    ("batch", "Job"): Rules(jobs.check_job, jobs.check_job_update, {"status": jobs.check_job_status}),
    ("certificates.k8s.io", "CertificateSigningRequest"): Rules(
        certificates.check_request,
        certificates.check_request_update,
        {"approval": certificates.check_approval, "status": certificates.check_status},
    ),
    ("coordination.k8s.io", "Lease"): Rules(configuration.check_lease),
    ("discovery.k8s.io", "EndpointSlice"): Rules(
        endpoint_slices.check_endpoint_slice, endpoint_slices.check_endpoint_slice_update
    ),
    ("events.k8s.io", "Event"): Rules(events.check_new_event, events.check_new_event_update),
    (_FLOW, "FlowSchema"): Rules(flow_control.check_flow_schema, parts={"status": flow_control.check_status}),
    (_FLOW, "PriorityLevelConfiguration"): Rules(
        flow_control.check_priority_level, parts={"status": flow_control.check_status}
    ),
    ("networking.k8s.io", "IPAddress"): Rules(network_addresses.check_address, network_addresses.check_address_update),
    ("networking.k8s.io", "Ingress"): Rules(
        networking.check_ingress, networking.check_ingress_update, {"status": load_balancers.check_ingress_status}
    ),
    ("networking.k8s.io", "IngressClass"): Rules(networking.check_ingress_class, networking.check_ingress_class_update),
    ("networking.k8s.io", "NetworkPolicy"): Rules(networking.check_network_policy),
    ("networking.k8s.io", "ServiceCIDR"): Rules(network_addresses.check_range, network_addresses.check_range_update),
    ("node.k8s.io", "RuntimeClass"): Rules(configuration.check_runtime_class, configuration.check_runtime_class_update),
    ("policy", "PodDisruptionBudget"): Rules(scaling.check_budget, parts={"status": scaling.check_budget_status}),
    (_RBAC, "ClusterRole"): Rules(rbac.check_cluster_role),
    (_RBAC, "ClusterRoleBinding"): Rules(rbac.check_cluster_role_binding, rbac.check_cluster_role_binding_update),
    (_RBAC, "Role"): Rules(rbac.check_role),
    (_RBAC, "RoleBinding"): Rules(rbac.check_role_binding, rbac.check_role_binding_update),
    (_DEVICES, "DeviceClass"): Rules(device_claims.check_class),
    (_DEVICES, "ResourceClaim"): Rules(
        device_claims.check_claim, device_claims.check_claim_update, {"status": device_claims.check_claim_status}
    ),
    (_DEVICES, "ResourceClaimTemplate"): Rules(device_claims.check_template, device_claims.check_template_update),
    (_DEVICES, "ResourceSlice"): Rules(device_slices.check_slice, device_slices.check_slice_update),
    ("scheduling.k8s.io", "PriorityClass"): Rules(
        configuration.check_priority_class, configuration.check_priority_class_update
    ),
    ("storage.k8s.io", "CSIDriver"): Rules(csi.check_driver, csi.check_driver_update),
    ("storage.k8s.io", "CSINode"): Rules(csi.check_csi_node, csi.check_csi_node_update),
    ("storage.k8s.io", "CSIStorageCapacity"): Rules(csi.check_capacity, csi.check_capacity_update),
    ("storage.k8s.io", "VolumeAttachment"): Rules(csi.check_attachment, csi.check_attachment_update),
    ("storage.k8s.io", "StorageClass"): Rules(storage.check_storage_class, storage.check_storage_class_update),
    ("storage.k8s.io", "VolumeAttributesClass"): Rules(
        storage.check_attributes_class, storage.check_attributes_class_update
    ),
}

# Kinds whose changes are judged as if the whole had been created anew, and whose metadata is not judged as a change besides.
ONLY_JUDGED_ANEW = frozenset(
    {
        ("", "LimitRange"),
        ("", "PersistentVolume"),
        *((_ADMISSION, f"{kind}AdmissionPolicy{part}") for kind in _POLICY_KINDS for part in ("", "Binding")),
        *((_ADMISSION, f"{kind}WebhookConfiguration") for kind in _POLICY_KINDS),
        ("discovery.k8s.io", "EndpointSlice"),
        (_FLOW, "FlowSchema"),
        (_FLOW, "PriorityLevelConfiguration"),
        ("storage.k8s.io", "CSINode"),
        ("storage.k8s.io", "VolumeAttachment"),
    }
)
# These and others are judged anew, metadata included: so often.
JUDGED_ANEW: Mapping[tuple[str, str], int] = {
    **dict.fromkeys(
        (
            *ONLY_JUDGED_ANEW,
            ("", "ConfigMap"),
            ("", "Endpoints"),
            ("", "Namespace"),
            ("", "Node"),
            ("", "PersistentVolumeClaim"),
            ("", "Pod"),
            ("", "Secret"),
            ("", "ServiceAccount"),
            ("apps", "ControllerRevision"),
            ("batch", "Job"),
            ("certificates.k8s.io", "CertificateSigningRequest"),
            ("networking.k8s.io", "IPAddress"),
            ("networking.k8s.io", "Ingress"),
            ("networking.k8s.io", "IngressClass"),
            ("node.k8s.io", "RuntimeClass"),
            (_RBAC, "ClusterRole"),
            (_RBAC, "ClusterRoleBinding"),
            (_RBAC, "Role"),
            (_RBAC, "RoleBinding"),
            ("resource.k8s.io", "DeviceClass"),
            ("resource.k8s.io", "ResourceClaim"),
            ("resource.k8s.io", "ResourceClaimTemplate"),
            ("storage.k8s.io", "CSIStorageCapacity"),
            ("storage.k8s.io", "StorageClass"),
            ("storage.k8s.io", "VolumeAttributesClass"),
        ),
        1,
    ),
    ("", "PersistentVolume"): 2,
}
# Those of them of which all is judged as if it were new before their metadata is judged as a change, and what may not change after both.
CREATED_FIRST = frozenset(
    {
        ("", "Namespace"),
        ("", "Node"),
        ("batch", "Job"),
        ("certificates.k8s.io", "CertificateSigningRequest"),
        ("networking.k8s.io", "IPAddress"),
        ("node.k8s.io", "RuntimeClass"),
        *((_RBAC, kind) for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")),
        ("resource.k8s.io", "ResourceClaimTemplate"),
        ("storage.k8s.io", "CSIStorageCapacity"),
        ("storage.k8s.io", "StorageClass"),
    }
)
# Those of them whose changes are looked at before they are judged as if they were new.
CHANGE_FIRST = frozenset(
    {
        ("", "ConfigMap"),
        ("", "Secret"),
        ("networking.k8s.io", "IngressClass"),
        ("storage.k8s.io", "VolumeAttributesClass"),
    }
)
# Those of them of which only metadata is.
METADATA_ANEW_FIRST = frozenset({("resource.k8s.io", "DeviceClass"), ("resource.k8s.io", "ResourceClaim")})
# Kinds of whose metadata only what all kinds share is asked, and only once nothing else is wrong.
METADATA_LAST = frozenset({("", "Event"), ("policy", "PodDisruptionBudget")})
# Kinds without rules of their own for changes of metadata.
NO_METADATA_RULES = frozenset({("", "Event"), ("policy", "PodDisruptionBudget")})
