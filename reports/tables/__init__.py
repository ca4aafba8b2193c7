"""Rows of text, rounded for reading: variants, costs, two runs. May import zoo, reports.analysis and reports.store."""
