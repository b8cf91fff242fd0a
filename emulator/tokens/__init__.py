"""Personal access tokens and OAuth client credentials."""
