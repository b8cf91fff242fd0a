"""Secret scopes, secrets and who may read them."""
