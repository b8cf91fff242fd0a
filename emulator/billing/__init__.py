"""The usage tables `system.billing.usage` and `list_prices`, computed from the actual uptime of all compute."""
