"""The sections of the page: a function each, from the page's data to a view for the template's macro of that name.

A function returns None where there is nothing to show. Numbers are rounded here and nowhere before; what a table sorts by
stays unrounded. Imports cells, forest plots and the layers below the page.
"""
