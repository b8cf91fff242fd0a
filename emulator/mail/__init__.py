"""The e-mail endpoints of Azure Communication Services, on the clock of the workspace.

They have their own port with TLS and use no tokens: clients sign each request with the access key.
"""
