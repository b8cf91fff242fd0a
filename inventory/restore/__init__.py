"""Puts what a backup holds back into a workspace.

`run` is a restore from what was asked for to what became of it; `restore_work` looks at folders, makes them and fills
them; `destination` says where an object goes, `upload` sends it.
"""
