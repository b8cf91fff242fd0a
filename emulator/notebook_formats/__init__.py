"""Import and export formats for notebooks and folders with notebooks. Pure."""
