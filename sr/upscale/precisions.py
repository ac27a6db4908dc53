"""The words for the precision of a net, apart from the nets, so that a command line can name them at once."""

PRECISIONS = ("auto", "fp32", "bf16")
INT8 = "int8"  # by calibration on pictures, so only for programs that have some, and never what auto takes
