"""What a person confirms: acts with a plan, rows, apply and result."""
