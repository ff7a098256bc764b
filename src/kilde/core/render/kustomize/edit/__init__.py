"""What `kustomize edit` does to the fields of a kustomization, and to its text: one file for each kind of field."""
