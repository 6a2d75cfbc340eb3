"""Putting values back: whole texts (text); streams come later."""
