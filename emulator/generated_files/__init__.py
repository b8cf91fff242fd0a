"""Homes full of files that are computed when somebody looks, and cost no memory: a forest of a shape and a seed.

`shapes` says how many of everything there are, `homes` what lies where, `content` what is in it; `overlay` lets what is
written and deleted live among it, `layout` puts the same on a disk.
"""
