"""What is done to the links and codes of many airports at once."""
