"""Use cases: accounts, boxes, submissions, standings. They own the transactions."""
