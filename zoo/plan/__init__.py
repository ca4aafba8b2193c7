"""From a question to its runs: identity, shared trainings, added seeds, costs, forecast of run time and disk, summary.

May import zoo.config and what is below it.
"""
