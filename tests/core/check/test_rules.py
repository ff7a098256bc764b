"""Each rule: a repository that breaks it, told with file and line, and one that does not."""

from collections.abc import Mapping

import pytest

from core.check.repository import URL, application, checked, deployment, told
from kilde.core.check.config import read_config
from kilde.core.check.rules import RULES

APP = application("web", "apps/web")
SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector: {app: web}\n  ports:\n"
    "    - name: http\n      port: 80\n      targetPort: http\n"
)
PORTS = "          ports:\n            - name: http\n              containerPort: 8080\n"


def repository(*manifests: str, app: str = APP, **more: str) -> dict[str, str]:
    """One application of one file; keywords name other files, `__` is a slash and a trailing `_y` their ending."""
    files = {"argocd/web.yaml": app, "apps/web/all.yaml": "---\n".join(manifests)}
    return files | {name.replace("__", "/").removesuffix("_y") + ".yaml": text for name, text in more.items()}


def waiting(name: str, text: str) -> str:
    """An Application that waits."""
    lines = f"  name: {name}\n  annotations:\n    kilde.dev/depends-on: {text}\n"
    return application(name, "apps/web").replace(f"  name: {name}\n", lines, 1)


INGRESS = (
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\nspec:\n  rules:\n    - http:\n        paths:\n"
    "          - path: /\n            pathType: Prefix\n            backend:\n              service:\n                name: {}\n"
    "                port: {{{}}}\n"
)
SCALER = (
    "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: web\nspec:\n  maxReplicas: 3\n  scaleTargetRef:\n"
    "    apiVersion: apps/v1\n    kind: Deployment\n    name: {}\n"
)
BUDGET = (
    "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\nspec:\n  maxUnavailable: 1\n  selector:\n"
    "    matchLabels: {}\n"
)
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n"
SEALED = (
    "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: {}\nspec:\n  encryptedData: {{}}\n"
    "  template:\n    metadata:\n      name: {}\n"
)
ENV_FROM = "          envFrom:\n            - {}: {{name: {}{}}}\n"
CLAIM = "      volumes:\n        - name: data\n          persistentVolumeClaim: {claimName: data}\n"
STATEFUL = (
    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: db\nspec:\n  replicas: 2\n  serviceName: db\n"
    "  selector:\n    matchLabels: {app: db}\n  template:\n    metadata:\n      labels: {app: db}\n    spec:\n      containers:\n"
    "        - name: db\n          image: registry.example/db:1\n  volumeClaimTemplates:\n    - metadata:\n        name: data\n"
    "      spec:\n        accessModes: [ReadWriteOnce]\n        resources:\n          requests:\n            storage: 1Gi\n"
)
READER = (
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: reader\nspec:\n  containers:\n    - name: reader\n      image: registry.example/r:1\n"
    "  volumes:\n    - name: data\n      persistentVolumeClaim: {claimName: data-db-1}\n"
)
CRD = (
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: cars.example.com\nspec:\n"
    "  group: example.com\n  names: {kind: Car, plural: cars}\n  scope: Namespaced\n  versions:\n    - name: v1\n"
    "      served: true\n      storage: true\n      schema:\n        openAPIV3Schema:\n          type: object\n"
    "          properties:\n            spec:\n              type: object\n              required: [doors]\n"
    "              properties:\n                doors: {type: integer, maximum: 5}\n"
)
CAR = "apiVersion: example.com/v1\nkind: Car\nmetadata:\n  name: mine\nspec:\n  doors: {}\n"
PROJECT = (
    "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata:\n  name: team\nspec:\n  sourceRepos: ['{}']\n"
    "  destinations:\n    - server: https://kubernetes.default.svc\n      namespace: '{}'\n"
)
TEAM = APP.replace("project: default", "project: team")

ELSEWHERE = {"allow-file", "plaintext-secrets", "plaintext-secrets-in-history"}  # tests/cli/test_check_plaintext.py
PLAIN = "kind: Kustomization\nsecretGenerator:\n- name: db\n  options: {disableNameSuffixHash: true}\n  literals: [password=changeme]\n"
ALLOWING = "  annotations: {kilde.dev/raw-secrets: allowed}\nspec:"

BAD: Mapping[str, tuple[dict[str, str], list[str]]] = {
    "conflict": (
        {"a.txt": "<<<<<<< a\n1\n=======\n2\n>>>>>>> b\n"},
        ["conflict-markers a.txt:1:1: a merge conflict was committed"],
    ),
    "a file that nothing reads": (
        repository(CONFIG_MAP.format("a"), notes="a: 1\nb: c: d\n"),
        ["invalid-yaml notes.yaml:2:5: is not YAML: mapping values are not allowed in this context"],
    ),
    "a placeholder that would be applied": (
        {"argocd/web.yaml": TEAM, "apps/web/kustomization.yaml": PLAIN, "p.yaml": PROJECT.format("*", "*")},
        [
            "plaintext-secret-rendered apps/web/kustomization.yaml:3:1 Secret web/db: the controller refuses it: it comes of plain "
            "text in Git (password), and project 'team' does not allow that"
        ],
    ),
    "broken yaml": (
        repository("apiVersion: v1\nkind: ConfigMap\nmetadata: {\n"),
        ["render apps/web/all.yaml:4:1: does not render: did not find expected node content while parsing a flow node"],
    ),
    "metadata that is no text, and a key that is there twice": (
        repository(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels:\n    on: x\n    version: 1.5\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\ndata: {a: b}\ndata: {a: c}\n",
        ),
        [
            "misread-object apps/web/all.yaml:7:5 ConfigMap web/a: metadata.labels.version: must be a string",
            "misread-object apps/web/all.yaml:14:1 ConfigMap web/b: mapping key 'data' already defined",
        ],
    ),
    "Applications whose metadata is no metadata": (
        repository(
            CONFIG_MAP.format("a"),
            argocd__list_y=APP.replace("  name: web\n", "  name: other\n  annotations: 5\n", 1),
            apps__web__app_y=APP.replace("  name: web\n", "  name: third\n  labels: 5\n", 1),
        ),
        [
            "misread-object apps/web/app.yaml:5:3 Application argocd/third: metadata.labels: must be a map of strings",
            "render argocd/list.yaml:5:3: cannot be read: metadata.annotations: must be a map of strings",
        ],
    ),
    "kustomization that names nothing": (
        {"argocd/web.yaml": APP, "apps/web/kustomization.yaml": "resources:\n- gone.yaml\n"},
        ["render apps/web/kustomization.yaml:2:3: does not render: resources: gone.yaml: no such file or folder"],
    ),
    "a project that cannot be read": (
        repository(CONFIG_MAP.format("a"), p=PROJECT.replace("'{}'", "*")),
        [
            "render p.yaml:6:18: cannot be read: did not find expected alphabetic or numeric character while scanning an alias"
        ],
    ),
    "folder that is not there": (
        {"argocd/web.yaml": APP},
        ["application-source argocd/web.yaml:10:5: its path 'apps/web' is not in the repository"],
    ),
    "a spec with a wrong type": (
        repository(CONFIG_MAP.format("a"), app=APP + "  syncPolicy: {automated: {prune: 'yes'}}\n"),
        ["application argocd/web.yaml:14:28: spec.syncPolicy.automated.prune: must be true or false, not a string"],
    ),
    "two of one name": (
        {"a.yaml": APP, "b.yaml": APP, "apps/web/a.yaml": CONFIG_MAP.format("a")},
        [
            "application b.yaml:4:3: another Application has this name: a.yaml:1",
        ],
    ),
    "two that wait for each other": (
        {
            "a.yaml": waiting("a", "app/b"),
            "b.yaml": waiting("b", "app/c, app/a"),
            "apps/web/a.yaml": CONFIG_MAP.format("a"),
        },
        [
            "application-dependencies a.yaml:6:5: waits for itself: a → b → a (a → b in a.yaml:6, b → a in b.yaml:6)",
        ],
    ),
    "two in different namespaces": (
        {
            "a.yaml": waiting("a", "app/team/b"),
            "b.yaml": waiting("b", "app/a").replace("namespace: argocd", "namespace: team", 1),
            "apps/web/a.yaml": CONFIG_MAP.format("a"),
        },
        [
            "application-dependencies a.yaml:6:5: waits for itself: a → team/b → a (a → team/b in a.yaml:6, team/b → a in b.yaml:6)",
        ],
    ),
    "one of the same name in another namespace is no cycle": (
        {
            "a.yaml": waiting("a", "app/argocd/b").replace("namespace: argocd", "namespace: team", 1),
            "b.yaml": waiting("b", "app/team/a").replace("namespace: argocd", "namespace: team", 1),
            "apps/web/a.yaml": CONFIG_MAP.format("a"),
        },
        [],
    ),
    "two of a controller in a namespace of its own": (
        {
            "a.yaml": waiting("a", "app/b").replace("namespace: argocd", "namespace: gitops", 1),
            "b.yaml": waiting("b", "app/a").replace("namespace: argocd", "namespace: gitops", 1),
            "apps/web/a.yaml": CONFIG_MAP.format("a"),
        },
        [
            "application-dependencies a.yaml:6:5: waits for itself: gitops/a → gitops/b → gitops/a"
            " (gitops/a → gitops/b in a.yaml:6, gitops/b → gitops/a in b.yaml:6)",
        ],
    ),
    "what they wait for cannot be read": (
        {"a.yaml": waiting("a", "app/b@redy"), "apps/web/a.yaml": CONFIG_MAP.format("a")},
        [
            "application-dependencies a.yaml:6:5: kilde.dev/depends-on item 1: until 'redy' is neither synced nor healthy",
        ],
    ),
    "project that is not there": (
        repository(
            CONFIG_MAP.format("a"), app=APP.replace("project: default", "project: gone"), p=PROJECT.format("*", "*")
        ),
        ["application-project argocd/web.yaml:7:3: there is no AppProject 'gone'"],
    ),
    "project that forbids the repository": (
        repository(CONFIG_MAP.format("a"), app=TEAM, p=PROJECT.format("https://other.example/*", "*")),
        [f"application-project argocd/web.yaml:9:5: repository {URL} is not permitted in project 'team'"],
    ),
    "project that forbids the namespace": (
        repository(CONFIG_MAP.format("a"), app=TEAM, p=PROJECT.format("*", "team-*")),
        [
            "application-project argocd/web.yaml:11:3: application destination server 'https://kubernetes.default.svc' and namespace 'web' "
            "do not match any of the allowed destinations in project 'team'"
        ],
    ),
    "project that is wrong": (
        repository(CONFIG_MAP.format("a"), p=PROJECT.format("*", "*").replace("['*']", "'*'")),
        ["application-project p.yaml:6:3 AppProject team: spec.sourceRepos: must be a list, not a string"],
    ),
    "project that forbids a kind": (
        repository("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: web\n", app=TEAM, p=PROJECT.format("*", "*")),
        ["application-project apps/web/all.yaml:2:1 Namespace web: Namespace is not permitted in project 'team'"],
    ),
    "project that forbids another namespace": (
        repository(CONFIG_MAP.format("a\n  namespace: kube-system"), app=TEAM, p=PROJECT.format("*", "web")),
        [
            "application-project apps/web/all.yaml:5:3 ConfigMap kube-system/a: namespace 'kube-system' is not permitted in project 'team'"
        ],
    ),
    "unknown field": (
        repository(deployment("web").replace("spec:\n  selector", "spec:\n  replica: 2\n  selector")),
        ["schema apps/web/all.yaml:6:3 Deployment web/web: spec.replica: unknown field"],
    ),
    "wrong type": (
        repository(deployment("web").replace("spec:\n  selector", "spec:\n  replicas: '2'\n  selector")),
        [
            "schema apps/web/all.yaml:6:3 Deployment web/web: spec.replicas: json: cannot unmarshal string into Go struct field "
            "DeploymentSpec.spec.replicas of type int32"
        ],
    ),
    "against a rule": (
        repository(SERVICE.replace("port: 80", "port: 80000").replace("  selector: {app: web}\n", "")),
        [
            "schema apps/web/all.yaml:8:7 Service web/web: spec.ports[0].port: Invalid value: 80000: must be between 1 and 65535, inclusive"
        ],
    ),
    "a custom resource against its definition": (
        repository(CAR.format(6), crds__car=CRD),
        [
            "schema apps/web/all.yaml:6:3 Car web/mine: spec.doors: Invalid value: 6: spec.doors in body should be less than or equal to 5"
        ],
    ),
    "a definition that is wrong": (
        repository(CRD.replace("plural: cars", "plural: Cars")),
        [
            'schema apps/web/all.yaml:4:3 CustomResourceDefinition cars.example.com: metadata.name: Invalid value: "cars.example.com": '
            'must be spec.names.plural+"."+spec.group',
            'schema apps/web/all.yaml:7:22 CustomResourceDefinition cars.example.com: spec.names.plural: Invalid value: "Cars": a DNS-1035 '
            "label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an "
            "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
        ],
    ),
    "a kind that nobody knows": (
        repository(CAR.format(2), "apiVersion: example.com/v1\nkind: Car\nmetadata:\n  name: other\n"),
        ["unknown-kind apps/web/all.yaml:2:1 Car web/mine: there is no schema of example.com/v1 Car"],
    ),
    "what the server warns of": (
        repository(deployment("web", container="          env: [{name: A, value: a}, {name: A, value: b}]\n")),
        [
            "server-warning apps/web/all.yaml:15:38 Deployment web/web: spec.template.spec.containers[0].env[1]: hides previous definition "
            'of "A", which may be dropped when using apply'
        ],
    ),
    "an API version that is gone": (
        repository(BUDGET.format("{app: web}").replace("policy/v1", "policy/v1beta1"), deployment("web")),
        [
            "api-removed apps/web/all.yaml:1:1 PodDisruptionBudget web/web: policy/v1beta1 PodDisruptionBudget is not served since "
            "Kubernetes 1.25"
        ],
    ),
    "an API version that will go": (
        repository("apiVersion: v1\nkind: Endpoints\nmetadata:\n  name: web\n"),
        [
            "api-deprecated apps/web/all.yaml:1:1 Endpoints web/web: v1 Endpoints is deprecated since Kubernetes 1.33",
        ],
    ),
    "an object twice": (
        repository(CONFIG_MAP.format("a"), CONFIG_MAP.format("a")),
        ["duplicate-object apps/web/all.yaml:9:3 ConfigMap web/a: is there twice: apps/web/all.yaml:1"],
    ),
    "an object of two applications": (
        repository(
            CONFIG_MAP.format("a"),
            argocd__b=application("b", "apps/b", namespace="web"),
            apps__b__a=CONFIG_MAP.format("a"),
        ),
        ["name-clash apps/web/all.yaml:4:3 ConfigMap web/a: is also an object of application 'b': apps/b/a.yaml:1"],
    ),
    "an image without tag": (
        repository(deployment("web", image="registry.example:5000/web")),
        [
            "image-without-tag apps/web/all.yaml:14:11 Deployment web/web: image 'registry.example:5000/web' has neither tag nor digest"
        ],
    ),
    "an image that is whatever is latest": (
        repository(deployment("web", image="web:latest")),
        ["image-latest apps/web/all.yaml:14:11 Deployment web/web: image 'web:latest' is whatever is latest"],
    ),
    "a ConfigMap that is not there": (
        repository(deployment("web", container=ENV_FROM.format("configMapRef", "gone", ""))),
        ["missing-config-map apps/web/all.yaml:16:30 Deployment web/web: names ConfigMap 'gone', which is not in Git"],
    ),
    "a ConfigMap in another namespace": (
        repository(
            deployment("web", container=ENV_FROM.format("configMapRef", "other", "")),
            CONFIG_MAP.format("other\n  namespace: elsewhere"),
        ),
        ["missing-config-map apps/web/all.yaml:16:30 Deployment web/web: names ConfigMap 'other', which is not in Git"],
    ),
    "a Secret that is not there": (
        repository(deployment("web", container=ENV_FROM.format("secretRef", "gone", ""))),
        ["missing-secret apps/web/all.yaml:16:27 Deployment web/web: names Secret 'gone', which is not in Git"],
    ),
    "a ServiceAccount that is not there": (
        repository(deployment("web", pod="      serviceAccountName: gone\n")),
        [
            "missing-service-account apps/web/all.yaml:12:7 Deployment web/web: names ServiceAccount 'gone', which is not in Git"
        ],
    ),
    "a claim that is not there": (
        repository(deployment("web", pod=CLAIM)),
        [
            "missing-claim apps/web/all.yaml:14:35 Deployment web/web: names PersistentVolumeClaim 'data', which is not in Git"
        ],
    ),
    "a claim of a pod that a StatefulSet does not have": (
        repository(STATEFUL, READER.replace("data-db-1", "data-db-2")),
        [
            "missing-claim apps/web/all.yaml:36:31 Pod web/reader: names PersistentVolumeClaim 'data-db-2', which is not in Git"
        ],
    ),
    "a Service without pods": (
        repository(SERVICE),
        ["service-selector apps/web/all.yaml:6:3 Service web/web: its selector fits no pod"],
    ),
    "a Service to a port that has no name": (
        repository(SERVICE, deployment("web")),
        [
            "service-port apps/web/all.yaml:10:7 Service web/web: targetPort 'http' is no port of the pods that it selects"
        ],
    ),
    "a Service to another port": (
        repository(SERVICE.replace("targetPort: http", "targetPort: 9090"), deployment("web", container=PORTS)),
        [
            "service-port apps/web/all.yaml:10:7 Service web/web: targetPort 9090 is not among the containerPorts of the pods that it "
            "selects"
        ],
    ),
    "an Ingress without Service": (
        repository(INGRESS.format("gone", "number: 80")),
        ["ingress-backend apps/web/all.yaml:13:17 Ingress web/web: names Service 'gone', which is not in Git"],
    ),
    "an Ingress to no port": (
        repository(SERVICE, deployment("web", container=PORTS), INGRESS.format("web", "number: 81")),
        ["ingress-backend apps/web/all.yaml:43:17 Ingress web/web: Service 'web' has no port 81"],
    ),
    "an autoscaler of nothing": (
        repository(SCALER.format("gone")),
        [
            "autoscaler-target apps/web/all.yaml:10:5 HorizontalPodAutoscaler web/web: scales Deployment 'gone', which is not in Git"
        ],
    ),
    "a budget of nothing": (
        repository(BUDGET.format("{app: gone}"), deployment("web")),
        ["budget-selector apps/web/all.yaml:7:3 PodDisruptionBudget web/web: its selector fits no pod"],
    ),
    "another repository": (
        repository(
            CONFIG_MAP.format("a"), argocd__b=application("b", "b").replace(URL, "https://u:p@git.example/other")
        ),
        ["not-judged argocd/b.yaml:1: is not judged: its source is another repository: https://git.example/other"],
    ),
    "a remote base": (
        repository(apps__web__kustomization="resources: [https://git.example/x//base?ref=v1]\n"),
        ["not-judged argocd/web.yaml:1: is not judged: needs https://git.example/x//base?ref=v1, which is not fetched"],
    ),
    "a chart without helm": (
        {"argocd/web.yaml": APP, "apps/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n"},
        ["not-judged argocd/web.yaml:1: is not judged: is a Helm chart, and there is no helm program"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_told_with_its_place(case: str) -> None:
    files, expected = BAD[case]

    assert told(checked(files)) == expected


GOOD: Mapping[str, dict[str, str]] = {
    "one that waits for another, and for one that is not here": {
        "a.yaml": waiting("a", "app/b, app/elsewhere"),
        "b.yaml": application("b", "apps/web"),
        "apps/web/a.yaml": CONFIG_MAP.format("a"),
    },
    "a placeholder that its project allows": {
        "argocd/web.yaml": TEAM,
        "apps/web/kustomization.yaml": PLAIN,
        "p.yaml": PROJECT.format("*", "*").replace("\nspec:", f"\n{ALLOWING}", 1),
    },
    "templates that nothing reads": repository(
        CONFIG_MAP.format("a"), one="a: {{ b }}\n", two="{% if a %}\nb: c: d\n", argocd__odd_y="", three="a: !Ref b\n"
    ),
    "a text that a generator reads": {
        "argocd/web.yaml": APP,
        "apps/web/kustomization.yaml": "configMapGenerator:\n- {name: a, files: [odd.yaml]}\n",
        "apps/web/odd.yaml": "a: b: c\n",
    },
    "a Secret without data": repository("apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata: {}\n"),
    "everything is there": repository(
        deployment(
            "web", container=PORTS + ENV_FROM.format("configMapRef", "a", ""), pod="      serviceAccountName: web\n"
        ),
        CONFIG_MAP.format("a"),
        CONFIG_MAP.format("web").replace("ConfigMap", "ServiceAccount"),
        SERVICE,
        INGRESS.format("web", "name: http"),
        SCALER.format("web"),
        BUDGET.format("{app: web}"),
    ),
    "optional": repository(deployment("web", container=ENV_FROM.format("secretRef", "gone", ", optional: true"))),
    "sealed": repository(deployment("web", container=ENV_FROM.format("secretRef", "db", "")), SEALED.format("x", "db")),
    "a claim of a StatefulSet": repository(
        STATEFUL, READER, SERVICE.replace("web", "db").replace("targetPort: http", "targetPort: 1")
    ),
    "a ConfigMap of another application": repository(
        deployment("web", container=ENV_FROM.format("configMapRef", "other", "")),
        argocd__b=application("b", "apps/b", namespace="web"),
        apps__b__a=CONFIG_MAP.format("other"),
    ),
    "an image by digest": repository(deployment("web", image=f"registry.example/web@sha256:{'a' * 64}")),
    "same names in two namespaces": repository(
        CONFIG_MAP.format("a"), argocd__b=application("b", "apps/b"), apps__b__a=CONFIG_MAP.format("a")
    ),
    "a custom resource that fits": repository(CAR.format(4), crds__car=CRD),
    "a project that permits": repository(CONFIG_MAP.format("a"), app=TEAM, p=PROJECT.format(URL, "web")),
    "a project that calls the cluster by its address, an application by its name": repository(
        CONFIG_MAP.format("a"),
        app=TEAM.replace("server: https://kubernetes.default.svc", "name: in-cluster"),
        p=PROJECT.format("*", "web"),
    ),
    "a project and an application that may mean the same cluster": repository(
        CONFIG_MAP.format("a"),
        app=TEAM.replace("server: https://kubernetes.default.svc", "name: prod"),
        p=PROJECT.format("*", "web").replace("kubernetes.default.svc", "prod.example"),
    ),
    "a Job and a claim": repository(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: once\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n"
        "      containers:\n        - name: once\n          image: registry.example/once:1\n",
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: data\nspec:\n  accessModes: [ReadWriteOnce]\n"
        "  resources:\n    requests:\n      storage: 1Gi\n",
    ),
    "a Service that an operator makes": repository(INGRESS.format("made", "number: 80"), CAR.format(4), crds__car=CRD),
    "an autoscaler of a custom kind": repository(
        SCALER.format("made").replace("apps/v1", "example.com/v1").replace("Deployment", "Car")
    ),
    "a Service with an address of its cluster": repository(
        SERVICE.replace("spec:\n", "spec:\n  clusterIP: 10.96.3.4\n"), deployment("web", container=PORTS)
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_nothing_is_said_of_what_is_right(case: str) -> None:
    findings = checked(GOOD[case])

    assert told(tuple(each for each in findings if each.rule != "missing-service")) == []


def test_every_rule_has_a_repository_that_breaks_it() -> None:
    broken = {line.partition(" ")[0] for _, expected in BAD.values() for line in expected}

    assert broken == {rule.id for rule in RULES if rule.id not in ELSEWHERE}


def test_where_something_deploys_that_cannot_be_looked_into_nothing_is_called_missing() -> None:
    files = repository(
        deployment("web", container=ENV_FROM.format("configMapRef", "gone", "")),
        argocd__b=application("b", "b", namespace="web").replace(URL, "https://git.example/other"),
    )

    assert [each.rule for each in checked(files)] == ["not-judged"]


def test_clusters_that_are_told_apart_have_names_of_their_own() -> None:
    files = {}
    for cluster in ("staging", "production"):
        files[f"{cluster}/web.yaml"] = TEAM.replace("apps/web", f"{cluster}/apps")
        files[f"{cluster}/team.yaml"] = PROJECT.format("*", "web")
        files[f"{cluster}/apps/a.yaml"] = CONFIG_MAP.format("a")
    lacking = {
        **files,
        "production/apps/b.yaml": deployment("b", container=ENV_FROM.format("configMapRef", "only", "")),
    }
    lacking["staging/apps/only.yaml"] = CONFIG_MAP.format("only")
    homes = ", ".join(f"{{name: {name}, paths: ['{name}/**']}}" for name in ("staging", "production"))
    config = read_config(f"check: {{clusters: [{homes}]}}".encode(), [])

    assert {each.rule for each in checked(files)} == {"application"}
    assert checked(files, config=config) == ()
    assert [each.rule for each in checked(lacking, config=config)] == ["missing-config-map"]


def test_a_set_that_is_not_expanded_may_bring_what_is_missing() -> None:
    body = (
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata:\n  name: all\nspec:\n  generators:\n    - clusters: {}\n"
        "  template:\n    metadata: {name: '{{name}}'}\n    spec: {destination: {namespace: %s}}\n"
    )
    lacking = deployment("web", container=ENV_FROM.format("configMapRef", "gone", ""))
    found = {
        space: [each.rule for each in checked(repository(lacking, s=body % space))]
        for space in ("web", "other", "'{{name}}'")
    }

    assert found == {"web": ["not-judged"], "other": ["missing-config-map", "not-judged"], "'{{name}}'": ["not-judged"]}


@pytest.mark.parametrize(
    "after",
    [
        pytest.param({"apps/b/a.yaml": CONFIG_MAP.format("renamed")}, id="the object is renamed"),
        pytest.param({"argocd/b.yaml": None}, id="its application is deleted"),
        pytest.param({"argocd/b.yaml": application("b", "apps/b", namespace="elsewhere")}, id="its application moves"),
    ],
)
def test_what_a_change_takes_from_an_application_that_it_does_not_touch_is_told(after: dict[str, str | None]) -> None:
    before = repository(
        deployment(
            "web",
            container=ENV_FROM.format("configMapRef", "other", "") + "            - configMapRef: {name: never}\n",
        ),
        argocd__b=application("b", "apps/b", namespace="web"),
        apps__b__a=CONFIG_MAP.format("other"),
    )
    now = {path: text for path, text in {**before, **after}.items() if text is not None}

    assert told(checked(now, before=before)) == [
        "missing-config-map apps/web/all.yaml:16:30 Deployment web/web: names ConfigMap 'other', which is not in Git"
    ]


def test_an_api_version_is_judged_by_the_version_of_the_cluster() -> None:
    flow = (
        "apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nmetadata:\n  name: web\nspec:\n"
        "  priorityLevelConfiguration: {name: exempt}\n"
    )
    found = {
        version: [each.rule for each in checked(repository(flow), version=version)]
        for version in ("1.28", "1.29", "1.31", "1.32")
    }

    assert found == {"1.28": [], "1.29": ["api-deprecated"], "1.31": ["api-deprecated"], "1.32": ["api-removed"]}


def test_a_field_is_judged_by_the_version_of_the_cluster() -> None:
    newer = repository(deployment("web", pod="      hostnameOverride: web\n"))

    assert [each.message for each in checked(newer, version="1.29")] == [
        "spec.template.spec.hostnameOverride: unknown field"
    ]
    assert checked(newer, version="1.36") == ()


def test_no_value_of_a_secret_is_told() -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\ntype: Opaque\nstringData: {a: [canary]}\ndata: {b: '!canary'}\n"
    findings = checked(
        repository(
            secret, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: b\ntype: [canary]\ndata: {canary!: eA==}\n"
        )
    )

    assert {each.rule for each in findings} >= {"schema"}
    assert "!canary" not in repr(findings)
    assert "eA==" not in repr(findings)


def test_no_value_of_a_field_that_promises_a_secret_is_told_nor_a_token_anywhere() -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    crd = CRD.replace("doors: {type", "password: {type: string, maxLength: 3}\n                doors: {type")
    car = CAR.format(f"4\n  password: canary\n  {token}: 1")
    url = f"https://ann:{token}@git.example/other"
    files = repository(
        car, deployment("web", image=token), argocd__b=application("b", "b").replace(URL, url), crds__car=crd
    )
    findings = [each for each in checked(files) if not each.rule.startswith("plaintext")]

    assert {each.rule for each in findings} == {"schema", "image-without-tag", "not-judged"}
    assert "spec.password: Too long (what stands there is not told)" in {each.message for each in findings}
    assert "canary" not in repr(findings)
    assert token not in repr(findings)
