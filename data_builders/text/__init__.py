"""Posts, headlines and essays: written words alone."""
