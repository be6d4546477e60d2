"""Runs the scenarios beside it in every language: README.md in the directory above tells how."""
