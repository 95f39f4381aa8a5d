# SPDX-License-Identifier: Apache-2.0
"""Processor time and memory of a process, from /proc; 0 for one that is gone."""
import os
import pathlib

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    except OSError:
        return 0.0


def rollup_mib(pid, name):
    try:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def pss_mib(pid):
    return rollup_mib(pid, "Pss")


def anonymous_mib(pid):
    """Heap and stacks: what a leak grows."""
    return rollup_mib(pid, "Anonymous")
