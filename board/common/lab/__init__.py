"""The laboratory: a real upsd with dummy-ups, and boards in QEMU.

`make run` tells its story with it, and the tests measure with it, so that
both see the same parts.  Everything is started on loopback, and ended by its
process handle, also after a failure.
"""
