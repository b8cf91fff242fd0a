"""The data of SQL: warehouses with their queries, statements with their results, and the rows of tables."""
