"""Unity Catalog data: securables with their grants, and the metastore that contains them."""
