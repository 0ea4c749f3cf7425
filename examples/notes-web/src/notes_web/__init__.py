"""Notes in a browser and over JSON, kept in SQLite."""

__version__ = "1.0.0"
