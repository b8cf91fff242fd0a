"""Import and export formats of notebooks and of folders with notebooks. Pure."""
