"""Numbers of the paper that ours stand beside, each typed once.

M. Kowal, M. Siam, M. A. Islam, N. D. B. Bruce, R. P. Wildes, K. G. Derpanis: *Quantifying and
Learning Static vs. Dynamic Information in Deep Spatiotemporal Networks*, arXiv 2211.01783, the
extension of their CVPR 2022 paper. Figures are numbered as there.
"""

from __future__ import annotations

from typing import NamedTuple

SOURCE = "Kowal et al., arXiv 2211.01783"


class Shares(NamedTuple):
    """The shares of a last layer, in percent."""

    dynamic: float
    static: float


class Debiased(NamedTuple):
    """A network trained with some kind of dropout."""

    top1: float  # percent
    dynamic_units: float  # percent of the units of the last layer


# (training data, network) -> shares, measured on Stylized ActivityNet; fig. 7
TRAINING_DATA = {
    ("Kinetics-400", "SlowOnly"): Shares(21.4, 38.4),
    ("Kinetics-400", "FastOnly"): Shares(27.3, 30.9),
    ("Diving48", "SlowOnly"): Shares(23.1, 34.0),
    ("Diving48", "FastOnly"): Shares(23.8, 27.3),
    ("SSv2", "SlowOnly"): Shares(23.6, 32.6),
    ("SSv2", "FastOnly"): Shares(28.5, 23.0),
}

# (data, kind of dropout, its rate) -> a 3D-ResNet-50; fig. 14. The rate of standard dropout is not
# among the numbers that we know.
DROPOUT = {
    ("SSv2", "none", None): Debiased(54.18, 10.7),
    ("SSv2", "standard", None): Debiased(54.55, 18.2),
    ("SSv2", "static", 0.1): Debiased(55.19, 56.9),
    ("SSv2", "static", 0.3): Debiased(54.55, 53.6),
    ("SSv2", "static", 0.5): Debiased(54.01, 80.0),
    ("Something-Else", "none", None): Debiased(49.43, 4.6),
    ("Something-Else", "standard", None): Debiased(49.79, 17.5),
    ("Something-Else", "static", 0.1): Debiased(50.38, 34.2),
    ("Something-Else", "static", 0.3): Debiased(51.16, 45.1),
    ("Something-Else", "static", 0.5): Debiased(50.06, 51.4),
}
