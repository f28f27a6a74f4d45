"""Checks of what shall make a measurement faster, on the device that it runs on."""

from __future__ import annotations

from collections.abc import Iterator

from fvcore.common.config import CfgNode

from slowfast_bias.models.fast import why_no_bf16, why_no_compiler, why_no_tensor_float

FORCED = "bf16!"  # bf16 although it is slower: asked for twice
HALF = ("bf16", FORCED)
TENSOR_FLOAT = "tf32"


def speed(cfg: CfgNode, device: str) -> Iterator[str]:
    """Yields what of BIAS.PRECISION and BIAS.COMPILE cannot be, or does not pay, on a device.

    Args:
        cfg: the config.
        device: "cpu" or "cuda".
    """
    if cfg.BIAS.PRECISION == "bf16" and (why := why_no_bf16(device)):
        yield (
            f"BIAS.PRECISION bf16: {why}, many times slower than fp32; set it to fp32, or to "
            f"{FORCED} to have it all the same"
        )
    if cfg.BIAS.PRECISION == TENSOR_FLOAT and (why := why_no_tensor_float(device)):
        yield f"BIAS.PRECISION {TENSOR_FLOAT}: {why}; set it to fp32"
    if cfg.BIAS.COMPILE and (why := why_no_compiler(device)):
        yield f"BIAS.COMPILE True: {why}; set it to False"
