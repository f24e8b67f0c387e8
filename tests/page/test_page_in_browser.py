"""The page in Chromium: as a site under a sub-path, as one file from the disk, and from a server.

The tests of a host share one page, which is opened once; each goes to the picture that it begins with.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("playwright")

HOSTS = ("site", "file", "server")


@pytest.fixture(scope="module", params=HOSTS)
def shown(request, visit) -> Iterator[Any]:
    """A visitor who has opened the page at seed 7, and who is asked for complaints at the end."""
    with visit(request.param, "#seed=7") as visitor:
        visitor.settle()
        yield visitor
        assert visitor.problems == []


def test_first_picture_is_the_one_that_python_draws(shown):
    shown.go("#seed=7")
    assert mean_difference(shown.pixels(), shown.drawn(7)) < 0.1
    assert "7" in shown.page.get_attribute("#picture", "aria-label")


def test_keys_and_a_swipe_show_the_next_picture(shown):
    shown.go("#seed=7")
    seen = {shown.link()}
    for key in (" ", "ArrowRight"):
        shown.page.keyboard.press(key)
        shown.settle()
        seen.add(shown.link())
    shown.page.evaluate(SWIPE)
    shown.settle()
    assert len(seen | {shown.link()}) == 4
    shown.page.keyboard.press("ArrowLeft")
    shown.settle()
    assert shown.link() in seen
    shown.page.focus("summary, .chip input, #tab-0")
    before = shown.link()
    shown.page.focus(".settings form input")
    shown.page.keyboard.press("ArrowRight")
    assert shown.link() == before, "keys belong to the field that has the focus"


def test_space_is_next_after_a_click_and_presses_what_keys_went_to(shown):
    shown.go("#seed=33")
    heart = shown.page.locator(".heart")
    heart.click()
    shown.page.keyboard.press(" ")
    shown.settle()
    assert shown.link() != "#seed=33"
    shown.go("#seed=33")
    assert heart.get_attribute("aria-pressed") == "true"
    heart.focus()
    for key, kept in ((" ", "false"), ("Enter", "true"), (" ", "false")):
        shown.page.keyboard.press(key)
        assert (shown.link(), heart.get_attribute("aria-pressed")) == ("#seed=33", kept)


def test_a_changed_picture_is_not_called_by_its_seed_alone(shown):
    shown.go("#seed=7")
    assert shown.page.inner_text(".seed") == "№ 7"
    shown.go("#seed=7&sliders=2,0,0,0,0,0")
    assert shown.page.inner_text(".seed") == "№ 7, changed"
    assert "changed" in shown.page.get_attribute("#picture", "aria-label")
    assert "Show brings back № 7" in shown.page.inner_text(".settings form")
    shown.page.click(".settings form >> text=Show")
    shown.settle()
    assert (shown.link(), shown.page.inner_text(".seed")) == ("#seed=7", "№ 7")
    assert "brings back" not in shown.page.inner_text(".settings form")
    shown.go("#seed=7~12:0.3")
    assert shown.page.input_value(".settings form input") == ""


def test_a_bad_seed_is_told_what_a_seed_is_and_a_good_one_is_taken_then(shown):
    shown.go("#seed=7")
    field = shown.page.locator(".settings form input")
    for bad in ("seven", "-1", "9999999999999999999"):
        field.fill(bad)
        field.press("Enter")
        said = field.evaluate("input => input.validationMessage")
        assert said == "A seed is a whole number from 0 to 9,223,372,036,854,775,807."
        assert shown.link() == "#seed=7"
    field.fill("12")
    assert field.evaluate("input => input.validationMessage") == ""
    field.press("Enter")
    shown.settle()
    assert shown.link() == "#seed=12"


def test_the_first_link_leads_past_the_heading_and_keeps_the_picture(shown):
    shown.go("#seed=7")
    shown.page.focus(".skip")
    shown.page.keyboard.press("Enter")
    assert shown.page.evaluate("document.activeElement.id") == "main"
    assert shown.link() == "#seed=7"


def test_a_class_is_chosen(shown):
    shown.go("#seed=8")
    for name in shown.generator.classes:
        shown.page.get_by_label(name, exact=True).check()
        shown.settle()
        assert mean_difference(shown.pixels(), shown.drawn(8, label=name)) < 0.1
        assert shown.link() == f"#seed=8&class={name}"
    shown.page.get_by_label("any", exact=True).check()
    shown.settle()
    assert mean_difference(shown.pixels(), shown.drawn(8)) < 0.1


def test_truncation_is_the_one_of_python(shown):
    shown.go("#seed=9")
    shown.slide("Truncation", 0.5)
    assert shown.link() == "#seed=9&truncation=0.5"
    assert mean_difference(shown.pixels(), shown.drawn(9, truncation=0.5)) < 0.1
    shown.slide("Truncation", 3)
    assert shown.link() == "#seed=9"


def test_directions_change_the_picture_smoothly(shown):
    shown.go("#seed=7")
    shown.page.click("text=Sliders")
    before, steps = shown.pixels(), []
    for place in (0.1, 0.2, 0.3, 3):
        shown.slide("Direction 1", place)
        steps.append(mean_difference(before, shown.pixels()))
    assert 0 < steps[0] < steps[1] < steps[2] < steps[3]
    assert steps[0] < steps[3] / 4
    assert "sliders=3,0,0,0,0,0" in shown.link()
    shown.page.click("text=Back to the middle")
    shown.settle()
    assert np.array_equal(shown.pixels(), before)


def test_more_like_this_keeps_its_distance(shown):
    shown.go("#seed=7")
    shown.page.click("text=More like this")
    before, apart = shown.pixels(), []
    for distance in (0.05, 0.4, 1):
        shown.go("#seed=7")
        shown.slide("Distance", distance)
        shown.page.click("[aria-label='Relative 1']")
        shown.settle()
        apart.append(mean_difference(before, shown.pixels()))
    assert 0 < apart[0] < apart[1] < apart[2]


def test_a_walk_plays_and_is_saved(shown):
    shown.go("#seed=7")
    shown.page.click("role=tab[name=Walk]")
    shown.slide("Frames a leg", 5)
    before = shown.pixels()
    shown.page.click("#panel-2 >> text=Play")
    moved = (mean_difference(before, shown.pixels()) for _ in range(200))
    assert any(apart > 0 for apart in moved)
    shown.page.click("#panel-2 >> text=Stop")
    shown.settle()
    assert np.array_equal(shown.pixels(), before)
    with shown.page.expect_download() as waiting:
        shown.page.click("#panel-2 >> text=Save film")
    film = waiting.value.path().read_bytes()
    assert film.startswith(b"\x1a\x45\xdf\xa3") and len(film) > 2_000  # EBML, of WebM
    assert waiting.value.suggested_filename.endswith("-walk.webm")


def test_two_are_mixed(shown):
    shown.go("#seed=7")
    first = shown.pixels()
    shown.page.click("role=tab[name=Mix]")
    shown.page.fill("#panel-3 form input", "12")
    shown.page.click("text=Take")
    shown.slide("Mixture", 0.5)
    middle = shown.pixels()
    assert shown.link().startswith("#seed=7~12:0.5")
    shown.slide("Mixture", 1)
    assert mean_difference(shown.pixels(), shown.drawn(12)) < 0.1
    assert mean_difference(middle, first) > 0


def test_a_download_is_a_png_with_its_seed(shown):
    shown.go("#seed=9223372036854775807")
    with shown.page.expect_download() as waiting:
        shown.page.click("text=Download")
    image = Image.open(io.BytesIO(waiting.value.path().read_bytes()))
    assert image.format == "PNG" and image.text["Seed"] == "9223372036854775807"
    assert np.array_equal(np.asarray(image.convert("RGB")), shown.pixels())
    assert mean_difference(shown.pixels(), shown.drawn(2**63 - 1)) < 0.1


def test_favourites_and_the_picture_survive_a_reload_and_have_children(shown):
    for seed in (21, 22):
        shown.go(f"#seed={seed}")
        shown.page.click(".heart")
    before = shown.pixels()
    shown.page.reload()
    shown.settle()
    assert np.array_equal(shown.pixels(), before)
    assert shown.page.locator(".kept").count() == 2
    assert shown.page.get_attribute(".heart", "aria-pressed") == "true"
    shown.page.click("role=button[name=Breed]")
    shown.page.wait_for_selector(".tray .waiting", state="detached")
    family = [np.array(one) for one in shown.page.evaluate(THUMBNAILS)]
    apart = [
        mean_difference(one, other) for n, one in enumerate(family) for other in family[n + 1 :]
    ]
    assert len(family) == 10  # the first two are the parents
    assert min(apart) > 0.25 * apart[0]
    shown.page.click("[aria-label='Child 8']")
    shown.settle()
    assert re.match(r"#seed=2[12]x2[12]:\d+~\d+:", shown.link())
    shown.page.click("[aria-label='Remove favourite 1']")
    assert shown.page.locator(".kept").count() == 1


def test_the_score_of_the_untrained_network_is_not_shown(shown):
    shown.page.click("text=About this model")
    said = shown.page.inner_text(".card")
    assert "Learned from" in said and "KID" not in said and "measured after" not in said
    assert shown.page.evaluate(BARE) == []
    shown.page.click("text=About this model")


def test_the_gallery_goes_on(shown):
    wall = shown.page.locator(".gallery .thumbnail")
    shown.page.locator(".end").scroll_into_view_if_needed()
    wall.nth(12).wait_for()
    wall.first.click()
    shown.settle()
    assert wall.first.get_attribute("aria-label").removeprefix("Picture ") in shown.link()


@pytest.mark.parametrize(
    "link", ["#seed=9223372036854775808", "#seed=-1", "#seed=NaN&class=x", "#%E0"]
)
def test_a_link_to_no_picture_shows_one_by_chance(shown, link):
    shown.go("#seed=7")
    before = shown.link()
    shown.page.evaluate("link => { location.hash = link }", link)
    shown.page.wait_for_selector(f"#picture:not([data-address='{before}'])", state="attached")
    shown.settle()
    assert re.fullmatch(r"#seed=\d{1,6}", shown.link())


def test_a_phone_has_no_sideways_scroll(shown):
    shown.page.set_viewport_size({"width": 390, "height": 844})
    try:
        for tab in shown.page.locator("[role=tab]").all():
            tab.click()
            wide = shown.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 390, tab.inner_text()
    finally:
        shown.page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(shown, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    shown.page.click("role=tab[name=Sliders]" if scheme == "dark" else "role=tab[name=Mix]")
    shown.page.emulate_media(color_scheme=scheme)
    found = axe.run(shown.page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def mean_difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


THUMBNAILS = """[...document.querySelectorAll(".tray canvas")].map((canvas) =>
  [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data])"""
BARE = """[...document.querySelector(".card").childNodes]
  .filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data)"""
SWIPE = """() => {
  const picture = document.getElementById("picture");
  for (const [type, x] of [["touchstart", 300], ["touchend", 200]]) {
    const touch = new Touch({ identifier: 1, target: picture, clientX: x, clientY: 100 });
    picture.dispatchEvent(new TouchEvent(type, { touches: [touch], changedTouches: [touch] }));
  }
}"""
