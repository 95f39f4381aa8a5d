# SPDX-License-Identifier: Apache-2.0
"""Measures of quality: diarization error, tones, onsets, flash and beep. Pure functions."""
import numpy as np


def diarization_error(truth, found, collar_s=0.25, step_s=0.01):
    """Error rate by NIST's definition: (missed + false + confused) / speech, overlaps included.

    truth, found: [(name, start_s, end_s)]. Time within the collar of a true boundary is left out.
    """
    end_s = max([e for _, _, e in truth + found] + [0]) + 1
    n = int(end_s / step_s)
    names = sorted({name for name, _, _ in truth + found})
    ref = np.zeros((len(names), n), bool)
    hyp = np.zeros((len(names), n), bool)
    counted = np.ones(n, bool)
    for rows, table in ((truth, ref), (found, hyp)):
        for name, start, end in rows:
            table[names.index(name), max(0, round(start / step_s)):round(end / step_s)] = True
    for _, start, end in truth:
        for edge in (start, end):
            counted[max(0, round((edge - collar_s) / step_s)):
                    max(0, round((edge + collar_s) / step_s))] = False
    ref, hyp = ref[:, counted], hyp[:, counted]
    n_ref, n_hyp, n_both = ref.sum(0), hyp.sum(0), (ref & hyp).sum(0)
    total = n_ref.sum()
    errors = np.maximum(n_ref, n_hyp).sum() - n_both.sum()
    return errors / total if total else float(errors > 0)


def merge(segments, gap_s):
    """Joins one person's segments that are less than gap_s apart."""
    merged = []
    for name in sorted({s[0] for s in segments}):
        for _, start, end in sorted(s for s in segments if s[0] == name):
            if merged and merged[-1][0] == name and start - merged[-1][2] < gap_s:
                merged[-1] = (name, merged[-1][1], max(end, merged[-1][2]))
            else:
                merged.append((name, start, end))
    return sorted(merged, key=lambda s: s[1])


def pcm(data):
    return np.frombuffer(data[:len(data) // 2 * 2], "<i2").astype(np.float64) / 32768


def tone_phase(signal, hz, rate, block=480):
    """Unwrapped phase error in samples of each block against a steady tone; 0 is its median.

    A sample missing or doubled is a step of one.
    """
    n = len(signal) // block * block
    t = np.arange(n)
    mixed = signal[:n] * np.exp(-2j * np.pi * hz * t / rate)
    phase = np.unwrap(np.angle(mixed.reshape(-1, block).sum(1)))
    samples = phase / (2 * np.pi * hz / rate)
    return samples - np.median(samples)


def envelope(signal, rate, ms=5):
    block = int(rate * ms / 1000)
    n = len(signal) // block * block
    return np.sqrt((signal[:n].reshape(-1, block) ** 2).mean(1)), ms / 1000


def onsets(signal, rate, floor=0.01, gap_s=0.3):
    """Times at which the signal rises above floor after gap_s of quiet."""
    level, step_s = envelope(signal, rate)
    loud = level > floor
    times, quiet_since = [], -gap_s
    for i, is_loud in enumerate(loud):
        if is_loud:
            if i * step_s - quiet_since >= gap_s:
                times.append(i * step_s)
            quiet_since = (i + 1) * step_s
    return times
