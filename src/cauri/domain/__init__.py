"""What Cauri knows without any I/O: money, codes, methods, phones, payments and their moves. Imports nothing of ours."""
