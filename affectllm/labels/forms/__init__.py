"""The answer forms: each file holds a ``FORM``; ``labels.form.Form`` documents its fields."""
