"""Each feature of a kustomization, with the whole output it must give (all of it what kustomize 5.8.1 prints)."""

import pytest

from core.render.sandbox import DEPLOYMENT, SERVICE, Files, built, dedented

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: one, b: two}\n"


def both(kustomization: str, resource: str = CONFIG_MAP) -> Files:
    return {"kustomization.yaml": "resources: [r.yaml]\n" + dedented(kustomization), "r.yaml": resource}


FEATURES: dict[str, tuple[Files, str]] = {
    "prefix, suffix and namespace": (
        both("namePrefix: a-\nnameSuffix: -z\nnamespace: shop\n"),
        """
        apiVersion: v1
        data:
          a: one
          b: two
        kind: ConfigMap
        metadata:
          name: a-settings-z
          namespace: shop
        """,
    ),
    "labels reach selectors and templates only where asked": (
        {
            "kustomization.yaml": """
                resources: [d.yaml]
                labels:
                - pairs: {team: "1"}
                - pairs: {tier: web}
                  includeTemplates: true
                commonAnnotations: {note: "on"}
            """,
            "d.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {}}}\n",
        },
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          annotations:
            note: "on"
          labels:
            team: "1"
            tier: web
          name: d
        spec:
          template:
            metadata:
              annotations:
                note: "on"
              labels:
                tier: web
            spec: {}
        """,
    ),
    "a selector is created even on a Service without one": (
        both("commonLabels: {app: x}\n", "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"),
        """
        apiVersion: v1
        kind: Service
        metadata:
          labels:
            app: x
          name: s
        spec:
          selector:
            app: x
        """,
    ),
    "images, replicas": (
        {
            "kustomization.yaml": """
                resources: [d.yaml]
                images:
                - {name: registry.example/shop, newName: other.example:5000/shop, newTag: "2"}
                replicas:
                - {name: shop, count: 3}
            """,
            "d.yaml": DEPLOYMENT,
        },
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: shop
        spec:
          replicas: 3
          selector:
            matchLabels:
              app: shop
          template:
            metadata:
              labels:
                app: shop
            spec:
              containers:
              - env:
                - name: MODE
                  value: plain
                image: other.example:5000/shop:2
                name: shop
                ports:
                - containerPort: 8080
        """,
    ),
    "a strategic merge: by key, new elements first, null removes": (
        {
            "kustomization.yaml": """
                resources: [d.yaml]
                patches:
                - patch: |
                    apiVersion: apps/v1
                    kind: Deployment
                    metadata: {name: shop}
                    spec:
                      replicas: null
                      template:
                        spec:
                          containers:
                          - name: side
                            image: side:1
                          - name: shop
                            env:
                            - {name: MORE, value: "1"}
                            - {name: MODE, value: loud}
                            ports: []
            """,
            "d.yaml": DEPLOYMENT,
        },
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: shop
        spec:
          selector:
            matchLabels:
              app: shop
          template:
            metadata:
              labels:
                app: shop
            spec:
              containers:
              - image: side:1
                name: side
              - env:
                - name: MORE
                  value: "1"
                - name: MODE
                  value: loud
                image: registry.example/shop:1
                name: shop
                ports:
                - containerPort: 8080
        """,
    ),
    "$patch: replace and delete": (
        {
            "kustomization.yaml": """
                resources: [d.yaml, s.yaml]
                patches:
                - patch: |
                    apiVersion: v1
                    kind: Service
                    metadata: {name: shop}
                    $patch: delete
                - target: {kind: Deployment}
                  patch: |
                    apiVersion: apps/v1
                    kind: Deployment
                    metadata: {name: any}
                    spec:
                      $patch: replace
                      paused: true
            """,
            "d.yaml": DEPLOYMENT,
            "s.yaml": SERVICE,
        },
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: shop
        spec:
          paused: true
        """,
    ),
    "a JSON patch": (
        both("""
            patches:
            - target: {kind: ConfigMap, name: set.*}
              patch: |
                - {op: replace, path: /data/a, value: "yes"}
                - {op: add, path: /data/c~1d, value: 12345678901234567890}
                - {op: move, from: /data/b, path: /moved}
        """),
        """
        apiVersion: v1
        data:
          a: "yes"
          c/d: 12345678901234567000
        kind: ConfigMap
        metadata:
          name: settings
        moved: two
        """,
    ),
    "a quoted string stays a string when a number is merged over it": (
        both(
            """
            patches:
            - patch: |
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: settings}
                data: {a: 2, b: "3", c: 4}
            """,
            'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: "1", b: 1, c: 1}\n',
        ),
        """
        apiVersion: v1
        data:
          a: "2"
          b: "3"
          c: 4
        kind: ConfigMap
        metadata:
          name: settings
        """,
    ),
    "generated objects have hashes, and references follow": (
        {
            "kustomization.yaml": """
                namePrefix: p-
                resources: [pod.yaml]
                configMapGenerator:
                - name: settings
                  literals: ['a="quoted"', b=x=y]
                  files: [f.txt, g=f.txt]
                  envs: [e.env]
                secretGenerator:
                - name: key
                  literals: [k=v]
                  type: example.com/key
                  options: {disableNameSuffixHash: true, immutable: true}
            """,
            "f.txt": "one\ntwo\n",
            "e.env": "# no\nE=1\n  F=2 \nG\n",
            "pod.yaml": """
                apiVersion: v1
                kind: Pod
                metadata: {name: pod}
                spec:
                  containers:
                  - name: c
                    envFrom:
                    - configMapRef: {name: settings}
                  volumes:
                  - {name: v, secret: {secretName: key}}
                  - {name: w, configMap: {name: other}}
            """,
        },
        """
        apiVersion: v1
        kind: Pod
        metadata:
          name: p-pod
        spec:
          containers:
          - envFrom:
            - configMapRef:
                name: p-settings-HASH
            name: c
          volumes:
          - name: v
            secret:
              secretName: p-key
          - configMap:
              name: other
            name: w
        ---
        apiVersion: v1
        data:
          E: "1"
          F: '2 '
          G: ""
          a: quoted
          b: x=y
          f.txt: |
            one
            two
          g: |
            one
            two
        kind: ConfigMap
        metadata:
          name: p-settings-HASH
        ---
        apiVersion: v1
        data:
          k: dg==
        immutable: true
        kind: Secret
        metadata:
          name: p-key
        type: example.com/key
        """,
    ),
    "an overlay merges into a base's generator": (
        {
            "base/kustomization.yaml": "configMapGenerator:\n- name: c\n  literals: [a=1, b=2]\n",
            "kustomization.yaml": """
                resources: [base]
                configMapGenerator:
                - name: c
                  behavior: merge
                  literals: [b=3, c=4]
                  options: {labels: {new: "yes"}}
            """,
        },
        """
        apiVersion: v1
        data:
          a: "1"
          b: "3"
          c: "4"
        kind: ConfigMap
        metadata:
          labels:
            new: "yes"
          name: c-HASH
        """,
    ),
    "a component works on what its parent has": (
        {
            "kustomization.yaml": "resources: [r.yaml]\ncomponents: [comp]\nnameSuffix: -s\n",
            "r.yaml": CONFIG_MAP,
            "comp/kustomization.yaml": "kind: Component\nnamePrefix: c-\nresources: [more.yaml]\n",
            "comp/more.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: more}\n",
        },
        """
        apiVersion: v1
        data:
          a: one
          b: two
        kind: ConfigMap
        metadata:
          name: c-settings-s
        ---
        apiVersion: v1
        kind: Secret
        metadata:
          name: c-more-s
        """,
    ),
    "replacements": (
        {
            "kustomization.yaml": """
                resources: [r.yaml, d.yaml]
                replacements:
                - source: {kind: ConfigMap, name: settings, fieldPath: data.a}
                  targets:
                  - select: {kind: Deployment}
                    fieldPaths:
                    - spec.template.spec.containers.[name=shop].env.[name=MODE].value
                    - metadata.annotations.[example.com/from]
                    options: {create: true}
                - sourceValue: "2"
                  targets:
                  - select: {kind: Deployment}
                    fieldPaths: [spec.template.spec.containers.0.image]
                    options: {delimiter: ":", index: 1}
                  - select: {name: shop}
                    reject: [{kind: Service}]
                    fieldPaths: [spec.replicas]
            """,
            "r.yaml": CONFIG_MAP,
            "d.yaml": DEPLOYMENT,
        },
        """
        apiVersion: v1
        data:
          a: one
          b: two
        kind: ConfigMap
        metadata:
          name: settings
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          annotations:
            example.com/from: one
          name: shop
        spec:
          replicas: 2
          selector:
            matchLabels:
              app: shop
          template:
            metadata:
              labels:
                app: shop
            spec:
              containers:
              - env:
                - name: MODE
                  value: one
                image: registry.example/shop:2
                name: shop
                ports:
                - containerPort: 8080
        """,
    ),
    "a replacement inside of JSON in a string": (
        both(
            """
            replacements:
            - sourceValue: new
              targets:
              - select: {kind: ConfigMap}
                fieldPaths: [data.j.x.y]
            """,
            'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {j: \'{"x": {"y": "old", "a": 1}}\'}\n',
        ),
        """
        apiVersion: v1
        data:
          j: '{"x":{"a":1,"y":"new"}}'
        kind: ConfigMap
        metadata:
          name: m
        """,
    ),
    "variables see final names": (
        {
            "kustomization.yaml": """
                namePrefix: p-
                resources: [s.yaml, pod.yaml]
                vars:
                - name: SERVICE
                  objref: {apiVersion: v1, kind: Service, name: shop}
            """,
            "s.yaml": SERVICE,
            "pod.yaml": """
                apiVersion: v1
                kind: Pod
                metadata: {name: pod}
                spec:
                  containers:
                  - {name: c, args: ["$(SERVICE):80", "$(UNKNOWN)", "$$(SERVICE)"]}
            """,
        },
        """
        apiVersion: v1
        kind: Service
        metadata:
          name: p-shop
        spec:
          ports:
          - port: 80
          selector:
            app: shop
        ---
        apiVersion: v1
        kind: Pod
        metadata:
          name: p-pod
        spec:
          containers:
          - args:
            - p-shop:80
            - $(UNKNOWN)
            - $(SERVICE)
            name: c
        """,
    ),
    "two overlays of one base keep to their own objects": (
        {
            "base/kustomization.yaml": "resources: [pod.yaml, sa.yaml]\n",
            "base/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {serviceAccountName: sa}\n",
            "base/sa.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa}\n",
            "one/kustomization.yaml": "namePrefix: one-\nresources: [../base]\n",
            "two/kustomization.yaml": "namePrefix: two-\nresources: [../base]\n",
            "kustomization.yaml": "resources: [one, two]\n",
        },
        """
        apiVersion: v1
        kind: Pod
        metadata:
          name: one-p
        spec:
          serviceAccountName: one-sa
        ---
        apiVersion: v1
        kind: ServiceAccount
        metadata:
          name: one-sa
        ---
        apiVersion: v1
        kind: Pod
        metadata:
          name: two-p
        spec:
          serviceAccountName: two-sa
        ---
        apiVersion: v1
        kind: ServiceAccount
        metadata:
          name: two-sa
        """,
    ),
    "lists are unpacked, local configuration is left out": (
        both(
            "",
            """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: a}}
- {apiVersion: v1, kind: Secret, metadata: {name: b, annotations: {config.kubernetes.io/local-config: "true"}}}
""",
        ),
        """
        apiVersion: v1
        kind: Secret
        metadata:
          name: a
        """,
    ),
    "a transformer from a file, a generator inline": (
        {
            "kustomization.yaml": """
                resources: [r.yaml]
                transformers: [t.yaml]
                generators:
                - |-
                  apiVersion: builtin
                  kind: ConfigMapGenerator
                  metadata: {name: made}
                  literals: [x=y]
                  options: {disableNameSuffixHash: true}
            """,
            "r.yaml": CONFIG_MAP,
            "t.yaml": """
                apiVersion: builtin
                kind: PrefixTransformer
                metadata: {name: t}
                prefix: t-
                fieldSpecs: [{path: metadata/name}]
            """,
        },
        """
        apiVersion: v1
        data:
          a: one
          b: two
        kind: ConfigMap
        metadata:
          name: t-settings
        ---
        apiVersion: v1
        data:
          x: "y"
        kind: ConfigMap
        metadata:
          name: t-made
        """,
    ),
    "a configuration adds a name reference": (
        {
            "kustomization.yaml": "namePrefix: p-\nresources: [r.yaml, c.yaml]\nconfigurations: [conf.yaml]\n",
            "r.yaml": CONFIG_MAP,
            "c.yaml": "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec: {settings: settings}\n",
            "conf.yaml": """
                nameReference:
                - kind: ConfigMap
                  fieldSpecs: [{kind: Thing, path: spec/settings}]
            """,
        },
        """
        apiVersion: v1
        data:
          a: one
          b: two
        kind: ConfigMap
        metadata:
          name: p-settings
        ---
        apiVersion: example.com/v1
        kind: Thing
        metadata:
          name: p-t
        spec:
          settings: p-settings
        """,
    ),
    "where objects come from": (
        {
            "base/kustomization.yaml": "resources: [r.yaml]\n",
            "base/r.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n",
            "kustomization.yaml": "resources: [base]\nnamePrefix: p-\nbuildMetadata: [originAnnotations, transformerAnnotations]\n",
        },
        """
        apiVersion: v1
        kind: Secret
        metadata:
          annotations:
            alpha.config.kubernetes.io/transformations: |
              - configuredIn: kustomization.yaml
                configuredBy:
                  apiVersion: builtin
                  kind: PrefixTransformer
            config.kubernetes.io/origin: |
              path: base/r.yaml
          name: p-s
        """,
    ),
}


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_gives_exactly_this(name: str) -> None:
    files, expected = FEATURES[name]
    assert _without_hashes(built(files)) == dedented(expected)


def _without_hashes(text: str) -> str:
    for name in ("settings", "c"):
        at = text.find(f"name: p-{name}-" if name == "settings" else f"name: {name}-")
        if at >= 0 and "name: c-settings" not in text and "name: c-more" not in text:
            found = text[at:].split("\n", 1)[0].rpartition("-")[2]
            text = text.replace(found, "HASH")
    return text


def test_a_hash_is_kustomizes() -> None:
    text = built({"kustomization.yaml": "configMapGenerator:\n- {name: x, literals: [b=c]}\n"})
    assert "name: x-c78c7b75hm" in text


def test_the_default_order_is_by_kind() -> None:
    names = ["Deployment apps/v1", "Foo v1", "Namespace v1", "Role rbac.authorization.k8s.io/v1", "Service v1"]
    resources = "---\n".join(
        "apiVersion: {1}\nkind: {0}\nmetadata: {{name: x}}\n".format(*name.split()) for name in names
    )
    files = {"kustomization.yaml": "resources: [r.yaml]\n", "r.yaml": resources}
    kinds = [line.split()[1] for line in built(files, reorder="").splitlines() if line.startswith("kind")]
    assert kinds == ["Namespace", "Role", "Service", "Deployment", "Foo"]


def test_nothing_is_printed_for_nothing() -> None:
    assert built({"kustomization.yaml": "namePrefix: x\n"}) == ""
