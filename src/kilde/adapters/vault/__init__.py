"""HashiCorp Vault and OpenBao over their HTTP API: `transport.py` sends, `session.py` has a token, `client.py` keeps ports.vault."""
