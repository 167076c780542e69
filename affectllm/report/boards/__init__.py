"""Several runs beside each other: compared on the same items, and listed as a leaderboard."""
