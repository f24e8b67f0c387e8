"""What packing notices of a whole set, decides from it and tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from files import ADOBE_RGB, RGB, flat, png, saved, tiff
from PIL import Image

from figment.data import building, decode, depth, families, inspect, noticed, open_dataset, pack
from figment.data.describe import describe, foreword
from figment.errors import UserError


def photo(seed: int, size: tuple[int, int] = (32, 32)) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (5, 5, 3)).astype(np.uint8)
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)


def folder_of(folder: Path, images: list[Image.Image], suffix: str = ".png", **options) -> str:
    folder.mkdir()
    for number, image in enumerate(images):
        image.save(folder / f"{number:03d}{suffix}", **options)
    return str(folder)


def opened(source: str, channels: int | None = None, **options):
    return open_dataset(source, resolution=32, channels=channels, progress=False, **options)


def said(source: str, *, held_out: int = 0, sentences=(), **options) -> dict[str, str]:
    dataset = opened(source, **options)
    text = foreword(
        dataset, sentences, fit=options.get("fit", "crop"), decided=True, held_out=held_out
    )
    lines = text.splitlines()
    return {"": lines[0]} | {line[2:14].strip(): line[14:] for line in lines[1:]}


def test_one_coloured_picture_makes_a_set_coloured_and_none_makes_it_grey(tmp_path):
    greys = [photo(seed).convert("L").convert("RGB") for seed in range(30)]
    grey = opened(folder_of(tmp_path / "grey", greys))
    assert grey.shape == (1, 32, 32)
    assert (grey.rows[7, 0] == np.asarray(greys[7])[..., 0]).all()
    assert said(grey.source)["grey"] == "all pictures are grey: learned in one channel"
    mixed = folder_of(tmp_path / "mixed", [*greys[:29], photo(99)])
    assert opened(mixed).shape == (3, 32, 32)
    told = "1 of 30 pictures have a colour, the others are grey (--channels 1 learns all in grey)"
    assert said(mixed)["colour"] == told
    assert "in colour" in describe(inspect(mixed, progress=False)).splitlines()[-1]


@pytest.mark.parametrize(("tone", "channels"), [(0, 1), (2, 1), (7, 3), (14, 3)])
def test_a_faint_tone_is_a_colour_and_a_fainter_one_is_told(tmp_path, tone, channels):
    levels = np.asarray(photo(0).convert("L")).astype(int) * 200 // 255 + 30
    pixels = np.stack([levels + tone, levels, levels - tone], 2).astype(np.uint8)
    source = folder_of(tmp_path / "old", [Image.fromarray(pixels)])
    assert opened(source).shape[0] == channels
    if channels == 1:
        assert ("tint of at most" in said(source)["grey"]) == (tone > 0)


def test_a_dark_picture_may_have_colours_too():
    rows = np.zeros((2, 3, 8, 8), np.uint8)
    rows[0, 0] = 12  # dark red
    rows[1] = 12
    assert noticed.tints(rows).tolist() == [48, 0]


def test_a_single_pixel_is_no_tint():
    rows = np.full((1, 3, 256, 256), 128, np.uint8)
    rows[0, 0, 5, 5] = 255
    assert 0 < noticed.tints(rows)[0] <= noticed.TINT


def test_nothing_is_decoded_twice(tmp_path, monkeypatch):
    source = folder_of(tmp_path / "photos", [photo(seed).convert("L") for seed in range(6)])
    first = opened(source)
    monkeypatch.delattr(decode, "see")
    monkeypatch.setattr("figment.data.glance._shows_grey", lambda *_: True)
    assert inspect(source, progress=False).usable == 6
    again = opened(source, channels=first.shape[0])  # what a resume asks for
    assert again.fingerprint == first.fingerprint
    assert again.rows.filename == first.rows.filename
    assert again.notice().modes == {"L": 6}
    with pytest.raises(UserError):
        opened(source, channels=3)  # of another form there is no pack yet


def test_a_pack_of_three_channels_serves_a_set_with_colours(tmp_path, monkeypatch):
    source = folder_of(tmp_path / "photos", [photo(seed) for seed in range(4)])
    first = opened(source, channels=3)
    monkeypatch.delattr(decode, "see")
    assert opened(source).rows.filename == first.rows.filename


def test_the_range_is_that_of_the_whole_set(tmp_path):
    """One picture alone would have been taken for one of 10 bits."""
    levels = np.asarray(photo(0).convert("L")).astype(np.uint16)
    deep = [Image.fromarray(levels * scale) for scale in (1, 4, 16)]
    source = folder_of(tmp_path / "micro", deep)
    data = opened(source)
    expected = [np.rint(levels * scale * (255 / 4095)) for scale in (1, 4, 16)]
    assert (data.rows[:, 0] == np.stack(expected)).all()
    sentence = f"3 16-bit: {levels.min()} to {levels.max() * 16:,}, taken as 12 bits"
    assert data.notice().ranges == (sentence,)
    assert said(source)["levels"] == sentence
    assert sentence in describe(inspect(source, progress=False))


def test_numbers_of_many_rows_are_spread_without_holding_them_all(monkeypatch):
    values = np.arange(10 * 12, dtype=np.float32).reshape(10, 3, 2, 2)
    rows = np.array([1, 2, 5, 9])
    whole = values[rows].reshape(-1)
    assert (building._spread(values, rows) == whole).all()
    monkeypatch.setattr(depth, "SAMPLED", 10)
    assert (building._spread(values, rows) == whole[::4]).all()
    monkeypatch.setattr(depth, "SAMPLED", 7)
    assert (building._spread(values, rows) == whole[::6]).all()


def test_kinds_of_depth_in_one_set_have_ranges_of_their_own(tmp_path):
    levels = np.asarray(photo(0).convert("L"))
    folder = tmp_path / "mixed"
    folder_of(folder, [Image.fromarray(levels)])
    Image.fromarray(levels.astype(np.uint16) * 16).save(folder / "a.png")
    Image.fromarray(levels.astype(np.int32)).save(folder / "b.tif")
    Image.fromarray((levels / 255).astype(np.float32)).save(folder / "c.tif")
    (folder / "d.png").write_bytes(
        png(
            np.stack([levels.astype(np.uint16) * 16] * 2 + [np.zeros_like(levels, np.uint16)], 2),
            RGB,
            16,
        )
    )
    data = opened(str(folder), channels=3)
    assert np.abs(data.rows[:4].astype(int) - levels).max() <= 1
    assert np.abs(data.rows[4, :2].astype(int) - levels).max() <= 1 and not data.rows[4, 2].any()
    kinds = [sentence.split(":")[0] for sentence in data.notice().ranges]
    assert kinds == ["2 16-bit", "1 32-bit", "1 floating-point"]
    padded = open_dataset(str(folder), resolution=40, channels=1, fit="pad", progress=False)
    assert padded.rows.shape == (5, 1, 40, 40)


def test_padding_of_a_deep_picture_is_white(tmp_path):
    source = folder_of(tmp_path / "wide", [Image.fromarray(np.full((8, 32), 4000, np.uint16))])
    rows = opened(source, fit="pad").rows[0, 0]
    assert (rows[:12] == 255).all() and (rows[12:20] == 249).all() and (rows[20:] == 255).all()


def test_masks_of_a_few_levels_are_said_to_be_dark(tmp_path):
    mask = Image.fromarray(np.kron(np.arange(4).reshape(2, 2), np.ones((16, 16))).astype(np.uint8))
    source = folder_of(tmp_path / "masks", [mask, mask.transpose(Image.Transpose.ROTATE_90)])
    assert said(source)["levels"] == "nearly black: no place is brighter than 3 of 255"


def test_a_hot_pixel_that_makes_a_set_black_is_said(tmp_path):
    levels = np.tile(np.linspace(100, 2000, 32).astype(np.uint16), (32, 1))
    hot = levels.copy()
    hot[3, 4] = 65535
    pictures = [Image.fromarray(np.roll(levels, step, 1)) for step in range(0, 24, 4)]
    source = folder_of(tmp_path / "hot", [*pictures, Image.fromarray(hot)])
    told = opened(source).notice()
    assert told.ranges == (
        "7 16-bit: 100 to 65,535, taken as 16 bits, though half of the pictures stay at or below 2,000",
    )
    assert told.darkness == ("nearly black: in 6 of 7 pictures no place is brighter than 8 of 255",)
    assert (
        "nearly black" in describe(inspect(source, progress=False))
        and "at or below 2,000" in said(source)["levels"]
    )


def test_nearly_white_pictures_are_said(tmp_path):
    paper = np.full((32, 32), 250, np.uint8)
    paper[4:8] = 236
    pictures = [Image.fromarray(np.roll(paper, step, 0)) for step in (0, 9)]
    told = opened(folder_of(tmp_path / "paper", [*pictures, photo(0).convert("L")])).notice()
    assert told.darkness == ("nearly white: in 2 of 3 pictures no place is darker than 236 of 255",)


@pytest.mark.parametrize("number", [b"1e300\0", b"-1e400\0", b"nan\0", b"none\0"])
def test_a_number_for_no_data_that_no_float_has_changes_nothing(number):
    seen = decode.see(tiff(flat(0.5, dtype=np.float32), t42113=number), enough=8)
    assert seen.deep is not None and (seen.deep.pixels == 0.5).all()


def test_a_profile_or_alpha_that_is_not_applied_is_counted(tmp_path):
    for name, data in {
        "bright.tif": tiff(flat(5, 2, 10, 1, dtype=np.float32), 2, t338=2),
        "profiled.tif": tiff(flat(0.5, 0.2, 1, dtype=np.float32), 2, t34675=b"icc "),
        "grey.tif": tiff(flat(0.5, dtype=np.float32), t34675=b"icc "),
    }.items():
        (tmp_path / name).write_bytes(data)
    notes = opened(str(tmp_path)).notice().notes
    assert notes == {
        "transparent, which is passed over: what is white is not known": 1,
        "with a profile, which is not applied to floats and large integers: taken as sRGB": 2,
    }


def test_repeats_are_found_exact_saved_anew_smaller_and_mirrored(tmp_path):
    folder = Path(folder_of(tmp_path / "photos", [photo(seed, (64, 64)) for seed in range(20)]))
    (folder / "a.png").write_bytes((folder / "003.png").read_bytes())
    photo(4, (64, 64)).save(folder / "b.jpg", quality=40)
    photo(5, (64, 64)).resize((40, 40)).save(folder / "c.png")
    photo(6, (64, 64)).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "d.png")
    found = inspect(str(folder), progress=False)
    assert (found.duplicates, found.repeats) == (1, 4)
    pairs = [("003.png", "a.png"), ("004.png", "b.jpg"), ("005.png", "c.png"), ("006.png", "d.png")]
    assert found.likenesses == tuple(pairs)
    record = opened(str(folder)).notice()
    assert record.facts["first"].tolist() == [*range(20), 3, 4, 5, 6]
    assert said(str(folder))["repeats"].startswith(
        "4 show the same as another picture, such as a.png"
    )


def test_of_many_pictures_the_likely_pairs_are_compared(monkeypatch):
    levels = np.stack([np.asarray(photo(seed, (16, 16)).convert("L")) for seed in range(200)])
    noisy = (levels[:40].astype(int) + np.random.default_rng(0).integers(-2, 3, (40, 16, 16))).clip(
        0, 255
    )
    both = np.concatenate([levels, noisy.astype(np.uint8)])
    digests = np.arange(240)
    expected = np.concatenate([np.arange(200), np.arange(40)])
    assert (families.first_of(digests, both) == expected).all()
    monkeypatch.setattr(families, "EVERY_PAIR", 0)
    assert (families.first_of(digests, both) == expected).mean() > 0.97
    monkeypatch.setattr(families, "MOST", 0)
    assert (families.first_of(digests // 2, both) == digests // 2 * 2).all()


def test_the_block_before_a_training_says_what_matters_and_no_more(tmp_path):
    source = folder_of(tmp_path / "plain", [photo(seed) for seed in range(12)])
    told = said(source, held_out=3, sentences=["the 2 folders a and b are classes", ""])
    assert told == {
        "": "plain: 12 pictures",
        "classes": "the 2 folders a and b are classes",
        "colour": "all pictures have a colour",
        "held out": "3 for scores",
    }
    folder = tmp_path / "mess"
    folder_of(folder, [photo(seed, (120, 20)) for seed in range(10)])
    (folder / "broken.png").write_bytes(saved(photo(0))[:60])
    (folder / "notes.txt").write_text("of the day")
    photo(50).save(folder / "profiled.png", icc_profile=ADOBE_RGB)
    told = said(str(folder))
    assert told[""] == "mess: 11 of 12 pictures"
    assert told["left out"].startswith("1 x cut short: ") and "e.g. broken.png" in told["left out"]
    assert told["ignored"] == "1 .txt"
    assert told["handled"] == "1 converted to sRGB from the profile that comes with it"
    assert told["crop"] == "the centre crop drops 76% of the area (--fit pad keeps it)"
    assert told["enlarged"] == "10 are smaller than 32 px a side"
    assert "crop" not in said(str(folder), fit="pad")


def test_a_packed_file_is_looked_at_once_and_says_the_same(tmp_path, monkeypatch):
    source = folder_of(tmp_path / "photos", [photo(seed) for seed in range(5)])
    pack(source, tmp_path / "p.npz", resolution=32, channels=3, progress=False)
    data = opened(str(tmp_path / "p.npz"))
    assert not data.notice().grey
    assert (data.notice().facts["levels"] == opened(source).notice().facts["levels"]).all()
    with monkeypatch.context() as patched:
        patched.setattr("figment.data.building.notice", None)
        assert len(opened(str(tmp_path / "p.npz")).notice().facts) == 5
    grey = np.repeat(np.random.default_rng(0).integers(0, 256, (6, 1, 32, 32), np.uint8), 3, 1)
    np.savez(tmp_path / "g.npz", images=grey)
    assert opened(str(tmp_path / "g.npz")).shape == (1, 32, 32)
    assert opened(str(tmp_path / "g.npz"), channels=3).shape == (3, 32, 32)
