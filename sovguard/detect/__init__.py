"""Finds personal information: a text in, Detections out. The entrance is ``analyzer.Analyzer``."""
