from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from asking import CLASSES, PLAIN, run_with, write_run
from PIL import Image

from figment import files
from figment.errors import UserError
from figment.export import about
from figment.export.subject import plain_name
from figment.recipes import SYSTEMS
from figment.serve import kept
from figment.serve.live import grid_at, live
from figment.serve.models import How, open_models
from figment.training import folder


@pytest.fixture(autouse=True)
def no_directions(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept, "directions", lambda generator: [])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PLAIN, tmp_path / "A run"))


def test_a_run_says_how_far_it_is_and_how_it_goes(ask):
    found = ask("/api/models/dcgan/live").json()
    assert (found["state"], found["images"], found["total"]) == ("finished", 8256, 8256)
    curves = {curve["name"]: curve for curve in found["curves"]}
    assert {"loss/generator", "loss/discriminator", "score/accuracy"} <= curves.keys()
    assert curves["loss/generator"]["x"][-1] == 8256
    assert len(curves["loss/generator"]["x"]) == len(curves["loss/generator"]["y"]) > 2
    assert any("better" in curve for curve in found["curves"])  # a score that was measured
    assert found["doctor"][0].keys() >= {"severity", "name", "evidence", "advice"}
    newest = found["samples"][-1]
    assert newest["images"] == 8256
    grid = ask(f"/{newest['url']}")
    assert grid.content == (PLAIN / "samples/000008256.png").read_bytes()


def test_directions_are_found_once_and_not_of_a_run_in_training(run: Path, monkeypatch, tmp_path):
    found: list[object] = []
    monkeypatch.setenv("FIGMENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(about, "directions", None)
    monkeypatch.setattr(kept, "directions", lambda generator: found.append(generator) or [])
    with files.locked(run / "lock"):
        (model,) = open_models([run], How(engine="torch")).values()
        assert model.training and model.opened.about["directions"] == [] == found
    for _ in range(2):
        (model,) = open_models([run], How(engine="torch")).values()
        assert not model.training and len(found) == 1


def test_a_run_in_training_is_shown_before_it_has_weights(run: Path):
    shutil.rmtree(run / "snapshots")
    with pytest.raises(UserError, match="has no snapshot yet"):
        open_models([run], How(engine="torch"))
    with (run / "log.jsonl").open() as file:
        lines = file.readlines()
    (run / "log.jsonl").write_text("".join(lines[:3]))

    async def looks(client):
        state = await client.get("/api/models/a-run/live")
        image = await client.get("/api/models/a-run/image?seed=1")
        listed = await client.get("/api/models")
        shutil.copytree(PLAIN / "snapshots", run / "snapshots")
        assert client.service.models["a-run"].refresh()
        return (
            state.json(),
            image,
            listed.json(),
            await client.get("/api/models/a-run/image?seed=1"),
        )

    with folder.lock(run):
        models = open_models([run], How(engine="torch"))
        state, before, listed, after = run_with(models, looks)
    assert state["state"] == "training" and state["left"] > 0 and state["images"] < state["total"]
    assert before.status_code == 503 and before.headers["retry-after"] == "10"
    assert listed["models"][0]["training"] is True
    assert after.status_code == 200


def test_new_weights_are_picked_up_and_their_pictures_are_others(run: Path):
    for snapshot in sorted((run / "snapshots").iterdir())[1:]:
        snapshot.rename(run / snapshot.name)
    (run / "best.safetensors").unlink(missing_ok=True)
    models = open_models([run], How(engine="torch"))
    assert not models["a-run"].refresh()

    async def twice(client):
        address = "/api/models/a-run/image?seed=1"
        first = await client.get(address)
        (run / "000008256.safetensors").rename(run / "snapshots/000008256.safetensors")
        assert models["a-run"].refresh()
        return first, await client.get(address, headers={"if-none-match": first.headers["etag"]})

    first, second = run_with(models, twice)
    assert second.status_code == 200 and second.content != first.content


def test_damaged_weights_leave_those_that_are_open(run: Path):
    models = open_models([run], How(engine="torch"))
    version = models["a-run"].opened.version
    (run / "best.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match="not a readable snapshot"):
        models["a-run"].refresh()
    assert models["a-run"].opened.version == version


def test_a_strangers_links_are_not_followed(run: Path, tmp_path: Path):
    secret = tmp_path / "secret.png"
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(secret)
    grid = run / "samples/000000001.png"
    os.symlink(secret, grid)
    assert grid_at(run, 1) is None and grid_at(run, 8256) is not None
    grid.unlink()
    (run / "samples/000000002.png").write_text("no picture")
    assert grid_at(run, 2) is None
    (run / "samples").rename(tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", run / "samples")
    assert grid_at(run, 8256) is None


def test_whatever_a_runs_files_hold_is_json(run: Path):
    (run / "log.jsonl").write_text(
        '{"images": 5, "loss/x": NaN, "score/y": 1e999}\n{"images": "x"}\n'
    )
    (run / "metrics.jsonl").write_text('[]\n{"images": 3}\n')
    found = live(run, "name")
    assert json.loads(json.dumps(found, allow_nan=False))["images"] == 5


def test_names_are_plain_and_apart(run: Path):
    names = [*open_models([run, run, CLASSES], How(engine="torch"))]
    assert names == ["a-run", "a-run-2", "few-shot-classes"]


def test_an_accent_is_left_off_a_name():
    assert plain_name("Küche mit Katzen") == "kuche-mit-katzen"


def test_a_folder_of_nothing_is_no_run(tmp_path: Path):
    with pytest.raises(UserError, match="is not a run: it holds no recipe"):
        open_models([tmp_path], How(engine="torch"))


def test_points_are_not_served(tmp_path: Path):
    ring = write_run(tmp_path / "ring", "points", SYSTEMS["points"].recipe)
    with pytest.raises(UserError, match="points, which are no pictures to serve"):
        open_models([ring], How())


def test_what_is_counted_is_shown_to_prometheus(models):
    async def some(client):
        await client.get("/api/models/dcgan/image?seed=1")
        await client.get("/api/models/dcgan/image?seed=x")
        await client.get("/anything/else")
        return (await client.get("/metrics")).text

    text = run_with(models, some)
    route = 'route="/api/models/{model}/image"'
    assert f'figment_requests_total{{{route},status="200"}} 1.0' in text
    assert f'figment_requests_total{{{route},status="422"}} 1.0' in text
    assert 'figment_requests_total{route="none",status="404"} 1.0' in text
    assert 'figment_pictures_total{model="dcgan"} 1.0' in text


def test_the_page_and_its_files_come_with_a_policy(ask):
    page = ask("/")
    assert page.headers["content-type"].startswith("text/html")
    assert '"host":"server"' in page.text and '"name":"few-shot-classes"' in page.text
    assert ask("/page/main.js").headers["content-type"].startswith("text/javascript")
    assert ask("/page/drawing/remote.js").status_code == 200
    manifest = ask("/manifest.webmanifest")
    assert manifest.headers["content-type"].startswith("application/manifest+json")


def test_halves_of_letters_are_answered_written_out(run: Path):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        line["scores"] = {f"{name}\ud800": score for name, score in line["scores"].items()}
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    log = (run / "log.jsonl").read_text().replace("loss/generator", r"loss/\ud800x")
    (run / "log.jsonl").write_text(log)

    async def asked(client):
        return [await client.get(f"/api/models/a-run{end}") for end in ("", "/live")]

    about, state = run_with(open_models([run], How(engine="torch")), asked)
    assert (about.status_code, state.status_code) == (200, 200)
    assert "\\ud800" in about.json()["card"]["scores"][0]["label"]
    assert r"loss/\ud800x" in {curve["name"] for curve in state.json()["curves"]}
