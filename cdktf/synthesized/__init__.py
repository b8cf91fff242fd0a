"""Creates the resources of a synthesized stack without Terraform, for rehearsals in an empty workspace."""
