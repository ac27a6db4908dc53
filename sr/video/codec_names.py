"""The codecs of films by name, apart from the encoders, so that a command line can offer them at once."""

CODECS = ("h264", "hevc", "av1", "ffv1")
