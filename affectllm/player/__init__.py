"""How pages show a clip: its player, frames, waveform and words; one look for reports, galleries and rating."""
