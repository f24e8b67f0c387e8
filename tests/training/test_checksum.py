"""The checksum of TensorBoard's records against RFC 3720's examples and TensorBoard's own."""

from __future__ import annotations

import numpy as np
import pytest
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

from figment.training.checksum import FEW, crc32c, masked


def test_published_values():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, appendix B.4
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


@pytest.mark.parametrize("length", [0, 1, FEW, FEW + 1, 2_209, 4_096, 99_991])
def test_it_is_tensorboards(length: int):
    data = np.random.default_rng(length).bytes(length)
    assert masked(data) == masked_crc32c(data)
