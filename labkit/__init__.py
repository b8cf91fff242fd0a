"""Code that the lab's programs share. Modules need only the standard library; those in `extras` may need more."""

__version__ = "0.2.0"
