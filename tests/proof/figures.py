"""The figures of a proof: one JSON object a line, appended to the file named by NUTLET_REPORT.

    {"proof": "races: 20 starts at once", "rounds": 100, "seconds": 9.1, "max_daemons": 1}

`proof` says what was shown; every other key is a figure, and any key will do. Lines with the same
`proof` become one row of the report (report.py): numbers are added up, of those whose name begins
with max_ or min_ the largest or the smallest is kept, and of texts each different one. So the
parts of one proof may run side by side, and others (boards) may add lines of their own.
"""

import json
import os


def report(proof, **figures):
    """Adds a line; does nothing when nobody asked for a report."""
    path = os.environ.get("NUTLET_REPORT")
    if not path:
        return
    figures = {key: round(value, 3) if isinstance(value, float) else value
               for key, value in figures.items()}
    line = json.dumps({"proof": proof, **figures}) + "\n"
    # one write of an O_APPEND file: the lines of processes side by side do not mix
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(fd, line.encode())
    finally:
        os.close(fd)
