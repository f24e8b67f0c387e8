"""A run to export, its export, and what stands in for onnxruntime-web."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from small_runs import tiny_run

from figment.export import directions, runtime
from figment.export.onnx_export import Exported, onnx_files
from figment.export.subject import Subject

MakeRun = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def few_samples():
    """Directions are looked for among few pictures: a thousand would be most of what an export takes."""
    before, directions.SAMPLES = directions.SAMPLES, 64
    yield
    directions.SAMPLES = before


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A function that writes the run of a system: see ``tiny_run``."""

    def make(system: str = "dcgan", name: str = "cats-dcgan", **fields: object) -> Path:
        return tiny_run(tmp_path / name, system, **fields)

    return make


@pytest.fixture(scope="session")
def cats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three classes in unequal shares, which no test changes."""
    run = tmp_path_factory.mktemp("runs") / "cats"
    return tiny_run(run, "dcgan-concat", classes=3, class_shares=(0.5, 0.2, 0.3))


@pytest.fixture(scope="session")
def exported(cats: Path) -> Exported:
    """The ONNX export of ``cats``, in fp16: the costly part of a site."""
    return onnx_files(Subject(cats), "fp16", progress=False, licence="cc-by-4.0")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What npm gives out, but that its files hold a few bytes; and these are what is pinned."""
    monkeypatch.setenv("FIGMENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(runtime.VARIABLE, raising=False)
    path = tmp_path / "onnxruntime-web.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in (*runtime.WASM[:2], *runtime.WEBGPU[:2]):
            data = f"the bytes of {name}".encode()
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    monkeypatch.setattr(runtime, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    for kind in ("WASM", "WEBGPU"):
        one = getattr(runtime, kind)
        sums = tuple(
            hashlib.sha256(f"the bytes of {name}".encode()).hexdigest() for name in one[:2]
        )
        monkeypatch.setattr(runtime, kind, one._replace(sums=sums))
    return path
