"""Homes with files that are computed on access and take no memory: a generated tree of a shape and a seed.

`shapes` has the numbers, `homes` the folders and files, `content` their bytes; `overlay` adds the changes by requests,
`layout` writes the same tree to disk.
"""
