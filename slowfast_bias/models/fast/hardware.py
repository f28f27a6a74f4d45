"""What a device can do: whether bfloat16 pays there, and whether networks can be compiled."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import torch

_UNITS = ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16")  # of x86 and Arm
_COMPILERS = ("g++", "clang++", "c++")


def why_no_bf16(device: str) -> str:
    """Returns why bfloat16 is slower than float32 on a device ("cpu", "cuda"); "" if it is not."""
    if device == "cuda":
        able = torch.cuda.is_bf16_supported(including_emulation=False)
        return "" if able else "this GPU has no bfloat16 arithmetic and only imitates it"
    if device != "cpu" or any(unit in _cpu_units() for unit in _UNITS):
        return ""
    return f"this CPU has none of the instructions {', '.join(_UNITS[:3])} and only imitates them"


def _cpu_units() -> set[str]:
    """Returns the instructions of the CPU, by torch or, if it does not say, by Linux."""
    ask = getattr(torch.cpu, "get_capabilities", None)
    if ask is not None:
        return {name for name, has in ask().items() if has is True}
    info = Path("/proc/cpuinfo")
    return set(info.read_text().split()) if info.is_file() else set()


def why_no_compiler(device: str) -> str:
    """Returns why `torch.compile` cannot work for a device; "" if nothing speaks against it."""
    if sys.platform == "win32":
        return "torch.compile needs Linux or macOS here"
    if device == "cuda":
        has_triton = importlib.util.find_spec("triton") is not None
        return "" if has_triton else "torch.compile needs the package triton for a GPU"
    wanted = [os.environ["CXX"]] if os.environ.get("CXX") else list(_COMPILERS)
    if any(shutil.which(name) for name in wanted):
        return ""
    return f"torch.compile needs a C++ compiler, and {', '.join(wanted)} is not on this machine"
