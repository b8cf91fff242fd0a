"""Restores backups into a workspace.

`run` prepares a restore and sums up its result; `restore_work` lists, makes and fills folders; `destination` decides
where an object goes, `existing_check` protects existing objects, and `upload` sends objects.
"""
