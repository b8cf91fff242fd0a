"""The groups' pages: notebooks of text cells in the workspace that show each group its time and why."""
