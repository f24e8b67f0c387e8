"""Run folders made of synthetic curves and drawn pictures, for the tests of the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from figment.randomness import stream

MakeRun = Callable[..., Path]

PROTOCOL = "mobilenet, 128 px; 1,000 samples against 12,556 reals"
DIAGNOSIS = {
    "images": 76800,
    "findings": [
        {
            "name": "discriminator overfitting",
            "severity": "fault",
            "sure": 0.86,
            "evidence": "Its mean sign is 0.85 in training and 0.57 held out.",
            "advice": "Augment what it sees.",
            "flags": ["--dropout 0.3"],
        },
        {"name": "no <checkerboard>", "severity": "good", "sure": 0.97, "evidence": "1.04"},
    ],
}


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A function that writes a run folder and returns its path."""

    def make(
        *,
        name: str = "cats64-dcgan",
        ticks: int = 60,
        moments: int = 12,
        objective: str = "nonsaturating",
        **changes: object,
    ) -> Path:
        run = tmp_path / name
        (run / "samples").mkdir(parents=True)
        (run / "recipe.json").write_text(json.dumps(recipe(objective, **changes)))
        (run / "machine.json").write_text(json.dumps(machine()))
        lines = [json.dumps(tick(number)) for number in range(1, ticks + 1)]
        (run / "log.jsonl").write_text("".join(f"{line}\n" for line in lines))
        for number in range(1, moments + 1):
            picture(number).save(run / "samples" / f"{number * 1280:09d}.png")
        return run

    return make


@pytest.fixture
def judge_run() -> Callable[..., Path]:
    """A function that adds scores, an evaluation and a diagnosis to a run folder."""

    def add(run: Path, *, best: float = 0.01, protocol: str = PROTOCOL) -> Path:
        lines = [json.dumps(measurement(number, best, protocol)) for number in range(1, 11)]
        (run / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines))
        (run / "evaluation.json").write_text(json.dumps(evaluation(best)))
        (run / "doctor.json").write_text(json.dumps(DIAGNOSIS))
        weights(run / "best.safetensors", images=61440, score="kid", value=best)
        (run / "evaluation").mkdir()
        for name in ("look-alikes", "neighbours"):
            picture(3).save(run / "evaluation" / f"{name}.png")
        return run

    return add


@pytest.fixture(name="weights")
def weights_fixture() -> Callable[..., None]:
    """The function that writes a file of weights: see ``weights``."""
    return weights


def weights(path: Path, **note: object) -> None:
    """Write the head of a file of weights, as far as a report reads it."""
    head = json.dumps(
        {"__metadata__": {"figment": json.dumps({"recipe": "dcgan", **note})}}
    ).encode()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(len(head).to_bytes(8, "little") + head)


def recipe(objective: str, **changes: object) -> dict:
    fields = {"batch": 128, "width": 64, "resolution": 64, "latent": 100}
    fields |= {"learning_rate": 0.0002, "objective": objective, "penalties": None}
    return {"recipe": "dcgan", "fields": {**fields, **changes}}


def machine() -> dict:
    return {
        "figment": "0.1.0",
        "torch": "2.13.0+cpu",
        "python": "3.11.7",
        "platform": "Linux-6.1-x86_64",
        "processor": "Intel(R) Xeon(R) Processor",
        "device": "cpu",
        "threads": 2,
        "processes": 1,
        "memory_gib": 23.4,
        "precision": "float32",
        "budget": {"minutes": 0.6},
        "seconds_per_image": [0.00242292621874185],
        "data": {
            "name": "cats64",
            "source": "cats64.zip",
            "path": "/data/cats64.zip",
            "count": 13217,
            "classes": ["<b>&", "tabby"],
            "shape": [3, 64, 64],
            "fingerprint": "sha256:0123",
            "skipped": 3,
            "duplicates": 0,
        },
        "parameters": {"generator": 3576704, "discriminator": 2765568},
        "started": "2026-11-22T04:00:00Z",
    }


def tick(number: int) -> dict:
    """A line of a log at ``number`` × 1280 images: a game that settles, with noise."""
    noise = stream("test report", number).normal(size=8)
    done = 1 - np.exp(-number / 20)
    real = float(np.clip(0.95 - 0.35 * done + 0.03 * noise[2], 0, 1))
    fake = float(np.clip(0.05 + 0.35 * done + 0.03 * noise[3], 0, 1))
    return {
        "images": number * 1280,
        "rounds": number * 10,
        "seconds": number * 10.0,
        "loss/discriminator": 0.3 + 0.9 * done + 0.1 * noise[0],
        "loss/generator": 4.0 - 3.0 * done + 0.2 * noise[1],
        "score/real": real,
        "score/fake": fake,
        "score/accuracy": 1 - 0.3 * done,
        "gradient/discriminator": 1 + 0.1 * noise[4],
        "gradient/generator": 0.5 + 0.1 * noise[5],
        "jsd": 0.6 - 0.4 * done,
        "penalty/r1": 0.01 + 0.001 * noise[6] ** 2,
        "speed/images_per_second": 128 + noise[7],
        "memory/gib": 1.9,
    }


def measurement(number: int, best: float, protocol: str) -> dict:
    """A line of metrics.jsonl at ``number`` × 7680 images: KID falls to ``best`` at the 8th and rises."""
    kid = best + 0.001 * abs(number - 8)
    precision = {"value": 0.5 + 0.01 * number, "better": "higher", "floor": 0.8}
    return {
        "images": number * 7680,
        "seconds": number * 60.0,
        "features": "mobilenet",
        "protocol": protocol,
        "scores": {
            "kid": {
                "value": kid,
                "low": kid - 0.0005,
                "high": kid + 0.0005,
                "floor": 0.0002,
                "better": "lower",
            },
            "precision": precision,
        },
    }


def evaluation(best: float) -> dict:
    def score(name: str, value: float, **more: object) -> dict:
        start = {"low": value - 0.0004, "high": value + 0.0004, "floor": 0.0001, "better": "lower"}
        return {
            "name": name,
            "value": value,
            **start,
            "protocol": "inception; 10,000 samples",
            **more,
        }

    return {
        "images": 61440,
        "weights": "best.safetensors",
        "scores": [
            score("kid", best),
            score("fid", 53.1, note="too few pictures"),
            score("density", 0.9, low=None, high=None, better="floor", floor=1.0),
            score("kid", 2 * best, group="<b>&"),
        ],
        "pictures": {
            "look-alikes": "evaluation/look-alikes.png",
            "neighbours": "evaluation/neighbours.png",
        },
        "made": "2026-11-22T05:00:00Z",
        "notes": ["inception_score was left out"],
    }


def picture(number: int, side: int = 96) -> Image.Image:
    """A square picture that gets smoother with ``number``."""
    noise = stream("test report", number).integers(0, 256, (side, side, 3), dtype=np.uint8)
    slope = np.linspace(0, 255, side, dtype=np.uint8)[None, :, None]
    return Image.fromarray(noise // (number + 1) + slope // 2)
