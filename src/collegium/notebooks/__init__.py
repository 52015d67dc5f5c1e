"""Saved notebooks: the document, its update log, import and export."""
