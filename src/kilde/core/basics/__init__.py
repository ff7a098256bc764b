"""What any stage needs; knows nothing of Kubernetes."""
