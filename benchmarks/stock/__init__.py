"""The three tables as a stock project would have them: import-export's engine, simple-history's writer."""
