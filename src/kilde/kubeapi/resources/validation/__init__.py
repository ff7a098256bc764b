"""Validation of built-in kinds: `validate_create` and `validate_update` name the causes a real server would name."""
