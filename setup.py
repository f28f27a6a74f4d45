"""Packaging; the YAML configs travel inside the wheel as ``slowfast_bias/configs``."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
VERSION = next(
    line.split('"')[1]
    for line in (HERE / "slowfast_bias" / "__init__.py").read_text().splitlines()
    if line.startswith("__version__")
)

setup(
    name="slowfast_bias",
    version=VERSION,
    description="Measure and reduce the static bias of video networks: a PySlowFast extension.",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=[
        *find_packages(include=["slowfast_bias", "slowfast_bias.*"]),
        "slowfast_bias.configs",
    ],
    package_dir={"slowfast_bias.configs": "configs"},
    package_data={
        "slowfast_bias.configs": ["*.yaml", "*/*.yaml"],
        "slowfast_bias.visualization.html": ["templates/*"],
    },
    install_requires=[
        "torch>=2.4",
        "pyslowfast==1.0",
        "fvcore",
        "iopath",
        "simplejson",
        "numpy",
        "av>=17",  # finds cut AVI files; older ones do not
        "opencv-python-headless",  # the hosts import cv2
        "matplotlib",
        "pillow",  # masks, film strips; matplotlib brings it
        "jinja2",  # the page; torch brings it
        "tabulate",
        "tqdm",
    ],
    extras_require={
        "main": ["scipy", "pandas", "psutil", "scikit-learn"],  # what GitHub main imports
        "hf": ["transformers>=5.18", "safetensors"],  # older ones lose biases of VideoMAE
        "slurm": ["submitit"],
        "tensorboard": ["tensorboard"],
        "torchcodec": ["torchcodec"],
        "test": ["pytest>=9", "pytest-xdist", "scipy", "hypothesis"],
        "browser": ["selenium"],  # tests of the page in a Chromium
        "lint": ["ruff"],
    },
    entry_points={"console_scripts": ["slowfast_bias=slowfast_bias.cli:main"]},
    classifiers=[
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
