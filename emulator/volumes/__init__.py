"""Files of Unity Catalog volumes; the catalogs, schemas and volumes themselves are only names here."""
