#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a contact sheet of a recording: pictures at even times, each with its time and who speaks.

    sheet.py FILE OUT.png [DIARIZATION.jsonl]
"""
import json
import subprocess
import sys

from PIL import Image, ImageDraw, ImageFont

COLUMNS = 4
ROWS = 4
WIDTH = 400
CAPTION = 26
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def duration_of(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of",
                          "csv=p=0", str(path)], check=True, capture_output=True, text=True)
    return float(out.stdout)


def picture_at(path, at_s):
    out = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-ss", f"{at_s:.3f}", "-i",
                          str(path), "-frames:v", "1", "-vf", f"scale={WIDTH}:-2", "-f",
                          "image2pipe", "-c:v", "png", "-"], check=True, capture_output=True)
    if not out.stdout:
        return None
    import io
    return Image.open(io.BytesIO(out.stdout)).convert("RGB")


def make(recording, target, rows=()):
    """rows: what diarization.jsonl holds."""
    duration_s = duration_of(recording)
    count = COLUMNS * ROWS
    times = [duration_s * (i + 0.5) / count for i in range(count)]
    pictures = [picture_at(recording, t) for t in times]
    height = next(p.height for p in pictures if p is not None)
    sheet = Image.new("RGB", (COLUMNS * WIDTH, ROWS * (height + CAPTION)), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(FONT, 15)
    for i, (at_s, picture) in enumerate(zip(times, pictures)):
        x, y = i % COLUMNS * WIDTH, i // COLUMNS * (height + CAPTION)
        if picture is not None:
            sheet.paste(picture, (x, y))
        speaking = sorted({r["speaker"] for r in rows if r["start_time"] <= at_s < r["end_time"]})
        draw.text((x + 6, y + height + 4), f"{at_s:6.2f} s  {', '.join(speaking)}", "black", font)
    sheet.save(target)


def main():
    rows = []
    if len(sys.argv) > 3:
        with open(sys.argv[3], encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
    make(sys.argv[1], sys.argv[2], rows)


if __name__ == "__main__":
    main()
