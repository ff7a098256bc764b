"""Moving in and out: what another GitOps controller's installation is in Kilde's terms, and whether both see the same. Pure."""
