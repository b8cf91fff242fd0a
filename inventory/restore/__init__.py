"""Puts what a backup holds back into a workspace."""
