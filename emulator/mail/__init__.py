"""The e-mail endpoints of Azure Communication Services, beside the workspace and on its clock.

They have a port of their own with TLS and know no tokens: who sends signs each request with the access key.
"""
