"""What was found, as rows, files, reports and differences."""
