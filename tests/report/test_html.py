"""The parts that pages are made of."""

from __future__ import annotations

from figment.report import html


def test_commands_in_a_note_are_code_and_nothing_else_is_markup():
    assert html.notes(["`figment evaluate RUN` <b>"]) == (
        '<p class="note"><code>figment evaluate RUN</code> &lt;b&gt;</p>'
    )
