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


# -- video object segmentation

# (training data, fusion layer) -> shares of FusionSeg; table 1
FUSIONSEG = {
    ("DAVIS", 5): Shares(27.8, 30.1),
    ("DAVIS", 2): Shares(34.0, 25.9),
    ("YouTube-VOS", 5): Shares(25.2, 34.2),
    ("YouTube-VOS", 2): Shares(33.5, 24.9),
    ("ImageNet-VID", 5): Shares(26.4, 33.1),
    ("ImageNet-VID", 2): Shares(33.0, 24.6),
    ("TAO-VOS", 5): Shares(26.4, 25.8),
    ("TAO-VOS", 2): Shares(33.7, 23.2),
}


class UnitKinds(NamedTuple):
    """Units of a layer in percent, read off the authors' figures to half a point or so."""

    dynamic: float
    static: float
    joint: float
    residual: float


# (training data, fusion layer) -> units of FusionSeg
FUSIONSEG_UNITS = {
    ("DAVIS", 5): UnitKinds(8.6, 17.2, 73.6, 0.6),
    ("DAVIS", 2): UnitKinds(32.3, 12.1, 54.5, 1.1),
    ("ImageNet-VID", 5): UnitKinds(0.7, 20.8, 78.4, 0.0),
    ("ImageNet-VID", 2): UnitKinds(60.1, 8.3, 30.5, 1.1),
    ("TAO-VOS", 5): UnitKinds(49.6, 18.6, 22.0, 9.8),
    ("TAO-VOS", 2): UnitKinds(70.7, 3.4, 24.0, 1.9),
}

# network -> units of fusion 5; fig. 15, upper part. RTNet's was measured five clips at a time, by
# code that then mixes frames of different clips.
FUSION5_UNITS = {
    "FusionSeg": UnitKinds(8.7, 17.1, 73.6, 0.6),
    "RTNet": UnitKinds(0.2, 1.2, 98.6, 0.0),
    "MATNet, its authors' file": UnitKinds(37.5, 48.1, 14.4, 0.0),
    "MATNet": UnitKinds(37.5, 44.5, 18.0, 0.0),
    "MATNet without boundaries": UnitKinds(40.0, 45.6, 14.4, 0.0),
    "MATNet without YouTube-VOS": UnitKinds(49.6, 45.4, 5.0, 0.0),
    "MATNet, both ways with gates": UnitKinds(32.9, 47.0, 20.1, 0.0),
}


class Camouflaged(NamedTuple):
    """Figures of MoCA in percent, masks cut at .2."""

    overlap: float  # mIoU
    success: tuple[float, float, float, float, float]  # at .5 to .9
    mirror: bool = False


# network -> figures of MoCA; fig. 15, lower part
MOCA = {
    "FusionSeg": Camouflaged(42.3, (47.9, 43.6, 35.9, 24.2, 9.4)),
    "RTNet": Camouflaged(60.7, (67.9, 62.4, 53.6, 43.4, 23.9)),
    "MATNet": Camouflaged(67.3, (75.9, 70.8, 61.9, 48.6, 26.0)),
    "MATNet without boundaries": Camouflaged(65.1, (73.6, 68.0, 58.9, 44.7, 21.5)),
    "MATNet without YouTube-VOS": Camouflaged(54.7, (59.9, 53.5, 44.0, 31.0, 13.4)),
    "MATNet, mirrored": Camouflaged(68.5, (77.3, 72.2, 63.5, 50.6, 27.0), True),
    "MATNet, both ways with gates": Camouflaged(70.6, (81.2, 75.5, 65.0, 48.1, 23.0), True),
}


class Silenced(NamedTuple):
    """mIoU of MoCA without a share of a fusion layer; fig. 11, lower part, read off it."""

    random: float
    dynamic: float
    static: float


# (fusion layer of MATNet, silenced units in percent) -> what is left of WHOLE. Which of the two
# factors has which colour is taken from the text.
WHOLE = 66.9
SILENCED = {
    (2, 40): Silenced(61.7, 58.8, 61.1),
    (2, 50): Silenced(61.0, 57.3, 57.3),
    (2, 60): Silenced(60.7, 56.4, 56.4),
    (2, 70): Silenced(58.6, 56.1, 56.5),
    (3, 40): Silenced(62.0, 62.0, 55.6),
    (3, 50): Silenced(62.0, 62.0, 50.8),
    (3, 60): Silenced(62.0, 61.5, 51.4),
    (3, 70): Silenced(61.0, 60.0, 50.8),
    (4, 30): Silenced(61.0, 53.0, 22.0),
    (4, 40): Silenced(59.0, 52.0, 2.0),
    (4, 50): Silenced(53.0, 49.0, 0.0),
    (4, 60): Silenced(46.0, 31.0, 0.0),
    (4, 70): Silenced(49.0, 3.0, 0.0),
    (5, 40): Silenced(61.0, 60.0, 56.0),
    (5, 50): Silenced(60.0, 59.0, 56.5),
    (5, 60): Silenced(60.5, 58.0, 55.0),
    (5, 70): Silenced(60.0, 56.0, 55.0),
}
