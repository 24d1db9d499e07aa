"""Plans of acts that are stored for the person who was shown them, so that paging them plans nothing anew."""
