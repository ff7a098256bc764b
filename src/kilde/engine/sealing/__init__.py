"""The controller of SealedSecrets: keys, opening, and the endpoint that kubeseal asks."""
