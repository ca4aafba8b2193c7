"""What is compared: designs, the variants of a question, and fields that do nothing."""
