"""Unity Catalog: metastore, catalogs, schemas and the objects in them as records."""
