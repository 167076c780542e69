"""Files of corpora on disk: listing clips, matching names, checking links, decompressing."""
