"""The data of billing: what compute consisted of, serverless use, and corrections of usage records."""
