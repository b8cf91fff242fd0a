"""Saves homes into a folder or cloud storage, and verifies what is stored there.

`run` prepares a backup and completes its manifest; `backup_work` lists, downloads and publishes; `names` encodes names
for storage, `manifest` describes every object, `target` is the storage. `verify` compares the manifest with what is
stored and with the workspace. The package `restore` restores backups.
"""
