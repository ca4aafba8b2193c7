"""Errors of the reports; this module imports nothing, so that every other one can raise them."""


class ReportError(Exception):
    """No report can be made; the message is for the person who asked: what, where, and what to do."""
