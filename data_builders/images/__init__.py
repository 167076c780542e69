"""Photographs and paintings, and what those feel who look at them."""
