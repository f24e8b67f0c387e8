"""DiffAugment: colour, translation, cutout."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from figment.augment import diffaugment
from figment.augment.diffaugment import brightness, contrast, cutout, saturation, translation
from figment.errors import UserError


def test_brightness_adds_up_to_a_half():
    x = torch.rand(500, 3, 4, 4)
    added = (brightness(x) - x).flatten(1)
    torch.testing.assert_close(added, added[:, :1].expand_as(added))
    assert -0.5 <= added.min() < -0.48 and 0.48 < added.max() <= 0.5


def test_saturation_leaves_grey_and_scales_colour():
    x = torch.rand(500, 3, 4, 4)
    grey = x.mean(1, keepdim=True)
    seen = saturation(x)
    torch.testing.assert_close(seen.mean(1, keepdim=True), grey)
    far, near = (seen - grey).flatten(1), (x - grey).flatten(1)
    factor = (far.norm(dim=1) / near.norm(dim=1)).sort().values
    assert 0 <= factor[0] < 0.03 and 1.97 < factor[-1] <= 2.001
    alone = torch.rand(4, 1, 4, 4)
    torch.testing.assert_close(saturation(alone), alone)


def test_contrast_leaves_the_mean_and_scales_the_rest():
    x = torch.rand(500, 3, 4, 4)
    seen = contrast(x)
    torch.testing.assert_close(seen.mean((1, 2, 3)), x.mean((1, 2, 3)))
    factor = (seen.flatten(1).std(1) / x.flatten(1).std(1)).sort().values
    assert 0.499 < factor[0] < 0.52 and 1.48 < factor[-1] < 1.501


def test_a_grey_picture_keeps_its_colour_and_contrast():
    x = torch.full((5, 3, 4, 4), 0.3)
    torch.testing.assert_close(contrast(saturation(x)), x)


def test_translation_is_by_whole_pixels_and_zeros_come_in():
    x = torch.rand(1, 2, 16, 16).expand(400, 2, 16, 16)
    seen = translation(x)
    padded = F.pad(x[:1], (2, 2, 2, 2))
    shifts = [padded[..., a : a + 16, b : b + 16] for a in range(5) for b in range(5)]
    hits = torch.stack([(seen == shift).flatten(1).all(1) for shift in shifts])
    assert (hits.sum(0) == 1).all() and hits.any(1).all()  # an eighth of 16 either way


def test_cutout_is_half_of_each_side_or_what_of_it_lies_inside():
    holes = cutout(torch.ones(4000, 1, 16, 16)) == 0
    rows, columns = holes.any(3).sum(2), holes.any(2).sum(2)
    assert torch.equal(holes.sum((2, 3)), rows * columns)  # a rectangle
    assert rows.min() == 4 and rows.max() == 8
    # The centre is one of 17 places: 116 of 17 * 16 rows are covered.
    assert holes.float().mean().item() == pytest.approx((116 / 272) ** 2, abs=0.005)


@pytest.mark.parametrize(("channels", "size"), [(1, 16), (3, 30), (3, 256)])
def test_shapes_and_types_are_kept(channels: int, size: int):
    x = torch.randn(2, channels, size, size).bfloat16()
    seen = diffaugment(x)
    assert seen.shape == x.shape and seen.dtype == torch.bfloat16


def test_a_policy_is_played_in_its_order():
    x = torch.rand(4, 3, 8, 8)
    torch.manual_seed(1)
    seen = diffaugment(x, ("cutout", "translation"))
    torch.manual_seed(1)
    assert torch.equal(translation(cutout(x)), seen)
    assert torch.equal(diffaugment(x, ()), x)


def test_images_do_not_touch_each_other_and_draw_their_own():
    x, others = torch.randn(2, 6, 3, 8, 8)
    torch.manual_seed(3)
    seen = diffaugment(x)
    others[2] = x[2]
    torch.manual_seed(3)
    torch.testing.assert_close(diffaugment(others)[2], seen[2])
    same = diffaugment(x[:1].expand(6, 3, 8, 8))
    assert len(torch.unique(same.flatten(1), dim=0)) == 6


def test_two_processes_see_what_one_sees(both_halves):
    x = torch.randn(6, 3, 8, 8)
    torch.manual_seed(1)
    whole = diffaugment(x)
    assert torch.equal(both_halves(lambda rows: diffaugment(x[rows]), of=6), whole)


def test_a_name_that_there_is_not_is_refused():
    with pytest.raises(UserError, match="'color': choose from colour, translation, cutout"):
        diffaugment(torch.zeros(1, 3, 4, 4), ("color",))
