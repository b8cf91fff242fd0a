"""What the programs of the lab share. The modules here need the standard library alone, those in `extras` more."""

__version__ = "0.1.2"
