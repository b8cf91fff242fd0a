"""Making what a synthesized stack describes, without Terraform: for rehearsals in an empty workspace."""
