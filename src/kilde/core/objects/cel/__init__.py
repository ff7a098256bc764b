"""CEL: the expressions of rules and policies, with Kubernetes' own functions, evaluated here and counted as Kubernetes counts them."""
