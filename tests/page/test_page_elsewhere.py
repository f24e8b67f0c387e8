"""The page without a network, from a disk, with several generators, and of a run in training."""

from __future__ import annotations

import json

import numpy as np
import pytest

from figment.training import folder

pytest.importorskip("playwright")


def faults(page):
    """What axe-core finds on a page."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found]


def test_a_site_draws_without_a_network_once_it_has_been_seen(visit):
    with visit("site", "#seed=7") as visitor:
        visitor.settle()
        before = visitor.pixels()
        visitor.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
        visitor.page.wait_for_timeout(500)  # it keeps what was loaded before it was there
        visitor.page.context.set_offline(True)
        visitor.page.reload()
        visitor.settle()
        assert np.array_equal(visitor.pixels(), before)


def test_a_site_on_a_disk_says_what_it_needs(visit):
    with visit("site from disk", "") as visitor:
        assert "web server" in visitor.page.inner_text("#status")
        assert visitor.page.is_visible("#status")


def test_several_generators_have_a_front_page_and_styles_mix(visit, published):
    with visit("several", "") as visitor:
        page = visitor.page
        page.wait_for_selector(".model")
        assert page.locator(".model").count() == 2
        assert faults(page) == []
        page.click(".model:has-text('faces')")
        visitor.settle()
        visitor.generator = published.generators["faces"]
        visitor.go("#model=faces&seed=7")
        assert np.abs(visitor.pixels().astype(int) - visitor.drawn(7)).mean() < 0.1
        visitor.slide("Truncation", 0.5)
        assert np.abs(visitor.pixels().astype(int) - visitor.drawn(7, truncation=0.5)).mean() < 0.1
        own = visitor.pixels()
        page.click("role=tab[name=Styles]")
        page.click("[aria-label='Style 1']")
        visitor.settle()
        assert "&style=" in visitor.link() and np.any(visitor.pixels() != own)
        marked = page.locator(".panel [aria-label^=Style][aria-pressed=true]")
        assert marked.get_attribute("aria-label") == "Style 1"
        assert page.inner_text(".seed") == "№ 7, changed"
        assert "pose and shape" in page.inner_text(".panel:visible")
        page.click("text=Its own style")
        visitor.settle()
        assert marked.count() == 0
        assert np.array_equal(visitor.pixels(), own)
        visitor.go("#model=faces&seed=7&style=123&layer=3")
        assert marked.count() == 1
        assert page.inner_text(".slider:has-text('From layer') output") == "3"
        page.click("text=About this model")
        assert "Scores measured after 500 images; the weights here are of 1,000." in (
            page.inner_text(".card")
        )
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390  # with one tab more
        page.click("text=All generators")
        page.wait_for_selector(".model")
        assert visitor.problems == []


def test_a_run_in_training_is_shown_as_it_goes(visit, published):
    run = published.runs[1]
    with folder.lock(run), visit("several", "#model=faces&seed=7") as visitor:
        visitor.settle()
        live = visitor.page.locator(".live")
        live.wait_for()
        assert "1,000" in live.inner_text()
        with open(run / "log.jsonl", "a") as log:
            log.write(json.dumps({"images": 3000, "seconds": 3.0, "loss/generator": 0.7}) + "\n")
        live.locator("text=3,000").wait_for()
        live.locator("svg").first.wait_for()
        assert faults(visitor.page) == []
        assert visitor.problems == []
