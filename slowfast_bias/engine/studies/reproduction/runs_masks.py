"""The runs of networks of masks: on DAVIS and its kin, and their counterparts in the toy world.

Networks are the published ones if their files are there, all others are trained by the recipes of
`configs/DAVIS16`. All are measured on the validation list of DAVIS; those of MoCA are tested there
with the weights that DAVIS gave. In the toy world the data sets are three worlds: the object is
shown by its motion, by its colour, or there is one of each.
"""

from __future__ import annotations

from slowfast_bias.engine.studies.reproduction.planned import Keys, Planned

_MEASURED = ("train", "measure", "test")
_SHARES = ("BIAS.ABLATION.FRACTIONS", [0.0, 0.3, 0.4, 0.5, 0.6, 0.7])
_SILENCED: Keys = (
    ("BIAS.ABLATION.LAYERS", ["fuse2", "fuse3", "fuse4", "fuse5"]),
    ("BIAS.ABLATION.RANDOM_FROM", "least_biased"),
    ("BIAS.ABLATION.SEEDS", [0, 1, 2]),
    _SHARES,
)
_GATES = (("BIAS.SEGMENTATION.CROSSING", "both"), ("BIAS.SEGMENTATION.GATES", True))
# Suffix of a variant of MATNet -> its title behind "MATNet", and its keys.
VARIANTS: dict[str, tuple[str, Keys]] = {
    "": ("", ()),
    "_no_boundaries": (" without boundaries", (("BIAS.SEGMENTATION.BOUNDARIES", False),)),
    "_convex": (", convex fusion", (("BIAS.SEGMENTATION.FUSION", "convex"),)),
    "_both": (", both ways with gates", _GATES),
}

# -- data
_FILE = "latest_twostream_deeplabv3plus_resnet101_{}_os16.pth"
_FUSIONSEG = "configs/DAVIS16/FUSIONSEG.yaml"
_MATNET = "configs/DAVIS16/MATNET.yaml"
_RTNET = "configs/DAVIS16/RTNET_RX50.yaml"
_PLAIN = (("BIAS.MASKS.MIRROR", False), ("BIAS.MASKS.SAVE", False))  # as most published numbers
_FILES = {
    "davis_matnet": ("encoder_0.pt",),
    "davis_rtnet": ("model_RX50.pth",),
    "davis_fusionseg": (_FILE.format("davis"),),
}


def _trained_elsewhere(data: str, title: str, *files: str) -> tuple[Planned, ...]:
    """Returns FusionSeg trained on other data, and the same measured on DAVIS."""
    first = f"{data}_training"
    return (
        Planned(first, f"FusionSeg, training on {title}", _FUSIONSEG, (), ("train", "centre"), data,
                files),
        Planned(f"{data}_fusionseg", f"FusionSeg, {title}", _FUSIONSEG, (), ("measure", "test"),
                "davis", files, weights_of=first),
    )  # fmt: skip


def _matnet(suffix: str) -> Planned:
    """Returns a variant of MATNet, trained on DAVIS."""
    title, keys = VARIANTS[suffix]
    every = (("BIAS.PERIOD", 5),) if not suffix else ()
    return Planned(f"davis_matnet{suffix}", f"MATNet{title}", _MATNET, (*keys, *every), _MEASURED,
                   "davis", () if suffix else _FILES["davis_matnet"])  # fmt: skip


def _on_moca(of: str, title: str, config: str, keys: Keys = ()) -> Planned:
    """Returns a network of DAVIS, tested on MoCA; MATNet without units too."""
    silenced = of == "davis_matnet"
    steps = ("measure", "test", "ablate") if silenced else ("test",)
    return Planned(of.replace("davis", "moca"), f"{title}, on MoCA", config,
                   (*keys, *_PLAIN, *(_SILENCED if silenced else ())), steps, "moca",
                   _FILES.get(of, ()), weights_of=of)  # fmt: skip


DATA_RUNS = (
    Planned("davis_fusionseg", "FusionSeg, DAVIS", _FUSIONSEG, (), (*_MEASURED, "centre"), "davis",
            _FILES["davis_fusionseg"]),
    *_trained_elsewhere("youtube_vos", "YouTube-VOS"),
    *_trained_elsewhere("imagenet_vid", "ImageNet-VID", _FILE.format("imgnetvid")),
    *_trained_elsewhere("tao_vos", "TAO-VOS", _FILE.format("taovos")),
    *map(_matnet, VARIANTS),
    Planned("davis_rtnet", "RTNet", _RTNET, (), _MEASURED, "davis", _FILES["davis_rtnet"]),
    _on_moca("davis_fusionseg", "FusionSeg", _FUSIONSEG),
    *(_on_moca(f"davis_matnet{suffix}", f"MATNet{title}", _MATNET, keys)
      for suffix, (title, keys) in VARIANTS.items()),
    _on_moca("davis_rtnet", "RTNet", _RTNET),
)  # fmt: skip

# -- toy
WORLDS = ("camouflage", "appearance", "conflict")
_TOY: Keys = (
    ("BIAS.TOY.NUM_VAL", 512), ("LOG_PERIOD", 1000),
    # Fusions keep both streams side by side, used or not: the mask is made of the last of these.
    ("BIAS.LAYERS", ["auto", "decoder.RF2"]),
)  # fmt: skip
_BOTH_SHOW = "configs/Toy/SEG_conflict.yaml"


def _world(cue: str) -> Planned:
    """Returns the network of a world, with all that can be asked of it."""
    keys = (*_TOY, *_SILENCED, ("BIAS.PERIOD", 2), ("BIAS.TOY.NUM_TEST", 128))
    return Planned(f"seg_{cue}", f"MATNet, {cue}", f"configs/Toy/SEG_{cue}.yaml", keys,
                   (*_MEASURED, "ablate", "centre"))  # fmt: skip


def _variant(suffix: str) -> Planned:
    """Returns a variant of MATNet in the conflict world; here the plain one crosses, too."""
    title, keys = VARIANTS[suffix]
    keys = (("BIAS.SEGMENTATION.CROSSING", "up"), *keys)
    return Planned(f"seg_matnet{suffix or '_up'}", f"MATNet{title or ', crossing up'}", _BOTH_SHOW,
                   (*_TOY, *keys), _MEASURED)  # fmt: skip


TOY_RUNS = (
    *map(_world, WORLDS),
    Planned("seg_fusionseg", "FusionSeg, conflict", _BOTH_SHOW,
            (*_TOY[:-1], ("MODEL.ARCH", "fusionseg")), _MEASURED),
    *map(_variant, VARIANTS),
)  # fmt: skip
