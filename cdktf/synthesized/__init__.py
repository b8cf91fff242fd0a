"""Creates the resources in a synthesized stack without Terraform, for rehearsals in an empty workspace."""
