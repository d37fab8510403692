"""What both shops have: one row each time their hook delivered an order."""
