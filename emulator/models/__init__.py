"""The contents of a workspace as plain data: one module per API, with the same name as the API's folder."""
