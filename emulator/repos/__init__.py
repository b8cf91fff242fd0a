"""Git folders."""
