"""What can go wrong, and the exit code each kind ends the program with.

::

    StreamflowError      1  a fault while running
    ├── UsageError       2  the command line or an option makes no sense
    ├── SourceError      3  the input cannot be opened or read
    └── SinkError        4  an output cannot be opened or written

Every message is one line: what is wrong, with which file or option, and what to do about it. The method
names an option as Python has it, in backticks: `warn_below`; the command line shows its flag, --warn-below.
A pixel or a pair without an answer is not an error: it is NaN, or a named status.
"""


class StreamflowError(Exception):
    """Base of every error a user can cause; `exit_code` is what the program returns."""

    exit_code = 1


class UsageError(StreamflowError):
    """The command line or an option makes no sense."""

    exit_code = 2


class SourceError(StreamflowError):
    """The input cannot be opened or read."""

    exit_code = 3


class SinkError(StreamflowError):
    """An output cannot be opened or written."""

    exit_code = 4


class StopStreaming(Exception):
    """Raised by a sink whose user asked for the end, such as a closed window: not a fault."""
