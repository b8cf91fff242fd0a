"""What the state of every API is built from: instants, ids, contents, and what happens later."""
