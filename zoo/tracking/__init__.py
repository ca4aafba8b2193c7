"""The only package that writes to MLflow, and the names that are used there. Imports everything in zoo but execution."""
