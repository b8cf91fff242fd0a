"""The formats in which notebooks and folders of them are imported and exported. Pure."""
