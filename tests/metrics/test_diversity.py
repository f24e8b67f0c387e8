"""MS-SSIM against its formula and a reference, mean distances, groups of look-alikes."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from figment.errors import UserError
from figment.metrics.diversity import (
    WEIGHTS,
    feature_diversity,
    look_alike_threshold,
    look_alikes,
    mean_ms_ssim,
    ms_ssim,
    near_duplicates,
)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def smooth(count: int, side: int, seed: int) -> torch.Tensor:
    coarse = noise(count, 3, side // 16, side // 16, seed=seed)
    fine = F.interpolate(coarse, size=(side, side), mode="bicubic").clamp(0, 1)
    return 0.9 * fine + 0.1 * noise(count, 3, side, side, seed=seed + 1)


@pytest.mark.parametrize("side", [176, 185])
def test_ms_ssim_is_that_of_torchmetrics_away_from_the_border(side: int):
    torchmetrics = pytest.importorskip("torchmetrics.functional.image")
    a = smooth(2, side, 0)
    b = (0.7 * a + 0.3 * smooth(2, side, 7)).clamp(0, 1)
    own = ms_ssim(a, b)
    a, b = a.double(), b.double()
    # Without its last scale, whose windows torchmetrics lets run over the border, against Wang et al.
    first = torchmetrics.multiscale_structural_similarity_index_measure(
        a, b, data_range=1.0, betas=(*WEIGHTS[:-1], 0.0), reduction="none", normalize=None
    )
    small, other = a, b
    for _ in range(4):
        small, other = F.avg_pool2d(small, 2), F.avg_pool2d(other, 2)
    _, surface = torchmetrics.structural_similarity_index_measure(
        small, other, data_range=1.0, return_full_image=True
    )
    last = surface[..., 5:-5, 5:-5].mean((1, 2, 3)) ** WEIGHTS[-1]
    torch.testing.assert_close(own.double(), first * last, rtol=5e-7, atol=0)
    whole = torchmetrics.multiscale_structural_similarity_index_measure(
        a, b, data_range=1.0, reduction="none"
    )
    torch.testing.assert_close(own.double(), whole, rtol=0.02, atol=0)


def test_of_flat_pictures_only_the_luminance_is_left():
    a, b = torch.full((1, 1, 11, 11), 0.2), torch.full((1, 1, 11, 11), 0.6)
    luminance = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert float(ms_ssim(a, b)) == pytest.approx(luminance**1.0001, rel=3e-5)
    a, b = a.repeat(1, 1, 2, 2), b.repeat(1, 1, 2, 2)  # two scales: the first one's contrast is 1
    weight = 1.0001 * WEIGHTS[1] / (WEIGHTS[0] + WEIGHTS[1])
    assert float(ms_ssim(a, b)) == pytest.approx(luminance**weight, rel=3e-5)


@pytest.mark.parametrize(("side", "scales"), [(21, 1), (28, 2), (43, 2), (64, 3), (128, 4)])
def test_as_many_scales_as_fit(side: int, scales: int):
    a, b = torch.full((1, 1, side, side + 3), 0.2), torch.full((1, 1, side, side + 3), 0.6)
    luminance = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    weight = 1.0001 * WEIGHTS[scales - 1] / sum(WEIGHTS[:scales])
    assert float(ms_ssim(a, b)) == pytest.approx(luminance**weight, rel=3e-5)


def test_ms_ssim_is_1_for_equal_pictures_and_near_0_for_noise():
    pictures = (255 * noise(4, 3, 64, 64)).byte()
    assert ms_ssim(pictures, pictures).tolist() == pytest.approx([1.0] * 4, abs=1e-6)
    assert ms_ssim(pictures, pictures.flip(0)).max() < 0.1
    negative = 255 - pictures
    assert ms_ssim(pictures, negative).tolist() == [0.0] * 4  # negative structure counts as none


def test_ms_ssim_of_bytes_is_that_of_fractions_and_symmetric():
    a, b = (255 * smooth(2, 64, 0)).byte(), (255 * smooth(2, 64, 5)).byte()
    torch.testing.assert_close(ms_ssim(a, b), ms_ssim(a / 255, b / 255))
    torch.testing.assert_close(ms_ssim(a, b), ms_ssim(b, a))


def test_too_small_pictures_are_refused():
    with pytest.raises(UserError, match="at least 11 px, and these have 10"):
        ms_ssim(noise(1, 1, 10, 40), noise(1, 1, 10, 40))
    with pytest.raises(UserError, match="at least 2"):
        mean_ms_ssim(noise(1, 1, 16, 16))


def test_mean_over_all_pairs_where_there_are_few():
    pictures = smooth(4, 32, 0)
    by_hand = [float(ms_ssim(pictures[[i]], pictures[[j]])) for i in range(4) for j in range(i)]
    assert mean_ms_ssim(pictures) == pytest.approx(sum(by_hand) / 6, rel=3e-5)


def test_pairs_are_of_different_pictures_and_a_function_of_the_seed():
    pictures = smooth(16, 32, 0)
    some = mean_ms_ssim(pictures, pairs=40, seed=1)
    assert some < 0.99  # no picture beside itself
    assert some == mean_ms_ssim(pictures, pairs=40, seed=1)
    assert some != mean_ms_ssim(pictures, pairs=40, seed=2)
    assert some == pytest.approx(mean_ms_ssim(pictures), abs=0.05)


def test_a_constant_generator_is_caught():
    assert mean_ms_ssim(smooth(1, 32, 0).repeat(10, 1, 1, 1)) == pytest.approx(1, abs=1e-6)
    assert feature_diversity(normal(1, 64).repeat(10, 1)) == pytest.approx(0, abs=1e-6)


def test_mean_distance_by_hand():
    corners = torch.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    assert feature_diversity(corners) == pytest.approx((3 + 4 + 5) / 3)
    assert feature_diversity(corners + 1000) == pytest.approx(4)
    assert feature_diversity(2 * corners) == pytest.approx(8)


def test_mean_distance_of_normal_features():
    features = normal(3000, 32)
    expected = 2 * math.exp(math.lgamma(33 / 2) - math.lgamma(16))  # √2 times the mean of χ(32)
    assert feature_diversity(features) == pytest.approx(expected, rel=0.005)
    some = feature_diversity(features, limit=500, seed=3)
    assert some == pytest.approx(expected, rel=0.02)
    assert some == feature_diversity(features, limit=500, seed=3)


def test_groups_are_chains_of_near_rows():
    line = torch.tensor([[0.0], [50.0], [1.0], [99.0], [2.0], [50.5], [10.0]])
    groups = [group.tolist() for group in near_duplicates(line, 1.0)]
    assert groups == [[0, 2, 4], [1, 5]]  # 0 and 4 are 2 apart, joined by 2
    assert near_duplicates(line, 0.4) == []
    assert near_duplicates(line[:1], 1.0) == []


def test_equal_rows_are_one_group_even_without_a_threshold():
    points = 100 * normal(500, 64)
    points[37::2] = points[37]
    (group,) = near_duplicates(points, 0.0)
    assert group.tolist() == list(range(37, 500, 2))


def test_equal_pairs_are_found_without_a_threshold():
    points = 100 * normal(300, 64)
    groups = near_duplicates(torch.cat([points, points]), 0.0)
    assert sorted(group.tolist() for group in groups) == [[i, i + 300] for i in range(300)]


@pytest.mark.parametrize("chunk", [7, 1024])
def test_groups_are_the_connected_components(chunk: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("figment.metrics.diversity.CHUNK", chunk)
    points = normal(300, 2)
    joined = (torch.cdist(points, points) <= 0.12).float()
    for _ in range(9):
        joined = (joined @ joined > 0).float()  # chains of up to 512 steps
    expected = {tuple(row.nonzero()[:, 0].tolist()) for row in joined if row.sum() > 1}
    groups = [tuple(group.tolist()) for group in near_duplicates(points, 0.12)]
    assert set(groups) == expected and len(groups) == len(expected)
    assert [len(group) for group in groups] == sorted(map(len, groups), reverse=True)
    assert len(groups[0]) > 20 and len(groups) > 20


def test_the_threshold_is_a_quantile_of_nearest_distances():
    line = torch.arange(101.0).square()[:, None]  # nearest distances 1, 1, 3, 5, … 199
    assert look_alike_threshold(line, quantile=0.5) == pytest.approx(99)
    assert look_alike_threshold(line, quantile=0.0) == 1


def test_look_alikes_of_a_healthy_and_of_a_collapsed_generator():
    reals = normal(2000, 16)
    healthy = look_alikes(normal(3000, 16, seed=1), reals, quantile=0.01)
    assert healthy.count == 1000
    assert healthy.share == pytest.approx(0.01, abs=0.012)
    assert healthy.floor == pytest.approx(0.01, abs=0.012)
    centres = normal(3, 16, seed=2).repeat(400, 1)
    partly = torch.cat([centres + 1e-3 * normal(1200, 16, seed=3), normal(800, 16, seed=4)])
    found = look_alikes(partly, reals, quantile=0.01)
    assert [len(group) for group in found.groups[:3]] == [400, 400, 400]
    assert {int(row) % 3 for row in found.groups[0]} in ({0}, {1}, {2})
    assert found.share == pytest.approx(0.6, abs=0.05)
    assert found.floor == healthy.floor


def test_the_floor_is_of_reals_that_did_not_set_the_threshold():
    floors = [look_alikes(normal(5, 2), normal(10, 2), quantile=0, seed=s).floor for s in range(8)]
    assert 0 in floors  # the half with the nearest pair would never be without one


def test_look_alikes_need_a_yardstick():
    with pytest.raises(UserError, match="4 real"):
        look_alikes(normal(10, 2), normal(3, 2))


def test_equal_pictures_are_wholly_alike_and_count_as_such():
    one, other = torch.rand(2, 3, 32, 32)
    assert mean_ms_ssim(one.expand(5, 3, 32, 32)) == 1
    mixed = torch.stack([one, one, one, other])
    apart = float(ms_ssim(one[None], other[None]))
    assert mean_ms_ssim(mixed) == pytest.approx((3 + 3 * apart) / 6, abs=1e-6)
