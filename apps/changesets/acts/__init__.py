"""What a person confirms: acts with a plan, rows, apply and result, and the one flow that each of them goes through."""
