"""API versions that Kubernetes has deprecated or stopped serving: facts of its deprecation guide and of its published schemas.

A test holds the table against the schemas that we pack: what one of those versions stopped serving is here, and nothing else.
"""

from collections.abc import Iterator
from typing import NamedTuple

Release = tuple[int, int]
NEVER: Release = (99, 0)


class Retired(NamedTuple):
    """`deprecated` and `removed` are the first releases of which it is true; `instead` is what the newest release
    serves, "" where there is nothing.
    """

    api_version: str
    kind: str
    deprecated: Release
    removed: Release
    instead: str


def _release(word: str) -> Release:
    if word == "-":
        return NEVER
    major, minor = word.split(".")
    return int(major), int(minor)


# apiVersion, deprecated in, removed in, use instead ("-": none), kinds
_TABLE = """
extensions/v1beta1                    1.14 1.16 apps/v1                          DaemonSet Deployment ReplicaSet
extensions/v1beta1                    1.14 1.16 networking.k8s.io/v1             NetworkPolicy
extensions/v1beta1                    1.10 1.16 -                                PodSecurityPolicy
extensions/v1beta1                    1.14 1.22 networking.k8s.io/v1             Ingress
apps/v1beta1                          1.9  1.16 apps/v1                          ControllerRevision Deployment StatefulSet
apps/v1beta2                          1.9  1.16 apps/v1                          ControllerRevision DaemonSet Deployment
apps/v1beta2                          1.9  1.16 apps/v1                          ReplicaSet StatefulSet
admissionregistration.k8s.io/v1beta1  1.16 1.22 admissionregistration.k8s.io/v1  MutatingWebhookConfiguration
admissionregistration.k8s.io/v1beta1  1.16 1.22 admissionregistration.k8s.io/v1  ValidatingWebhookConfiguration
apiextensions.k8s.io/v1beta1          1.16 1.22 apiextensions.k8s.io/v1          CustomResourceDefinition
apiregistration.k8s.io/v1beta1        1.19 1.22 apiregistration.k8s.io/v1        APIService
authentication.k8s.io/v1beta1         1.19 1.22 authentication.k8s.io/v1         TokenReview
authorization.k8s.io/v1beta1          1.19 1.22 authorization.k8s.io/v1          LocalSubjectAccessReview
authorization.k8s.io/v1beta1          1.19 1.22 authorization.k8s.io/v1          SelfSubjectAccessReview
authorization.k8s.io/v1beta1          1.19 1.22 authorization.k8s.io/v1          SelfSubjectRulesReview SubjectAccessReview
certificates.k8s.io/v1beta1           1.19 1.22 certificates.k8s.io/v1           CertificateSigningRequest
coordination.k8s.io/v1beta1           1.19 1.22 coordination.k8s.io/v1           Lease
networking.k8s.io/v1beta1             1.19 1.22 networking.k8s.io/v1             Ingress IngressClass
rbac.authorization.k8s.io/v1beta1     1.17 1.22 rbac.authorization.k8s.io/v1     ClusterRole ClusterRoleBinding Role
rbac.authorization.k8s.io/v1beta1     1.17 1.22 rbac.authorization.k8s.io/v1     RoleBinding
rbac.authorization.k8s.io/v1alpha1    1.17 1.22 rbac.authorization.k8s.io/v1     ClusterRole ClusterRoleBinding Role
rbac.authorization.k8s.io/v1alpha1    1.17 1.22 rbac.authorization.k8s.io/v1     RoleBinding
scheduling.k8s.io/v1beta1             1.14 1.22 scheduling.k8s.io/v1             PriorityClass
storage.k8s.io/v1beta1                1.19 1.22 storage.k8s.io/v1                CSIDriver CSINode StorageClass
storage.k8s.io/v1beta1                1.19 1.22 storage.k8s.io/v1                VolumeAttachment
batch/v1beta1                         1.21 1.25 batch/v1                         CronJob
batch/v2alpha1                        1.20 1.21 batch/v1                         CronJob
discovery.k8s.io/v1beta1              1.21 1.25 discovery.k8s.io/v1              EndpointSlice
events.k8s.io/v1beta1                 1.19 1.25 events.k8s.io/v1                 Event
autoscaling/v2beta1                   1.22 1.25 autoscaling/v2                   HorizontalPodAutoscaler
policy/v1beta1                        1.21 1.25 policy/v1                        PodDisruptionBudget
policy/v1beta1                        1.21 1.25 -                                PodSecurityPolicy
node.k8s.io/v1beta1                   1.22 1.25 node.k8s.io/v1                   RuntimeClass
autoscaling/v2beta2                   1.23 1.26 autoscaling/v2                   HorizontalPodAutoscaler
flowcontrol.apiserver.k8s.io/v1beta1  1.23 1.26 flowcontrol.apiserver.k8s.io/v1  FlowSchema PriorityLevelConfiguration
storage.k8s.io/v1beta1                1.24 1.27 storage.k8s.io/v1                CSIStorageCapacity
flowcontrol.apiserver.k8s.io/v1beta2  1.26 1.29 flowcontrol.apiserver.k8s.io/v1  FlowSchema PriorityLevelConfiguration
networking.k8s.io/v1alpha1            1.29 1.29 -                                ClusterCIDR
networking.k8s.io/v1alpha1            1.31 1.31 networking.k8s.io/v1             IPAddress ServiceCIDR
resource.k8s.io/v1alpha2              1.31 1.31 resource.k8s.io/v1               ResourceClaim ResourceClaimTemplate
resource.k8s.io/v1alpha2              1.31 1.31 resource.k8s.io/v1               ResourceSlice
resource.k8s.io/v1alpha2              1.31 1.31 -                                PodSchedulingContext ResourceClass
resource.k8s.io/v1alpha2              1.31 1.31 -                                ResourceClaimParameters
resource.k8s.io/v1alpha2              1.31 1.31 -                                ResourceClassParameters
admissionregistration.k8s.io/v1alpha1 1.30 1.32 admissionregistration.k8s.io/v1  ValidatingAdmissionPolicy
admissionregistration.k8s.io/v1alpha1 1.30 1.32 admissionregistration.k8s.io/v1  ValidatingAdmissionPolicyBinding
authentication.k8s.io/v1alpha1        1.28 1.32 authentication.k8s.io/v1         SelfSubjectReview
coordination.k8s.io/v1alpha1          1.32 1.32 coordination.k8s.io/v1beta1      LeaseCandidate
flowcontrol.apiserver.k8s.io/v1beta3  1.29 1.32 flowcontrol.apiserver.k8s.io/v1  FlowSchema PriorityLevelConfiguration
resource.k8s.io/v1alpha3              1.32 1.32 -                                PodSchedulingContext
authentication.k8s.io/v1beta1         1.28 1.33 authentication.k8s.io/v1         SelfSubjectReview
admissionregistration.k8s.io/v1beta1  1.30 1.34 admissionregistration.k8s.io/v1  ValidatingAdmissionPolicy
admissionregistration.k8s.io/v1beta1  1.30 1.34 admissionregistration.k8s.io/v1  ValidatingAdmissionPolicyBinding
resource.k8s.io/v1alpha3              1.32 1.34 resource.k8s.io/v1               DeviceClass ResourceClaim
resource.k8s.io/v1alpha3              1.32 1.34 resource.k8s.io/v1               ResourceClaimTemplate ResourceSlice
certificates.k8s.io/v1alpha1          1.35 1.35 certificates.k8s.io/v1           PodCertificateRequest
storage.k8s.io/v1alpha1               1.31 1.35 storage.k8s.io/v1                VolumeAttributesClass
storagemigration.k8s.io/v1alpha1      1.35 1.35 storagemigration.k8s.io/v1       StorageVersionMigration
scheduling.k8s.io/v1alpha1            1.36 1.36 scheduling.k8s.io/v1beta1        Workload
certificates.k8s.io/v1alpha1          1.33 1.37 certificates.k8s.io/v1           ClusterTrustBundle
networking.k8s.io/v1beta1             1.33 1.37 networking.k8s.io/v1             IPAddress ServiceCIDR
scheduling.k8s.io/v1alpha2            1.37 1.37 scheduling.k8s.io/v1beta1        PodGroup Workload
storage.k8s.io/v1beta1                1.34 1.37 storage.k8s.io/v1                VolumeAttributesClass
v1                                    1.33 -    discovery.k8s.io/v1:EndpointSlice Endpoints
v1                                    1.19 -    -                                ComponentStatus
"""


def _rows() -> Iterator[Retired]:
    for line in _TABLE.strip().splitlines():
        api_version, deprecated, removed, instead, *kinds = line.split()
        for kind in kinds:
            use = "" if instead == "-" else instead.replace(":", " ") if ":" in instead else f"{instead} {kind}"
            yield Retired(api_version, kind, _release(deprecated), _release(removed), use)


RETIRED = {(row.api_version, row.kind): row for row in _rows()}
"""By apiVersion and kind."""
