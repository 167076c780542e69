"""Music, judged by what it expresses or evokes."""
