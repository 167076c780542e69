"""What lies on disk: which files are clips, how names are found, where links lead, what is packed."""
