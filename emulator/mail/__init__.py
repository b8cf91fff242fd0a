"""The email endpoints of Azure Communication Services, on the workspace's clock.

They have their own port with TLS. They use no tokens: clients sign each request with the access key.
"""
