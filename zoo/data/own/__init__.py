"""What is kept of data sets of the user's own."""
