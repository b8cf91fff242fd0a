"""Statement Execution: SQL on a warehouse, with the privileges of Unity Catalog; sqlglot reads it, SQLite runs it."""
