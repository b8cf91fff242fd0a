"""What workspace administrators may do in the account: its groups, and who is assigned to this workspace."""
