"""One file for each of kustomize's built-in generators."""
