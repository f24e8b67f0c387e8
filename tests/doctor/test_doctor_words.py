"""Findings as a person reads them."""

from __future__ import annotations

import numpy as np

from figment.data.flowers import draw
from figment.doctor.finding import Finding
from figment.doctor.hindsight import with_signs
from figment.doctor.signs import reference
from figment.doctor.words import WIDTH, sureness, text


def test_a_block_says_what_why_and_what_to_do():
    finding = Finding(
        "mode collapse", "fault", 0.95, "All are one. " * 12, "Go back.", ("--batch 64", "--mirror")
    )
    good = Finding("healthy", "good", 0.6, "Fine.", "Keep going.")
    first, second = text([finding, good]).split("\n\n")
    lines = first.split("\n")
    assert lines[0] == "✗ mode collapse (sure, 95%)"
    assert lines[1].startswith("  All are one. All are one.")
    assert "  → Go back." in lines
    assert lines[-2:] == ["    --batch 64", "    --mirror"]
    assert max(map(len, lines)) <= WIDTH
    assert second == "✓ healthy (perhaps, 60%)\n  Fine.\n  → Keep going."


def test_sureness():
    assert [sureness(value) for value in (1.0, 0.9, 0.89, 0.7, 0.5)] == [
        "sure",
        "sure",
        "likely",
        "likely",
        "perhaps",
    ]


def test_hindsight_puts_signs_where_they_belong():
    flowers = draw(range(200), 32)[0]
    real = reference(flowers[:100])
    log = [{"images": 100, "jsd": 0.5}, {"images": 200, "jsd": 0.4}]
    snapshots = [(90, flowers[100:150]), (150, flowers[150:200]), (300, flowers[100:150])]
    lines = with_signs(log, snapshots, real)
    assert [line["images"] for line in lines] == [100, 200, 300]
    assert "watch/movement" not in lines[0] and lines[1]["watch/movement"] > 0.5
    assert lines[0]["jsd"] == 0.5 and log[0] == {"images": 100, "jsd": 0.5}
    assert with_signs(lines, iter(()), real) == lines
    assert np.isfinite(lines[2]["watch/diversity"])
