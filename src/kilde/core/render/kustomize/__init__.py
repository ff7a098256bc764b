"""kustomize 5.8.1, from a Tree: the same objects and the same bytes, without the binary."""
