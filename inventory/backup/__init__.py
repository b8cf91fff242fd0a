"""Saves what the homes hold into a folder or a cloud storage, and verifies it there.

`run` is a backup from what was asked for to its manifest; `backup_work` lists, downloads and publishes; `names` says
under which names objects are stored, `manifest` what is written down of each, `target` where it all goes. `verify`
compares what was written down with what is stored, and with the workspace. The folder `restore` puts it back.
"""
