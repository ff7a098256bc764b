"""Secrets that are derived from other objects (SealedSecrets, VaultSecrets): both are followed, the Secret is written and put back."""
