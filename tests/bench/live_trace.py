# SPDX-License-Identifier: Apache-2.0
"""Joins a worker's STENO_TRACE file (docs/hacking.md) with what a consumer received: how long each
packet took from the page to the socket, and where the time went. Everything is in milliseconds of
CLOCK_MONOTONIC, which the worker and this process share."""
import bisect

import numpy as np

RATE_HZ = 48000


class Trace:
    def __init__(self, path):
        self.packets = {}  # (ssrc, rtp timestamp) -> (receive, sent, arrival) in ns
        self.units = []  # (ssrc, rtp timestamp, position, samples) in the order of playing
        self.blocks = []  # (position, samples in, first sample, samples out, time ns)
        self.conceals = []  # (position, samples)
        with open(path, encoding="ascii") as lines:
            for line in lines:
                kind, *fields = line.split()
                if not line.endswith("\n"):
                    break
                values = list(map(int, fields))
                if kind == "packet":
                    self.packets.setdefault((values[0], values[1]), tuple(values[2:5]))
                elif kind == "unit":
                    self.units.append(tuple(values[:4]))
                elif kind == "block":
                    self.blocks.append(tuple(values[:5]))
                elif kind == "conceal":
                    self.conceals.append((values[1], values[2]))
        self._starts = [b[0] for b in self.blocks]

    def _block_at(self, position):
        """Index of the block that holds the input sample; None before the first and in a hole."""
        i = bisect.bisect_right(self._starts, position) - 1
        if i < 0 or position >= self._starts[i] + self.blocks[i][1]:
            return None
        return i

    def made_up_ms(self, first_sample, last_sample):
        """Of the stream between two of its samples."""
        inside = [b[0] for b in self.blocks if first_sample <= b[2] < last_sample]
        return sum(n for at, n in self.conceals if inside and inside[0] <= at < inside[-1]) / 48

    def latencies(self, arrivals):
        """Rows of ms, a packet each: to its first and to its last sample on the socket, and the
        last one's stages. arrivals: sorted [(first sample of a message, monotonic s)]."""
        firsts = [a[0] for a in arrivals]

        def received_ns(sample):
            i = bisect.bisect_right(firsts, sample) - 1
            return arrivals[i][1] * 1e9 if i >= 0 else None

        rows = []
        for ssrc, timestamp, position, n in self.units:
            packet = self.packets.get((ssrc, timestamp))
            first, last = self._block_at(position), self._block_at(position + n - 1)
            if packet is None or first is None or last is None:
                continue
            first_ns = received_ns(self.blocks[first][2])
            last_ns = received_ns(self.blocks[last][2])
            if first_ns is None or last_ns is None:
                continue
            receive, sent, arrival = packet
            handed = self.blocks[last][4]
            rows.append([(first_ns - receive) / 1e6, (last_ns - receive) / 1e6,
                         (sent - receive) / 1e6, (arrival - sent) / 1e6,
                         (handed - arrival) / 1e6, (last_ns - handed) / 1e6])
        return np.array(rows).reshape(-1, 6)


COLUMNS = ["first sample", "whole packet", "page", "link", "playout", "socket"]


def quantiles(rows):
    """{column: {p50, p95, p99, max}}; empty rows give NaN."""
    table = {}
    for i, name in enumerate(COLUMNS):
        values = rows[:, i] if len(rows) else np.array([np.nan])
        table[name] = {"p50": float(np.percentile(values, 50)),
                       "p95": float(np.percentile(values, 95)),
                       "p99": float(np.percentile(values, 99)), "max": float(values.max())}
    return table
