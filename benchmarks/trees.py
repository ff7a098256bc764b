"""Trees to render: a tiny overlay, a fleet of overlays over one base, and one large kustomization."""

from pathlib import Path

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels:
    tier: front
spec:
  replicas: 2
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      serviceAccountName: {name}
      containers:
      - name: main
        image: registry.example/{name}:1.0
        args: ["--port", "8080"]
        ports:
        - name: http
          containerPort: 8080
        env:
        - name: LEVEL
          value: "info"
        - name: PASSWORD
          valueFrom:
            secretKeyRef:
              name: {name}
              key: password
        envFrom:
        - configMapRef:
            name: {name}
        resources:
          requests:
            cpu: 50m
            memory: 64Mi
        volumeMounts:
        - name: config
          mountPath: /etc/{name}
      volumes:
      - name: config
        configMap:
          name: {name}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  selector:
    app: {name}
  ports:
  - name: http
    port: 80
    targetPort: http
"""
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
data:
  level: info
  url: http://{name}.example:8080/path
  text: |
    first line
    second line
"""
SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\nstringData:\n  password: none\n"
ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n"
POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {name}
spec:
  podSelector:
    matchLabels:
      app: {name}
  policyTypes:
  - Ingress
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {name}
spec:
  rules:
  - host: {name}.example
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: {name}
            port:
              name: http
"""
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {name}
spec:
  minAvailable: 1
  selector:
    matchLabels:
      app: {name}
"""


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def tiny(folder: Path) -> None:
    """A base of one Deployment and one Service, and an overlay with a prefix and a strategic merge."""
    files = {
        "base/kustomization.yaml": "resources:\n- deployment.yaml\n- service.yaml\n",
        "base/deployment.yaml": DEPLOYMENT.format(name="web"),
        "base/service.yaml": SERVICE.format(name="web"),
        "overlay/kustomization.yaml": "resources:\n- ../base\nnamePrefix: p-\npatches:\n- path: patch.yaml\n",
        "overlay/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 3\n",
    }
    write(folder, files)


def fleet(folder: Path, size: int) -> None:
    """One base of seven objects; overlays with prefix, namespace, labels, an image, a patch and a generated ConfigMap; three in ten have an
    Ingress as well. 200 of them make 1,660 objects.
    """
    texts = (DEPLOYMENT, SERVICE, CONFIG_MAP, SECRET, ACCOUNT, POLICY, BUDGET)
    files = {f"base/r{n}.yaml": text.format(name="web") for n, text in enumerate(texts)}
    files["base/kustomization.yaml"] = "resources:\n" + "".join(f"- r{n}.yaml\n" for n in range(len(texts)))
    for n in range(size):
        ingress = n % 10 < 3
        files[f"overlays/a{n}/kustomization.yaml"] = (
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- ../../base\n"
            + ("- ingress.yaml\n" if ingress else "")
            + f"namePrefix: a{n}-\nnamespace: n{n % 10}\nlabels:\n- pairs:\n    instance: a{n}\n  includeSelectors: true\n"
            f"images:\n- name: registry.example/web\n  newTag: v{n}\nconfigMapGenerator:\n- name: extra\n  literals:\n"
            f"  - number={n}\npatches:\n- path: patch.yaml\n"
        )
        files[f"overlays/a{n}/patch.yaml"] = (
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: {n % 5 + 1}\n"
            "  template:\n    spec:\n      containers:\n      - name: main\n        env:\n        - name: LEVEL\n          value: debug\n"
        )
        if ingress:
            files[f"overlays/a{n}/ingress.yaml"] = INGRESS.format(name="web")
    files["all/kustomization.yaml"] = "resources:\n" + "".join(f"- ../overlays/a{n}\n" for n in range(size))
    write(folder, files)


def large(folder: Path, size: int) -> None:
    """One kustomization of `size` objects with a prefix, labels in selectors, and an image."""
    texts = (DEPLOYMENT, SERVICE, CONFIG_MAP, ACCOUNT)
    files = {
        f"r{n}.yaml": "---\n".join(text.format(name=f"app{n}") for text in texts) for n in range(size // len(texts))
    }
    files["kustomization.yaml"] = (
        "namePrefix: p-\nlabels:\n- pairs:\n    team: a\n  includeSelectors: true\nimages:\n- name: registry.example/app1\n"
        "  newTag: '2'\nresources:\n" + "".join(f"- r{n}.yaml\n" for n in range(size // len(texts)))
    )
    write(folder, files)
