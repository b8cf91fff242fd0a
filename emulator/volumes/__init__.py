"""Files in Unity Catalog volumes; catalogs, schemas and volumes are only names here."""
