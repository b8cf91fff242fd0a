"""Homes with files that are computed on access and take no memory: a tree generated from a shape and a seed.

`shapes` has the numbers of users, folders and files, `homes` the folders and files, `content` their bytes; `overlay`
adds changes made by requests, `layout` writes the same tree to disk.
"""
