"""Where sealing keys are kept: one module a technology."""
