"""Still images: upright RGB, bounded by their header, refused by name."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from pipeline.core.errors import SourceError
from pipeline.ingest.image import is_image, read_image
from pipeline.ingest.params import Params
from pipeline.ingest.probe import probe
from tests.devset import devset
from tests.hostile import corpus

PARAMS = Params(settle_s=0)
COLOURS = np.zeros((40, 60, 3), np.uint8)
COLOURS[:, :30] = (200, 30, 10)
COLOURS[:20, 30:] = (20, 180, 40)


def written(path: Path, pixels: np.ndarray) -> str:
    """Encodes RGB(A) or grey pixels as the suffix says."""
    order = {4: cv2.COLOR_RGBA2BGRA, 3: cv2.COLOR_RGB2BGR}
    stored = cv2.cvtColor(pixels, order[pixels.shape[2]]) if pixels.ndim == 3 else pixels
    assert cv2.imwrite(str(path), stored)
    return str(path)


@pytest.mark.parametrize("suffix", ["png", "bmp", "jpg", "webp"])
def test_pixels_come_as_rgb(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / f"a.{suffix}", COLOURS)
    pixels = read_image(path, PARAMS)
    assert (pixels.shape, pixels.dtype) == ((40, 60, 3), np.uint8)
    for at in ((20, 10), (5, 50)):
        assert np.abs(pixels[at].astype(int) - COLOURS[at]).max() < 12
    found = probe(path, PARAMS)
    assert (found.width, found.height, found.warnings) == (60, 40, ())


def test_deep_grey_and_transparent_images_become_eight_bit_rgb(tmp_path: Path) -> None:
    grey = np.full((8, 9), 77, np.uint8)
    deep = (COLOURS.astype(np.uint16)) * 257
    clear = np.dstack([COLOURS, np.zeros((40, 60), np.uint8)])
    assert (read_image(written(tmp_path / "grey.png", grey), PARAMS) == 77).all()
    assert np.array_equal(read_image(written(tmp_path / "deep.png", deep), PARAMS), COLOURS)
    assert np.array_equal(read_image(written(tmp_path / "clear.png", clear), PARAMS), COLOURS), (
        "colours under alpha stay"
    )


def test_a_cmyk_jpeg_becomes_rgb(tmp_path: Path) -> None:
    grey = cv2.imencode(".jpg", np.full((16, 16), 255, np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    frame, scan = grey.index(b"\xff\xc0"), grey.index(b"\xff\xda")
    # The same four scans' worth of white in four components: Adobe's inverted CMYK, so white ink everywhere.
    sof = (
        b"\xff\xc0" + struct.pack(">HBHHB", 8 + 12, 8, 16, 16, 4) + b"".join(bytes([n, 0x11, 0]) for n in (1, 2, 3, 4))
    )
    adobe = b"\xff\xee" + struct.pack(">H5sHHHB", 14, b"Adobe", 100, 0, 0, 0)
    sos = b"\xff\xda" + struct.pack(">HB", 6 + 8, 4) + b"".join(bytes([n, 0]) for n in (1, 2, 3, 4)) + b"\0\x3f\0"
    header = grey[2:frame]
    after_frame = grey[frame + 2 + 11 : scan]
    path = tmp_path / "cmyk.jpg"
    path.write_bytes(b"\xff\xd8" + adobe + header + sof + after_frame + sos + grey[scan + 10 :])
    assert read_image(str(path), PARAMS).shape == (16, 16, 3)


def test_the_exif_orientation_is_applied(tmp_path: Path) -> None:
    body = cv2.imencode(".jpg", COLOURS[:, :, ::-1])[1].tobytes()
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0" + tiff
    path = tmp_path / "turned.jpg"
    path.write_bytes(body[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(exif)) + exif + body[2:])
    pixels = read_image(str(path), PARAMS)
    assert pixels.shape == (60, 40, 3)
    assert np.abs(pixels[10, 20].astype(int) - COLOURS[20, 10]).max() < 12, "turned clockwise: left is on top"


def test_oversized_images_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    huge = [item.path for item in corpus(tmp_path) if Path(item.path).name in ("huge.png", "huge.jpg", "huge.webp")]
    assert len(huge) == 3
    for path in huge:
        with pytest.raises(SourceError, match="oversized pixels: 30000x30000"):
            read_image(path, PARAMS)


def test_a_jpeg_that_ends_early_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    body = devset("photos", "negative", "scikit-learn__china.jpg").read_bytes()
    path = tmp_path / "cut.jpg"
    path.write_bytes(body[: len(body) // 2])
    whole = read_image(str(devset("photos", "negative", "scikit-learn__china.jpg")), PARAMS)
    pixels = read_image(str(path), PARAMS)
    assert np.array_equal(pixels[:150], whole[:150])
    assert probe(str(path), PARAMS).warnings == ("the image's data end early",)


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp"])
def test_other_images_that_end_early_are_broken_by_name(tmp_path: Path, suffix: str) -> None:
    path = Path(written(tmp_path / f"a.{suffix}", COLOURS))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    assert probe(str(path), PARAMS).warnings == ("the image's data end early",)
    with pytest.raises(SourceError, match="broken image"):
        read_image(str(path), PARAMS)


def test_animations_are_video_and_text_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "moving.png"
    with av.open(str(path), "w", format="apng") as out:
        stream = out.add_stream("apng", rate=5)
        stream.width, stream.height, stream.pix_fmt = 60, 40, "rgb24"
        for shift in range(5):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(COLOURS, shift, 1), format="rgb24")))
        out.mux(stream.encode(None))
    assert not is_image(str(path))
    assert probe(str(path), PARAMS).kind == "video"
    (tmp_path / "words.jpg").write_text("hello")
    with pytest.raises(SourceError, match="not media"):
        read_image(str(tmp_path / "words.jpg"), PARAMS)
