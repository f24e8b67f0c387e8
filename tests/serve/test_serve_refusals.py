from __future__ import annotations

import asyncio
import struct
import zlib

import httpx
import pytest
from asking import run_with

from figment.serve.limits import Limits
from figment.serve.png import SIGNATURE

IMAGE = "/api/models/dcgan/image"
BAD = [
    (f"{IMAGE}?seed={2**63}", "seed must be at most 9223372036854775807"),
    (f"{IMAGE}?seed=-1", "seed must be 0 or more"),
    (f"{IMAGE}?seed=1_0", "seed must be a whole number"),
    (f"{IMAGE}?seed=7.0", "seed must be a whole number"),
    (f"{IMAGE}?seed=%D9%A3", "seed must be a whole number"),
    (f"{IMAGE}?seed=", "seed must be a whole number"),
    (f"{IMAGE}?seed={'9' * 5000}", "seed must be a whole number"),
    (f"{IMAGE}?seed=1&seed=2", "seed is given twice"),
    (f"{IMAGE}?seed=1&truncation=nan", "truncation must be a finite number"),
    (f"{IMAGE}?seed=1&truncation=-1", "truncation must be above 0"),
    (f"{IMAGE}?seed=1&truncation=1e99", "truncation must be at most 100"),
    (f"{IMAGE}?seed=1&format=exe", "format must be 'png', 'webp', 'jpeg' or 'raw'"),
    (f"{IMAGE}?seed=1&size=9999", "size is no parameter of this address"),
    (f"{IMAGE}?seed=1&class=cat", "this generator knows no classes"),
    ("/api/models/few-shot-classes/image?class=nobody", "there is no class nobody."),
    ("/api/models/dcgan/grid?count=101", "count must be at most 100"),
    (f"/api/models/dcgan/grid?seed={2**63 - 1}&count=2", "the last seed is at most"),
    ("/api/models/dcgan/walk?seeds=1", "a walk needs two stops"),
    ("/api/models/dcgan/walk?seeds=1,x", "seeds.1 must be a whole number"),
    ("/api/models/dcgan/walk?frames=100000", "frames must be at most 240"),
    ("/api/models/dcgan/samples/-1.png", "images must be 0 or more"),
]


@pytest.mark.parametrize(("address", "said"), BAD, ids=range(len(BAD)))
def test_wrong_words_are_refused_in_one_line(ask, address: str, said: str):
    answer = ask(address)
    detail = answer.json()["detail"]
    assert answer.status_code == 422 and detail.startswith(said)
    assert "\n" not in detail and len(detail) < 300


@pytest.mark.parametrize(
    "path",
    [
        *("/api/models/../../etc/passwd", "/api/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd/image"),
        *("/api/models/nobody/image", "/page/../../../pyproject.toml", "/page/%2e%2e/app.py"),
        *("/api/models/dcgan/samples/1.png", "/api/models/dcgan/samples/%2e%2e%2frecipe.json.png"),
        *("//etc/passwd", "/.env", "/api/models/dcgan/", "/static/x", "/api/models/dcgan%00/image"),
    ],
)
def test_paths_are_names_and_nothing_else(ask, path: str):
    answer = ask(path)
    assert answer.status_code in (307, 404, 422) and answer.headers["cache-control"] == "no-store"
    assert b"root:" not in answer.content and b"import" not in answer.content


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"latents": [[NaN]]}', "latents.0.0 must be a finite number"),
        ('{"latents": [[1e999]]}', "latents.0.0 must be a finite number"),
        ('{"latents": [["1e3"]]}', "latents.0.0 must be at most 100"),
        ('{"latents": []}', "latents is wrong"),
        ('{"latents": [[1]]}', "each latent must have 8 numbers"),
        ('{"latents": [[0,0,0,0,0,0,0,0]], "labels": [0]}', "labels must be null"),
        ('{"latents": [[0,0,0,0,0,0,0,0]], "truncation": 1}', "this generator has no styles"),
        ('{"latents": [[0,0,0,0,0,0,0,0]], "path": "/etc"}', "path is no parameter"),
        ('{"latents": ', "the body is no JSON"),
        ("[" * 100_000, "There was an error parsing the body"),
    ],
)
def test_wrong_bodies_are_refused_in_one_line(ask, body: str, said: str):
    kind = {"content-type": "application/json"}
    answer = ask("/api/models/dcgan/draw", "POST", content=body, headers=kind)
    assert answer.status_code in (400, 422) and answer.json()["detail"].startswith(said)


def test_a_body_that_is_too_large_is_refused_unread(models):
    read = []

    async def pieces():
        for _ in range(100):
            read.append(1)
            yield bytes(1 << 16)

    async def send(client):
        told = await client.post("/api/models/dcgan/project", content=bytes((1 << 16) + 1))
        longer = await client.post("/api/models/dcgan/project", content=pieces())
        return told, longer

    told, longer = run_with(models, send, limits=Limits(upload=1 << 16))
    assert told.status_code == longer.status_code == 413
    assert "at most 65,536 bytes" in told.json()["detail"] and len(read) < 5


def test_a_body_that_does_not_come_is_not_waited_for(models):
    async def pieces():
        yield b"x"
        await asyncio.sleep(10)

    async def send(client):
        return await client.post("/api/models/dcgan/project", content=pieces())

    assert run_with(models, send, limits=Limits(body_seconds=0.05)).status_code == 408


def huge(width: int, height: int) -> bytes:
    """The beginning of a PNG that promises a size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    data = b"IDAT" + zlib.compress(bytes(1000))
    return (
        SIGNATURE
        + chunk
        + struct.pack(">I", len(data) - 4)
        + data
        + struct.pack(">I", zlib.crc32(data))
    )


@pytest.mark.parametrize(
    ("picture", "status"),
    [(huge(20_000, 15_000), 413), (huge(8_000, 8_000), 413), (b"GIF89a", 422), (b"", 422)],
)
def test_pictures_that_cannot_be_looked_for_are_refused(ask, picture: bytes, status: int):
    answer = ask("/api/models/dcgan/project", "POST", content=picture)
    assert answer.status_code == status and "\n" not in answer.json()["detail"]


def test_the_token_is_needed_and_taken_in_three_ways(ask):
    token = {"serving": {"token": "geheim"}}
    assert ask(IMAGE, **token).status_code == 401
    assert ask(f"{IMAGE}?token=falsch", **token).status_code == 401
    assert ask(IMAGE, headers={"authorization": "Bearer gehei"}, **token).status_code == 401
    assert ask(IMAGE, headers={"authorization": "Bearer geheim"}, **token).status_code == 200
    assert ask(IMAGE, headers={"cookie": "figment=geheim"}, **token).status_code == 200
    assert ask(f"{IMAGE}?token=geheim&seed=1", **token).status_code == 200
    assert ask("/healthz", **token).status_code == 200
    opened = ask("/?token=geheim", **token)
    assert opened.status_code == 303 and opened.headers["location"] == "./"
    assert "httponly" in opened.headers["set-cookie"].lower()


def test_other_hosts_and_other_sites_are_refused(ask):
    served = {"serving": {"hosts": ("localhost", "127.0.0.1")}}
    for host, status in (("localhost:8000", 200), ("127.0.0.1", 200), ("evil.example", 421)):
        assert ask(IMAGE, headers={"host": host}, **served).status_code == status
    draw = {"json": {"latents": [[0.0] * 8]}}
    for origin, status in (("http://test", 200), ("http://evil.example", 403), ("null", 403)):
        answer = ask("/api/models/dcgan/draw", "POST", headers={"origin": origin}, **draw)
        assert answer.status_code == status
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/", "/api/models", "/nothing", f"{IMAGE}?seed=x", "/page/main.js"]
)
def test_every_answer_has_the_headers_of_safety(ask, path: str):
    headers = ask(path).headers
    assert headers["x-content-type-options"] == "nosniff" and "server" not in headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_methods_are_those_that_are_documented(ask):
    answer = ask(IMAGE, "DELETE")
    assert answer.status_code == 405 and isinstance(answer, httpx.Response)
