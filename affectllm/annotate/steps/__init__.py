"""Kinds of step of an annotation page: one file each, called as the step, with the class ``STEP``."""
