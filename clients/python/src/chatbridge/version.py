"""The version of this library."""

__version__ = "0.1.0"
"""The same as in pyproject.toml; servers read it in the user agent."""
