"""Who answers conversations. Nothing is imported here, so that asking what there is costs nothing."""
