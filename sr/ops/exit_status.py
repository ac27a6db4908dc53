"""Exit statuses of our programs besides 0 and 1."""

STOPPED = 75  # everything is saved: the same command with resume=auto goes on (EX_TEMPFAIL of sysexits.h)
INTERRUPTED = 130  # ended by Ctrl-C, as shells say it
