"""Files in Unity Catalog volumes: the Files API."""
