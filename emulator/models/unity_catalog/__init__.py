"""The data of Unity Catalog: securables with their grants, and the metastore that holds them."""
