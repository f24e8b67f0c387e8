"""The Dirac GAN of Mescheder et al. 2018: two numbers at play, and what R1 does to them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from figment.objectives.adversarial import OBJECTIVES
from figment.penalties import r1


def dirac_field(theta: Tensor, psi: Tensor, gamma: float) -> tuple[Tensor, Tensor]:
    """The players' gradients: data at 0, a fake at theta, C(x) = -psi x; Mescheder et al. 2018, 2.

    psi as in the paper, whose discriminator is positive on fakes. Its game is zero-sum: minimax.
    """
    game, real, fake = OBJECTIVES["minimax"], torch.zeros(1, dtype=torch.float64), theta[None]
    loss = game.discriminator(-psi * real, -psi * fake)
    loss = loss + gamma * r1(lambda x: -psi * x.squeeze(1), real[:, None])
    (for_psi,) = torch.autograd.grad(loss.sum(), psi, create_graph=True)
    against = game.generator(-psi * real, -psi * fake)
    (for_theta,) = torch.autograd.grad(against.sum(), theta, create_graph=True)
    return for_theta, for_psi


@pytest.mark.parametrize(
    ("gamma", "norm"), [(0.0, 1.7670), (0.5, 0.006707), (1.0, 0.000442), (2.0, 0.0700)]
)
def test_dirac_gan_after_200_simultaneous_steps(gamma, norm):
    here = torch.ones(2, dtype=torch.float64)
    for _ in range(200):
        theta, psi = here.clone().requires_grad_().unbind()
        here = here - 0.1 * torch.stack(dirac_field(theta, psi, gamma)).detach()
    assert here.norm().item() == pytest.approx(norm, rel=1e-3)


@pytest.mark.parametrize(
    ("gamma", "eigenvalues"),
    [
        (0.0, [-0.5j, 0.5j]),
        (0.5, [-0.25 - 0.4330j, -0.25 + 0.4330j]),
        (1.0, [-0.5, -0.5]),
        (2.0, [-1.8660, -0.1340]),
    ],
)
def test_dirac_gan_eigenvalues_at_the_equilibrium(gamma, eigenvalues):
    theta, psi = (torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in "tp")
    rows = [
        torch.autograd.grad(-part, (theta, psi), retain_graph=True, materialize_grads=True)
        for part in dirac_field(theta, psi, gamma)
    ]
    jacobian = torch.stack([torch.stack(row) for row in rows])
    found = sorted(torch.linalg.eigvals(jacobian).tolist(), key=lambda z: (z.real, z.imag))
    for one, other in zip(found, eigenvalues, strict=True):
        assert abs(one - other) < 1e-4
