"""Charts of repositories and registries, fetched with bounds, kept by digest: sources beside those of Git."""
