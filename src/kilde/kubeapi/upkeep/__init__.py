"""What a control plane does to keep objects in order: garbage collection, the end of namespaces, the end of custom resources."""
