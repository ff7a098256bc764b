"""Our HTTP interface: probes, metrics, webhooks."""
