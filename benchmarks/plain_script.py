"""The plain script a user would write: OpenCV reads every frame, one a second goes through the network, one at a time,
with every library's own defaults. It hears nothing, decides nothing and keeps nothing.

    python benchmarks/plain_script.py MODEL.onnx VIDEO...
"""

from __future__ import annotations

import json
import sys
import time

import cv2
import numpy as np
import onnxruntime

MEAN_BGR = np.array([104, 117, 123], np.float32)


def main(model: str, videos: list[str]) -> None:
    """Print for each video how many frames were scored, the highest score, and the CPU seconds it took."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    found = []
    for video in videos:
        began = time.process_time()
        capture = cv2.VideoCapture(video)
        every = max(1, round(capture.get(cv2.CAP_PROP_FPS)))
        number, scored, best = 0, 0, 0.0
        while True:
            there, image = capture.read()
            if not there:
                break
            if number % every == 0:
                small = cv2.resize(image, (256, 256))[16:240, 16:240].astype(np.float32) - MEAN_BGR
                (scores,) = session.run(None, {name: small[None]})
                best = max(best, float(scores[0, 1]))
                scored += 1
            number += 1
        capture.release()
        found.append({"path": video, "scored": scored, "highest": best, "cpu_s": time.process_time() - began})
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
