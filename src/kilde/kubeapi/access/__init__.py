"""Who may do what: authorization by RBAC, impersonation, ServiceAccount tokens and the reviews that ask about them."""
