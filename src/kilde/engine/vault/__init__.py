"""The controller of VaultSecrets: values read from Vault, made into Secrets, and read again."""
