"""HashiCorp Vault and OpenBao, as values: how a server is reached, what in it is named, who may read what. No I/O."""
