"""The Azure resources under a lab's workspaces: settings, stack, and what the lab needs of them."""
