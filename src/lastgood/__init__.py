"""lastgood: find the last good checkpoint of a crashed session, and restore it."""

__version__ = "0.1.0"
