"""The report as Markdown, LaTeX and files."""
