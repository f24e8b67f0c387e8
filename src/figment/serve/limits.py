"""What the server gives to whom at most: seconds, bytes, pictures, connections."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_SEED = 2**63 - 1
LARGEST_TRUNCATION = 100.0
"""Beyond it latents are whole, and styles further from their mean than any picture comes of."""
LARGEST_LATENT = 100.0
"""Of a number in a latent that a client sends; a standard normal one is beyond 6 once in 500 million."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of one server. Every one has its answer: docs/serve.md lists them."""

    batch: int = 32
    """Pictures that are drawn together at most."""
    batch_seconds: float = 1.0
    """What a batch may take, as measured: of a slow generator fewer are drawn together."""
    wait: float = 0.005
    """Seconds that the first picture of a batch waits for others, while nothing is being drawn."""
    queue_seconds: float = 10.0
    """Work that may wait, in seconds as measured; more is refused with 503."""
    request_seconds: float = 30.0
    """From a request's last byte to its answer."""
    project_seconds: float = 60.0
    """What the search for a picture's latent may take."""
    head_seconds: float = 10.0
    """For a request line and headers to come in, and for a connection to stay open without either."""
    body_seconds: float = 30.0
    """For a body to come in."""
    stalled_seconds: float = 10.0
    """For 64 KiB of an answer to be taken by the client."""
    stop_seconds: float = 3.0
    """From SIGTERM until what still waits is refused."""
    connections: int = 1_000
    head: int = 64 << 10
    """Bytes of a request line with its headers."""
    body: int = 2 << 20
    """Bytes of a JSON body."""
    upload: int = 20 << 20
    """Bytes of a picture that a client sends."""
    latents: int = 64
    """Latents of one request."""
    grid: int = 100
    """Pictures of a grid."""
    frames: int = 240
    """Frames of a walk."""
    stops: int = 16
    """Seeds of a walk."""
    film_pixels: int = 240 * 256 * 256
    """Pixels of all frames of a walk."""
    films: int = 2
    """Walks that are made at a time."""
