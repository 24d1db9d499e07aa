"""What strangers could send: parameters, arguments, files and documents, each one bad in some way."""
