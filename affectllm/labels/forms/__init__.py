"""The shelf of answer forms: each file holds a ``FORM``; see ``labels.form.Form`` for what it says."""
