"""Every example of a report, in files beside the page that its script loads as they are looked at."""
