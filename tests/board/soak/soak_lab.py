"""What the soak tests share: soak.sh on the board, and upsd's log."""

import shlex

import soak_counts

# Where soak.sh is on the board.
HELPER = "/usr/bin/soak"


class Soak:
    """What soak.sh says on the console of a board that is up."""

    def __init__(self, board, upsd):
        self.board, self.upsd = board, upsd

    def run(self, *words, seconds=60):
        command = " ".join([HELPER, *(shlex.quote(str(word)) for word in words)])
        code, output = self.board.run(command, seconds)
        assert code == 0, f"{command}: exit code {code}\n{output}"
        return output

    def ready(self, seconds=soak_counts.READY_SECONDS):
        """Waits for one upsmon that is ready and alone; returns the guard's pid."""
        output = self.run("wait", seconds, seconds=seconds + 30)
        return int(output.rsplit("pid=", 1)[1].split(".")[0])
