"""Trials of a console at work: processes are killed, sessions ended, two acts done at once, disks full.

`python -m tests.torture` draws them by a seed and prints what fails with the command that repeats it.
"""
