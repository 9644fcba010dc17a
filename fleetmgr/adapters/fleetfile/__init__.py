"""Edits of fleet.yaml that keep every byte they are not about: comments, order, quotes, indentation.

Round-trip writers of YAML keep most of a file and rewrite the rest (widths, spaces in flow maps, the indent of
lists). Here nothing is written but the entry: the positions of the parser's events say where it goes, and what
comes out is parsed again and must be the old data with this one entry more or less.
"""
