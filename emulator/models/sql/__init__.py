"""The data of Statement Execution: statements with their results, and the rows of tables."""
