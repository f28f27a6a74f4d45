"""Kinds of files of weights, by their content: a name such as .pkl says nothing.

A file that is no file of weights is refused with a sentence that says what it is.
"""

from __future__ import annotations

import zipfile
from typing import IO

from slowfast_bias.models.weights.errors import CheckpointError

TORCH_ZIP = "torch zip"  # torch.save since 1.6
TORCH_LEGACY = "torch legacy"  # torch.save before
PICKLE = "pickle"  # pickle.dump: Caffe2's files of SlowFast's model zoo among others
SAFETENSORS = "safetensors"
NPZ = "npz"  # arrays of numpy by name
INDEX = "index"  # text in JSON: the file that names the parts of another, or no file of weights

# pickle of the whole number that every legacy file of torch begins with, after a few bytes
_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"
_HEAD = 512
_OLD_PICKLES = (b"(dp", b"(lp", b"}q", b"]q", b"ccollections\n")  # protocols 0 and 1
_AGAIN = "Copy it again, or give another file."

# first bytes -> what such a file is, and what would do
_OTHERS = {
    b"\x1f\x8b": (
        "it is compressed by gzip (an archive .tar.gz, or a file .gz)",
        "Unpack it (tar -xzf, or gunzip) and give the file of weights that is in it.",
    ),
    b"BZh": ("it is compressed by bzip2", "Unpack it and give the file of weights that is in it."),
    b"\xfd7zXZ": ("it is compressed by xz", "Unpack it and give the file of weights in it."),
    b"\x28\xb5\x2f\xfd": ("it is compressed by zstd", "Unpack it and give the file that is in it."),
    b"version https://git-lfs": (
        "it is a pointer of Git LFS, which stands for the file",
        "Fetch the file itself: run `git lfs pull` in its repository.",
    ),
    b"\x89HDF": (
        "it is an HDF5 file, as Keras and Matlab write",
        "Give a PyTorch file (.pth, .pyth, .safetensors).",
    ),
    b"\x93NUMPY": (
        "it is one numpy array (.npy)",
        "Save all arrays by name: torch.save({name: torch.from_numpy(array), ...}, FILE).",
    ),
}


def kind_of(file: IO[bytes], path: str) -> str:
    """Returns the kind of an open file and leaves it at its beginning.

    Raises CheckpointError with a sentence of its own for each kind of file that holds no weights,
    that would have to run code, or of which only a part is there.
    """
    head = file.read(_HEAD)
    file.seek(0)
    if not head:
        raise _refusal(path, "it is an empty file (cut short to nothing)", _AGAIN)
    for start, (what, do) in _OTHERS.items():
        if head.startswith(start):
            raise _refusal(path, what, do)
    if head[257:262] == b"ustar":
        raise _refusal(
            path, "it is a tar archive", "Unpack it (tar -xf) and give the file of weights in it."
        )
    if head.startswith(b"PK"):
        return _kind_of_zip(file, path)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32:
        return SAFETENSORS
    if head.startswith(b"\x80") and len(head) > 1 and head[1] <= 5:
        return TORCH_LEGACY if _MAGIC in head[:32] else PICKLE
    if head.startswith(_OLD_PICKLES):
        return PICKLE
    return _kind_of_text(head, path)


def _kind_of_zip(file: IO[bytes], path: str) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:  # its table of contents is at its end
        raise half(path, "the end of it is missing") from error
    finally:
        file.seek(0)
    ends = [name.partition("/")[2] for name in names]
    if "constants.pkl" in ends or any(end.startswith("code/") for end in ends):
        raise _refusal(
            path,
            "it is a TorchScript file, a program that is run when it is loaded",
            "Save its weights alone, where you trust it: torch.save(torch.jit.load(FILE)"
            ".state_dict(), NEW_FILE).",
        )
    if "data.pkl" in ends or "data.pkl" in names:
        return TORCH_ZIP
    if names and all(name.endswith(".npy") for name in names):
        return NPZ
    raise _refusal(
        path,
        f"it is a zip archive of other files ({', '.join(names[:3]) or 'none'})",
        "Unpack it and give the file of weights that is in it.",
    )


def _kind_of_text(head: bytes, path: str) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<"):
        raise _refusal(
            path,
            "it is a page of the web (HTML), which was saved in place of the download",
            "Download the file itself: open the link in a browser, or ask for the raw file.",
        )
    if text.startswith((b"{", b"[")):
        return INDEX
    raise _refusal(
        path,
        f"it cannot be read (cut short, or not a PyTorch file: it begins with {head[:16]!r})",
        _AGAIN,
    )


def half(path: str, what: str) -> CheckpointError:
    """Returns the error about a file of which only a part is there."""
    return _refusal(path, f"it is half a file (cut short, or damaged): {what}", _AGAIN)


def _refusal(path: str, what: str, do: str) -> CheckpointError:
    return CheckpointError(f"Expected {path} to be a file of weights, but {what}. {do}")
