#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What only Google Meet's page does: sound that it decodes itself, without receivers."""
import json

import harness
import measure
import test_recording as recording
from harness import check


def decoded_by_the_page(build, audio):
    """Nothing names who speaks but the tiles' marks; who is there comes by the wire as ever."""
    setting = json.loads((recording.SCENARIOS / "demo.json").read_text())
    setting["wire"] = {"audio": audio}
    for person in setting["participants"]:
        person["camera"] = None
    for result, _ in recording.run(build, setting, recording_mode="audio_only"):
        truth = measure.merge(result.truth(), 0.3)
        error = measure.diarization_error(truth, measure.merge(result.diarization(), 0.3))
        print(f"# {audio}: diarization error {error * 100:.2f} %")
        check(error < 0.15, f"{error:.3f}\n truth {truth}\n found {result.diarization()}")
        joined = sorted(e["name"] for e in result.worker.events("participant")
                        if e["op"] == "joined")
        check(joined == ["Alice Martin", "Bob Okafor", "Carol Nguyễn"], f"joined {joined}")


def decoded_into_an_element(build):
    decoded_by_the_page(build, "element")


def decoded_into_the_context(build):
    decoded_by_the_page(build, "context")


TESTS = [decoded_into_an_element, decoded_into_the_context]

if __name__ == "__main__":
    harness.main(TESTS)
