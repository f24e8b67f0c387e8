"""TensorBoard's file of a run, written at once and by nobody else.

Its own writer hands events to a thread, which prints a traceback where the disk is full. This one raises
OSError to whoever writes, and makes a new file, never one that was there.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def board(run: Path, images: int) -> Board | None:
    """Return a new file of events that replaces what others say of later than ``images``.

    None where the extra ``tensorboard`` is not installed.
    """
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own imports warn
            return Board(run, images)
    except ImportError:
        return None


class Board:
    """A file of TensorBoard events; steps are images. Every method may raise OSError."""

    def __init__(self, run: Path, images: int) -> None:
        import google_crc32c  # TensorBoard's own goes through the bytes in Python: 0.3 s a MB
        from tensorboard.compat.proto import event_pb2, summary_pb2

        self.checksum = google_crc32c.value
        self.event: Any = event_pb2  # whose classes exist only once it is imported
        self.summary: Any = summary_pb2
        name = f"events.out.tfevents.{time.time_ns() // 10**9:010d}.{socket.gethostname()}.{os.getpid()}"
        number = sum(1 for _ in run.glob(f"{name}.*"))  # of those that this process has begun
        self.file = open(run / f"{name}.{number}", "xb", buffering=0)  # noqa: SIM115
        try:
            self._begin(images)
        except OSError:
            self.close()
            raise

    def _begin(self, images: int) -> None:
        self._write(0, file_version="brain.Event:2")
        start = self.event.SessionLog(status=self.event.SessionLog.START)
        self._write(images + 1, session_log=start)

    def scalars(self, values: Mapping[str, float], images: int) -> None:
        """Add the columns of a line of the log."""
        of = self.summary.Summary
        found = [of.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._write(images, summary=of(value=found))

    def picture(self, name: str, png: bytes, size: tuple[int, int], images: int) -> None:
        """Add a picture of this width and height."""
        of, (width, height) = self.summary.Summary, size
        image = of.Image(width=width, height=height, colorspace=3, encoded_image_string=png)
        self._write(images, summary=of(value=[of.Value(tag=name, image=image)]))

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def _write(self, images: int, **what: Any) -> None:
        event = self.event.Event(wall_time=time.time(), step=images, **what)
        data = event.SerializeToString()
        length = struct.pack("<Q", len(data))
        self.file.write(length + self._masked(length) + data + self._masked(data))

    def _masked(self, data: bytes) -> bytes:
        """The checksum of a record's part: CRC-32C turned by 15 bits, and a constant added."""
        crc = self.checksum(data)
        turned = (crc >> 15 | crc << 17) + 0xA282EAD8
        return struct.pack("<I", turned & 0xFFFFFFFF)
