"""Findings as a person reads them."""

from __future__ import annotations

from figment.doctor.finding import Finding
from figment.doctor.text import WIDTH, findings_text, sureness


def test_a_block_says_what_why_and_what_to_do():
    finding = Finding(
        "mode collapse", "fault", 0.95, "All are one. " * 12, "Go back.", ("--batch 64", "--mirror")
    )
    good = Finding("healthy", "good", 0.6, "Fine.", "Keep going.")
    first, second = findings_text([finding, good]).split("\n\n")
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
