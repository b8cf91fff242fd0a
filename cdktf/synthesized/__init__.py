"""Works on synthesized stacks: removes metadata, and creates the resources without Terraform, for rehearsals."""
