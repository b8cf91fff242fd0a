"""Unity Catalog: the metastore of the workspace, and catalogs, schemas and what lies in them as records."""
