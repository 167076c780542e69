"""Questions that models are asked, rather than recordings of people."""
