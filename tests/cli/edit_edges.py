"""Command lines of `kilde edit` at the edges of what kustomize takes: each has the same end and the same result."""

import shlex

FILE = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- a.yaml
images:
- name: web
  newTag: v1
commonLabels:
  app: x
labels:
- pairs:
    z: z
configMapGenerator:
- literals:
  - a=b
  name: c
patches:
- path: p.yaml
"""

_LINES = r"""
set image a=
set image db=postgres:17
set label -- -x:y
set image =b:1
set image a==b
set image web=
set image web:
set image web@
set image a@b@c
set image a:b:c
set image localhost:5000/x
set image localhost:5000/x:1
set image x/y
set image '*:1'
set image 'web=*'
set image 'web=*@*'
set image =
set image ''
set image web:1 web:2
set replicas a=1 a=2
set replicas a=-1
set replicas =1
set replicas a=1=2
set replicas a=99999999999999999999
set replicas a=1_0
set replicas 'a= 1'
set namespace ''
set namespace a b
set namespace -- -x
set label ''
set label a
set label a:
set label 'a:"b"'
set label a:b,c:d
set label :b
set annotation a/b/c:d
set annotation x.y/z:1
set annotation ''
set buildmetadata ''
set buildmetadata originAnnotations,originAnnotations
add buildmetadata originAnnotations,originAnnotations
remove buildmetadata originAnnotations x
add base ''
add base sub,
add base a.yaml
add base sub/
add resource ''
add resource sub/
add resource ./a.yaml
add resource 's?b'
add resource '[a-b].yaml'
add resource '[b-a].yaml'
add resource '[^a].yaml'
add resource '\a.yaml'
add resource '*/*.yaml'
add resource .
add resource ..
add resource '.h*'
add resource '*'
add resource sub/../a.yaml
add resource 'sub/../?.yaml'
remove resource ''
remove resource a.yaml a.yaml
remove resource '*/a.yaml'
remove label ''
remove label app,app
remove label app, -i
remove label x -i
remove label z
remove annotation x
remove annotation x -i
remove configmap c d
remove configmap c,d
remove configmap ''
remove secret c
remove configmap c --namespace default
remove configmap c --namespace x
add patch --path p.yaml
add patch --path a --patch b
remove patch
remove patch --path p.yaml
remove patch --path p.yaml --kind X
add configmap
add configmap a b --from-literal=a=b
add configmap c --from-literal=a=c
add configmap c --from-literal x==y
add configmap c --from-literal =y
add configmap c --from-literal y
add configmap c --from-file notes.txt,a.yaml
add configmap c '--from-file="notes.txt"'
add configmap c --from-file 'k=*.yaml'
add configmap c --from-file k=v=notes.txt
add configmap c --from-file sub
add configmap c --from-file =notes.txt
add configmap c --from-env-file none
add configmap c --from-env-file app.env --from-literal=x=y
add configmap c --from-literal=x=y --behavior Merge
add configmap c --from-literal=x=y --behavior=unspecified
add configmap c --from-literal=x=y --disableNameSuffixHash=false
add configmap c --from-literal=x=y --disableNameSuffixHash true
add configmap '' --from-literal=x=y
add configmap n --from-literal=x=y --namespace=
add configmap n --type=x --from-literal=x=y
add secret n --behavior=merge --from-literal=x=y
add secret n --type= --from-literal=x=y
set configmap c
set configmap c --from-literal=a=c --from-literal=a=d
set configmap c --from-literal=a
set configmap c --new-namespace=x --namespace=y
set configmap c '--from-literal=a="q"'
add label a:b c:d
add label app:b c:d
add label z:y --without-selector
add label q:y --without-selector=true --include-templates=1
add label z:y --without-selector --force
add label
add annotation 'a b:c'
add generator a.yaml
add generator
add transformer none
add component sub
add component none
remove transformer x
fix
fix --vars
set
add
remove
set image web:2 --stack-trace
"""

EDGES = [shlex.split(line) for line in _LINES.strip().split("\n")]
