"""How lists merge in Kubernetes 1.21.2's objects, which is what kustomize 5.8.1 has built in.

Made from the merge keys that the API's OpenAPI document states; types that look alike here are one. A line is a type
and its fields: `field:Type[keys]`. With brackets, the list merges by these keys (none: as a set of scalars); a star
marks a map whose values have the type. KINDS tells which type a kind (`group/version/Kind`) has, ALIKE which
types of the API are the one that begins the line.
"""

TYPES = """
admissionregistration.v1.MutatingWebhook namespaceSelector:meta.v1.LabelSelector
  objectSelector:meta.v1.LabelSelector
admissionregistration.v1.MutatingWebhookConfiguration metadata:meta.v1.ObjectMeta
  webhooks:admissionregistration.v1.MutatingWebhook[name]
admissionregistration.v1.MutatingWebhookConfigurationList
  items:admissionregistration.v1.MutatingWebhookConfiguration
apps.v1.Kustomization configMapGenerator:[name] secretGenerator:[name]
apps.v1.StatefulSet metadata:meta.v1.ObjectMeta spec:apps.v1.StatefulSetSpec status:batch.v1.JobStatus
apps.v1.StatefulSetList items:apps.v1.StatefulSet
apps.v1.StatefulSetSpec selector:meta.v1.LabelSelector template:core.v1.PodTemplateSpec
  volumeClaimTemplates:core.v1.PersistentVolumeClaim
autoscaling.v2beta1.ExternalMetricSource metricSelector:meta.v1.LabelSelector
autoscaling.v2beta1.HorizontalPodAutoscaler metadata:meta.v1.ObjectMeta
  spec:autoscaling.v2beta1.HorizontalPodAutoscalerSpec status:autoscaling.v2beta1.HorizontalPodAutoscalerStatus
autoscaling.v2beta1.HorizontalPodAutoscalerList items:autoscaling.v2beta1.HorizontalPodAutoscaler
autoscaling.v2beta1.HorizontalPodAutoscalerSpec metrics:autoscaling.v2beta1.MetricSpec
autoscaling.v2beta1.HorizontalPodAutoscalerStatus currentMetrics:autoscaling.v2beta1.MetricSpec
autoscaling.v2beta1.MetricSpec external:autoscaling.v2beta1.ExternalMetricSource
  object:core.v1.PersistentVolumeClaimSpec pods:core.v1.PersistentVolumeClaimSpec
autoscaling.v2beta2.HorizontalPodAutoscaler metadata:meta.v1.ObjectMeta
  spec:autoscaling.v2beta2.HorizontalPodAutoscalerSpec status:autoscaling.v2beta2.HorizontalPodAutoscalerStatus
autoscaling.v2beta2.HorizontalPodAutoscalerList items:autoscaling.v2beta2.HorizontalPodAutoscaler
autoscaling.v2beta2.HorizontalPodAutoscalerSpec metrics:autoscaling.v2beta2.MetricSpec
autoscaling.v2beta2.HorizontalPodAutoscalerStatus currentMetrics:autoscaling.v2beta2.MetricSpec
autoscaling.v2beta2.MetricSpec external:autoscaling.v2beta2.PodsMetricSource
  object:autoscaling.v2beta2.PodsMetricSource pods:autoscaling.v2beta2.PodsMetricSource
autoscaling.v2beta2.PodsMetricSource metric:core.v1.PersistentVolumeClaimSpec
batch.v1.CronJob metadata:meta.v1.ObjectMeta spec:batch.v1.CronJobSpec
batch.v1.CronJobList items:batch.v1.CronJob
batch.v1.CronJobSpec jobTemplate:batch.v1.JobTemplateSpec
batch.v1.Job metadata:meta.v1.ObjectMeta spec:batch.v1.JobSpec status:batch.v1.JobStatus
batch.v1.JobList items:batch.v1.Job
batch.v1.JobSpec selector:meta.v1.LabelSelector template:core.v1.PodTemplateSpec
batch.v1.JobStatus conditions:[type]
batch.v1.JobTemplateSpec metadata:meta.v1.ObjectMeta spec:batch.v1.JobSpec
core.v1.Affinity podAffinity:core.v1.PodAffinity podAntiAffinity:core.v1.PodAffinity
core.v1.ComponentStatus conditions:[type] metadata:meta.v1.ObjectMeta
core.v1.ComponentStatusList items:core.v1.ComponentStatus
core.v1.Container env:[name] ports:[containerPort,protocol] volumeDevices:[devicePath] volumeMounts:[mountPath]
core.v1.EphemeralContainer env:[name] volumeDevices:[devicePath] volumeMounts:[mountPath]
core.v1.EphemeralVolumeSource volumeClaimTemplate:core.v1.PersistentVolumeClaimTemplate
core.v1.Namespace metadata:meta.v1.ObjectMeta status:batch.v1.JobStatus
core.v1.NamespaceList items:core.v1.Namespace
core.v1.Node metadata:meta.v1.ObjectMeta spec:core.v1.NodeSpec status:core.v1.NodeStatus
core.v1.NodeList items:core.v1.Node
core.v1.NodeSpec podCIDRs:[]
core.v1.NodeStatus addresses:[type] conditions:[type]
core.v1.PersistentVolumeClaim metadata:meta.v1.ObjectMeta spec:core.v1.PersistentVolumeClaimSpec
  status:batch.v1.JobStatus
core.v1.PersistentVolumeClaimList items:core.v1.PersistentVolumeClaim
core.v1.PersistentVolumeClaimSpec selector:meta.v1.LabelSelector
core.v1.PersistentVolumeClaimTemplate metadata:meta.v1.ObjectMeta spec:core.v1.PersistentVolumeClaimSpec
core.v1.Pod metadata:meta.v1.ObjectMeta spec:core.v1.PodSpec status:core.v1.PodStatus
core.v1.PodAffinity preferredDuringSchedulingIgnoredDuringExecution:core.v1.WeightedPodAffinityTerm
  requiredDuringSchedulingIgnoredDuringExecution:core.v1.PodAffinityTerm
core.v1.PodAffinityTerm labelSelector:meta.v1.LabelSelector namespaceSelector:meta.v1.LabelSelector
core.v1.PodList items:core.v1.Pod
core.v1.PodSpec affinity:core.v1.Affinity containers:core.v1.Container[name]
  ephemeralContainers:core.v1.EphemeralContainer[name] hostAliases:[ip] imagePullSecrets:[name]
  initContainers:core.v1.Container[name]
  topologySpreadConstraints:core.v1.TopologySpreadConstraint[topologyKey,whenUnsatisfiable]
  volumes:core.v1.Volume[name]
core.v1.PodStatus conditions:[type] podIPs:[ip]
core.v1.PodTemplate metadata:meta.v1.ObjectMeta template:core.v1.PodTemplateSpec
core.v1.PodTemplateList items:core.v1.PodTemplate
core.v1.PodTemplateSpec metadata:meta.v1.ObjectMeta spec:core.v1.PodSpec
core.v1.ReplicationController metadata:meta.v1.ObjectMeta spec:core.v1.ReplicationControllerSpec
  status:batch.v1.JobStatus
core.v1.ReplicationControllerList items:core.v1.ReplicationController
core.v1.ReplicationControllerSpec template:core.v1.PodTemplateSpec
core.v1.Service metadata:meta.v1.ObjectMeta spec:core.v1.ServiceSpec status:batch.v1.JobStatus
core.v1.ServiceAccount metadata:meta.v1.ObjectMeta secrets:[name]
core.v1.ServiceAccountList items:core.v1.ServiceAccount
core.v1.ServiceList items:core.v1.Service
core.v1.ServiceSpec ports:[port,protocol]
core.v1.TopologySpreadConstraint labelSelector:meta.v1.LabelSelector
core.v1.Volume ephemeral:core.v1.EphemeralVolumeSource
core.v1.WeightedPodAffinityTerm podAffinityTerm:core.v1.PodAffinityTerm
meta.v1.LabelSelector matchExpressions:meta.v1.LabelSelectorRequirement
meta.v1.LabelSelectorRequirement key:[key]
meta.v1.ObjectMeta finalizers:[] ownerReferences:[uid]
networking.v1.NetworkPolicy metadata:meta.v1.ObjectMeta spec:networking.v1.NetworkPolicySpec
networking.v1.NetworkPolicyEgressRule to:networking.v1.NetworkPolicyPeer
networking.v1.NetworkPolicyIngressRule from:networking.v1.NetworkPolicyPeer
networking.v1.NetworkPolicyList items:networking.v1.NetworkPolicy
networking.v1.NetworkPolicyPeer namespaceSelector:meta.v1.LabelSelector podSelector:meta.v1.LabelSelector
networking.v1.NetworkPolicySpec egress:networking.v1.NetworkPolicyEgressRule
  ingress:networking.v1.NetworkPolicyIngressRule podSelector:meta.v1.LabelSelector
rbac.v1.AggregationRule clusterRoleSelectors:meta.v1.LabelSelector
rbac.v1.ClusterRole aggregationRule:rbac.v1.AggregationRule metadata:meta.v1.ObjectMeta
rbac.v1.ClusterRoleList items:rbac.v1.ClusterRole
rbac.v1.Role metadata:meta.v1.ObjectMeta
rbac.v1.RoleList items:rbac.v1.Role
storage.v1.CSINode metadata:meta.v1.ObjectMeta spec:storage.v1.CSINodeSpec
storage.v1.CSINodeList items:storage.v1.CSINode
storage.v1.CSINodeSpec drivers:[name]
storage.v1beta1.CSIStorageCapacity metadata:meta.v1.ObjectMeta nodeTopology:meta.v1.LabelSelector
storage.v1beta1.CSIStorageCapacityList items:storage.v1beta1.CSIStorageCapacity
"""

KINDS = """
admissionregistration.v1.MutatingWebhookConfiguration admissionregistration.k8s.io/v1/MutatingWebhookConfiguration
  admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration
  admissionregistration.k8s.io/v1beta1/MutatingWebhookConfiguration
  admissionregistration.k8s.io/v1beta1/ValidatingWebhookConfiguration
admissionregistration.v1.MutatingWebhookConfigurationList
  admissionregistration.k8s.io/v1/MutatingWebhookConfigurationList
  admissionregistration.k8s.io/v1/ValidatingWebhookConfigurationList
  admissionregistration.k8s.io/v1beta1/MutatingWebhookConfigurationList
  admissionregistration.k8s.io/v1beta1/ValidatingWebhookConfigurationList
apps.v1.Kustomization kustomize.config.k8s.io/v1beta1/Kustomization
apps.v1.StatefulSet apps/v1/StatefulSet
apps.v1.StatefulSetList apps/v1/StatefulSetList
autoscaling.v2beta1.HorizontalPodAutoscaler autoscaling/v2beta1/HorizontalPodAutoscaler
autoscaling.v2beta1.HorizontalPodAutoscalerList autoscaling/v2beta1/HorizontalPodAutoscalerList
autoscaling.v2beta2.HorizontalPodAutoscaler autoscaling/v2beta2/HorizontalPodAutoscaler
autoscaling.v2beta2.HorizontalPodAutoscalerList autoscaling/v2beta2/HorizontalPodAutoscalerList
batch.v1.CronJob batch/v1/CronJob batch/v1beta1/CronJob
batch.v1.CronJobList batch/v1/CronJobList batch/v1beta1/CronJobList
batch.v1.Job apps/v1/DaemonSet apps/v1/Deployment apps/v1/ReplicaSet batch/v1/Job
batch.v1.JobList apps/v1/DaemonSetList apps/v1/DeploymentList apps/v1/ReplicaSetList batch/v1/JobList
core.v1.ComponentStatus v1/ComponentStatus
core.v1.ComponentStatusList v1/ComponentStatusList
core.v1.Namespace apiregistration.k8s.io/v1/APIService apiregistration.k8s.io/v1beta1/APIService v1/Namespace
core.v1.NamespaceList apiregistration.k8s.io/v1/APIServiceList apiregistration.k8s.io/v1beta1/APIServiceList
  v1/NamespaceList
core.v1.Node v1/Node
core.v1.NodeList v1/NodeList
core.v1.PersistentVolumeClaim policy/v1/PodDisruptionBudget policy/v1beta1/PodDisruptionBudget
  v1/PersistentVolumeClaim
core.v1.PersistentVolumeClaimList policy/v1/PodDisruptionBudgetList policy/v1beta1/PodDisruptionBudgetList
  v1/PersistentVolumeClaimList
core.v1.Pod v1/Pod
core.v1.PodList v1/PodList
core.v1.PodTemplate v1/PodTemplate
core.v1.PodTemplateList v1/PodTemplateList
core.v1.ReplicationController v1/ReplicationController
core.v1.ReplicationControllerList v1/ReplicationControllerList
core.v1.Service v1/Service
core.v1.ServiceAccount v1/ServiceAccount
core.v1.ServiceAccountList v1/ServiceAccountList
core.v1.ServiceList v1/ServiceList
networking.v1.NetworkPolicy networking.k8s.io/v1/NetworkPolicy
networking.v1.NetworkPolicyList networking.k8s.io/v1/NetworkPolicyList
rbac.v1.ClusterRole rbac.authorization.k8s.io/v1/ClusterRole rbac.authorization.k8s.io/v1beta1/ClusterRole
rbac.v1.ClusterRoleList rbac.authorization.k8s.io/v1/ClusterRoleList
  rbac.authorization.k8s.io/v1beta1/ClusterRoleList
rbac.v1.Role apiextensions.k8s.io/v1/CustomResourceDefinition apiextensions.k8s.io/v1beta1/CustomResourceDefinition
  apps/v1/ControllerRevision authentication.k8s.io/v1/TokenRequest authentication.k8s.io/v1/TokenReview
  authentication.k8s.io/v1beta1/TokenReview authorization.k8s.io/v1/LocalSubjectAccessReview
  authorization.k8s.io/v1/SelfSubjectAccessReview authorization.k8s.io/v1/SelfSubjectRulesReview
  authorization.k8s.io/v1/SubjectAccessReview authorization.k8s.io/v1beta1/LocalSubjectAccessReview
  authorization.k8s.io/v1beta1/SelfSubjectAccessReview authorization.k8s.io/v1beta1/SelfSubjectRulesReview
  authorization.k8s.io/v1beta1/SubjectAccessReview autoscaling/v1/HorizontalPodAutoscaler autoscaling/v1/Scale
  certificates.k8s.io/v1/CertificateSigningRequest certificates.k8s.io/v1beta1/CertificateSigningRequest
  coordination.k8s.io/v1/Lease coordination.k8s.io/v1beta1/Lease discovery.k8s.io/v1/EndpointSlice
  discovery.k8s.io/v1beta1/EndpointSlice events.k8s.io/v1/Event events.k8s.io/v1beta1/Event
  extensions/v1beta1/Ingress flowcontrol.apiserver.k8s.io/v1beta1/FlowSchema
  flowcontrol.apiserver.k8s.io/v1beta1/PriorityLevelConfiguration networking.k8s.io/v1/Ingress
  networking.k8s.io/v1/IngressClass networking.k8s.io/v1beta1/Ingress networking.k8s.io/v1beta1/IngressClass
  node.k8s.io/v1/RuntimeClass node.k8s.io/v1beta1/RuntimeClass policy/v1beta1/Eviction
  policy/v1beta1/PodSecurityPolicy rbac.authorization.k8s.io/v1/ClusterRoleBinding rbac.authorization.k8s.io/v1/Role
  rbac.authorization.k8s.io/v1/RoleBinding rbac.authorization.k8s.io/v1beta1/ClusterRoleBinding
  rbac.authorization.k8s.io/v1beta1/Role rbac.authorization.k8s.io/v1beta1/RoleBinding
  scheduling.k8s.io/v1/PriorityClass scheduling.k8s.io/v1beta1/PriorityClass storage.k8s.io/v1/CSIDriver
  storage.k8s.io/v1/StorageClass storage.k8s.io/v1/VolumeAttachment storage.k8s.io/v1beta1/CSIDriver
  storage.k8s.io/v1beta1/StorageClass storage.k8s.io/v1beta1/VolumeAttachment v1/Binding v1/ConfigMap v1/Endpoints
  v1/Event v1/LimitRange v1/PersistentVolume v1/ResourceQuota v1/Secret
rbac.v1.RoleList apiextensions.k8s.io/v1/CustomResourceDefinitionList
  apiextensions.k8s.io/v1beta1/CustomResourceDefinitionList apps/v1/ControllerRevisionList
  autoscaling/v1/HorizontalPodAutoscalerList certificates.k8s.io/v1/CertificateSigningRequestList
  certificates.k8s.io/v1beta1/CertificateSigningRequestList coordination.k8s.io/v1/LeaseList
  coordination.k8s.io/v1beta1/LeaseList discovery.k8s.io/v1/EndpointSliceList
  discovery.k8s.io/v1beta1/EndpointSliceList events.k8s.io/v1/EventList events.k8s.io/v1beta1/EventList
  extensions/v1beta1/IngressList flowcontrol.apiserver.k8s.io/v1beta1/FlowSchemaList
  flowcontrol.apiserver.k8s.io/v1beta1/PriorityLevelConfigurationList networking.k8s.io/v1/IngressClassList
  networking.k8s.io/v1/IngressList networking.k8s.io/v1beta1/IngressClassList networking.k8s.io/v1beta1/IngressList
  node.k8s.io/v1/RuntimeClassList node.k8s.io/v1beta1/RuntimeClassList policy/v1beta1/PodSecurityPolicyList
  rbac.authorization.k8s.io/v1/ClusterRoleBindingList rbac.authorization.k8s.io/v1/RoleBindingList
  rbac.authorization.k8s.io/v1/RoleList rbac.authorization.k8s.io/v1beta1/ClusterRoleBindingList
  rbac.authorization.k8s.io/v1beta1/RoleBindingList rbac.authorization.k8s.io/v1beta1/RoleList
  scheduling.k8s.io/v1/PriorityClassList scheduling.k8s.io/v1beta1/PriorityClassList storage.k8s.io/v1/CSIDriverList
  storage.k8s.io/v1/StorageClassList storage.k8s.io/v1/VolumeAttachmentList storage.k8s.io/v1beta1/CSIDriverList
  storage.k8s.io/v1beta1/StorageClassList storage.k8s.io/v1beta1/VolumeAttachmentList v1/ConfigMapList
  v1/EndpointsList v1/EventList v1/LimitRangeList v1/PersistentVolumeList v1/ResourceQuotaList v1/SecretList
storage.v1.CSINode storage.k8s.io/v1/CSINode storage.k8s.io/v1beta1/CSINode
storage.v1.CSINodeList storage.k8s.io/v1/CSINodeList storage.k8s.io/v1beta1/CSINodeList
storage.v1beta1.CSIStorageCapacity storage.k8s.io/v1beta1/CSIStorageCapacity
storage.v1beta1.CSIStorageCapacityList storage.k8s.io/v1beta1/CSIStorageCapacityList
"""

ALIKE = """
admissionregistration.v1.MutatingWebhook admissionregistration.v1.ValidatingWebhook
  admissionregistration.v1beta1.MutatingWebhook admissionregistration.v1beta1.ValidatingWebhook
admissionregistration.v1.MutatingWebhookConfiguration admissionregistration.v1.ValidatingWebhookConfiguration
  admissionregistration.v1beta1.MutatingWebhookConfiguration
  admissionregistration.v1beta1.ValidatingWebhookConfiguration
admissionregistration.v1.MutatingWebhookConfigurationList
  admissionregistration.v1.ValidatingWebhookConfigurationList
  admissionregistration.v1beta1.MutatingWebhookConfigurationList
  admissionregistration.v1beta1.ValidatingWebhookConfigurationList
autoscaling.v2beta1.ExternalMetricSource autoscaling.v2beta1.ExternalMetricStatus
autoscaling.v2beta1.MetricSpec autoscaling.v2beta1.MetricStatus
autoscaling.v2beta2.MetricSpec autoscaling.v2beta2.MetricStatus
autoscaling.v2beta2.PodsMetricSource autoscaling.v2beta2.ExternalMetricSource
  autoscaling.v2beta2.ExternalMetricStatus autoscaling.v2beta2.ObjectMetricSource
  autoscaling.v2beta2.ObjectMetricStatus autoscaling.v2beta2.PodsMetricStatus
batch.v1.CronJob batch.v1beta1.CronJob
batch.v1.CronJobList batch.v1beta1.CronJobList
batch.v1.CronJobSpec batch.v1beta1.CronJobSpec
batch.v1.Job apps.v1.DaemonSet apps.v1.Deployment apps.v1.ReplicaSet
batch.v1.JobList apps.v1.DaemonSetList apps.v1.DeploymentList apps.v1.ReplicaSetList
batch.v1.JobSpec apps.v1.DaemonSetSpec apps.v1.DeploymentSpec apps.v1.ReplicaSetSpec
batch.v1.JobStatus apiregistration.v1.APIServiceStatus apiregistration.v1beta1.APIServiceStatus
  apps.v1.DaemonSetStatus apps.v1.DeploymentStatus apps.v1.ReplicaSetStatus apps.v1.StatefulSetStatus
  core.v1.NamespaceStatus core.v1.PersistentVolumeClaimStatus core.v1.ReplicationControllerStatus
  core.v1.ServiceStatus policy.v1.PodDisruptionBudgetStatus policy.v1beta1.PodDisruptionBudgetStatus
batch.v1.JobTemplateSpec batch.v1beta1.JobTemplateSpec
core.v1.Namespace apiregistration.v1.APIService apiregistration.v1beta1.APIService
core.v1.NamespaceList apiregistration.v1.APIServiceList apiregistration.v1beta1.APIServiceList
core.v1.PersistentVolumeClaim policy.v1.PodDisruptionBudget policy.v1beta1.PodDisruptionBudget
core.v1.PersistentVolumeClaimList policy.v1.PodDisruptionBudgetList policy.v1beta1.PodDisruptionBudgetList
core.v1.PersistentVolumeClaimSpec autoscaling.v2beta1.ObjectMetricSource autoscaling.v2beta1.ObjectMetricStatus
  autoscaling.v2beta1.PodsMetricSource autoscaling.v2beta1.PodsMetricStatus autoscaling.v2beta2.MetricIdentifier
  policy.v1.PodDisruptionBudgetSpec policy.v1beta1.PodDisruptionBudgetSpec
core.v1.PodAffinity core.v1.PodAntiAffinity
rbac.v1.AggregationRule rbac.v1beta1.AggregationRule
rbac.v1.ClusterRole rbac.v1beta1.ClusterRole
rbac.v1.ClusterRoleList rbac.v1beta1.ClusterRoleList
rbac.v1.Role apiextensions.v1.CustomResourceDefinition apiextensions.v1beta1.CustomResourceDefinition
  apps.v1.ControllerRevision authentication.v1.TokenRequest authentication.v1.TokenReview
  authentication.v1beta1.TokenReview authorization.v1.LocalSubjectAccessReview
  authorization.v1.SelfSubjectAccessReview authorization.v1.SelfSubjectRulesReview
  authorization.v1.SubjectAccessReview authorization.v1beta1.LocalSubjectAccessReview
  authorization.v1beta1.SelfSubjectAccessReview authorization.v1beta1.SelfSubjectRulesReview
  authorization.v1beta1.SubjectAccessReview autoscaling.v1.HorizontalPodAutoscaler autoscaling.v1.Scale
  certificates.v1.CertificateSigningRequest certificates.v1beta1.CertificateSigningRequest coordination.v1.Lease
  coordination.v1beta1.Lease core.v1.Binding core.v1.ConfigMap core.v1.Endpoints core.v1.Event core.v1.LimitRange
  core.v1.PersistentVolume core.v1.ResourceQuota core.v1.Secret discovery.v1.EndpointSlice
  discovery.v1beta1.EndpointSlice events.v1.Event events.v1beta1.Event extensions.v1beta1.Ingress
  flowcontrol.v1beta1.FlowSchema flowcontrol.v1beta1.PriorityLevelConfiguration networking.v1.Ingress
  networking.v1.IngressClass networking.v1beta1.Ingress networking.v1beta1.IngressClass node.v1.RuntimeClass
  node.v1beta1.RuntimeClass policy.v1beta1.Eviction policy.v1beta1.PodSecurityPolicy rbac.v1.ClusterRoleBinding
  rbac.v1.RoleBinding rbac.v1beta1.ClusterRoleBinding rbac.v1beta1.Role rbac.v1beta1.RoleBinding
  scheduling.v1.PriorityClass scheduling.v1beta1.PriorityClass storage.v1.CSIDriver storage.v1.StorageClass
  storage.v1.VolumeAttachment storage.v1beta1.CSIDriver storage.v1beta1.StorageClass
  storage.v1beta1.VolumeAttachment
rbac.v1.RoleList apiextensions.v1.CustomResourceDefinitionList apiextensions.v1beta1.CustomResourceDefinitionList
  apps.v1.ControllerRevisionList autoscaling.v1.HorizontalPodAutoscalerList
  certificates.v1.CertificateSigningRequestList certificates.v1beta1.CertificateSigningRequestList
  coordination.v1.LeaseList coordination.v1beta1.LeaseList core.v1.ConfigMapList core.v1.EndpointsList
  core.v1.EventList core.v1.LimitRangeList core.v1.PersistentVolumeList core.v1.ResourceQuotaList core.v1.SecretList
  discovery.v1.EndpointSliceList discovery.v1beta1.EndpointSliceList events.v1.EventList events.v1beta1.EventList
  extensions.v1beta1.IngressList flowcontrol.v1beta1.FlowSchemaList
  flowcontrol.v1beta1.PriorityLevelConfigurationList networking.v1.IngressClassList networking.v1.IngressList
  networking.v1beta1.IngressClassList networking.v1beta1.IngressList node.v1.RuntimeClassList
  node.v1beta1.RuntimeClassList policy.v1beta1.PodSecurityPolicyList rbac.v1.ClusterRoleBindingList
  rbac.v1.RoleBindingList rbac.v1beta1.ClusterRoleBindingList rbac.v1beta1.RoleBindingList rbac.v1beta1.RoleList
  scheduling.v1.PriorityClassList scheduling.v1beta1.PriorityClassList storage.v1.CSIDriverList
  storage.v1.StorageClassList storage.v1.VolumeAttachmentList storage.v1beta1.CSIDriverList
  storage.v1beta1.StorageClassList storage.v1beta1.VolumeAttachmentList
storage.v1.CSINode storage.v1beta1.CSINode
storage.v1.CSINodeList storage.v1beta1.CSINodeList
storage.v1.CSINodeSpec storage.v1beta1.CSINodeSpec
"""
