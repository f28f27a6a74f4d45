"""The BIAS node: every key with its default, its meaning, its unit and its range."""

from __future__ import annotations

from fvcore.common.config import CfgNode

from slowfast_bias import host


def get_cfg() -> CfgNode:
    """The host's default config with the BIAS node in it."""
    cfg = host.get_cfg()
    add_bias_config(cfg)
    return cfg


def add_bias_config(cfg: CfgNode) -> None:
    """Adds the BIAS node with its defaults to a host's config, in place."""
    cfg.BIAS = bias = CfgNode()

    # Measure static and dynamic bias: after training, or alone on a checkpoint.
    bias.ENABLE = False
    # Epochs between measurements during training, >= 0; the last epoch is always measured when
    # BIAS.ENABLE, and 0 means the last one only.
    bias.PERIOD = 0
    # Modules by their named_modules() name; "auto": every stage or block, each pathway of it, and
    # what the classifier sees ("head").
    bias.LAYERS = ["auto"]
    # List of the data set that is measured: "val" or "test".
    bias.SPLIT = "val"
    # Videos measured, spread evenly over the list; 0 for all of it. Below 500 the unit counts are
    # biased and the report says so.
    bias.NUM_VIDEOS = 0
    # A unit encodes a factor when its correlation exceeds this; in (-1, 1).
    bias.THRESHOLD = 0.5
    # Statistic that score and percent of the table use: "pearson" (the paper's text) or "pooled"
    # (the CVPR code). The JSON report holds both.
    bias.STATISTIC = "pearson"
    # Decides frame orders; together with the video's index, nothing else does.
    bias.SEED = 0
    # Videos a step over all processes of a machine, >= 1; 0 for TEST.BATCH_SIZE. It does not
    # change the numbers.
    bias.BATCH_SIZE = 0
    # Frame order of the shuffled view: "clip" (one for all pathways) or "pathway" (one each, as
    # the CVPR code does).
    bias.ORDER = "clip"
    # Arithmetic of the forward passes: "fp32" or "bf16" (faster, features to about 3e-3);
    # statistics are float64 always.
    bias.PRECISION = "fp32"
    # Reuse, for the shuffled view, the stages that see one frame at a time: same numbers, less
    # work.
    bias.REUSE_PREFIX = True
    # Also measure the same network with its initial random weights, as a baseline row.
    bias.BASELINE = False
    # Accept a checkpoint that lacks some of the network's weights or has others in their place.
    bias.ALLOW_PARTIAL_WEIGHTS = False

    # The looks between which a dynamic pair changes.
    bias.STYLES = CfgNode()
    # "generated" on the fly, or "folders" of styled frames.
    bias.STYLES.SOURCE = "generated"
    # Generated family: "colour" (cleanest) or "randconv" (stronger).
    bias.STYLES.FAMILY = "colour"
    # Number of styles, >= 2.
    bias.STYLES.NUM = 4
    # Seed of the bank of styles.
    bias.STYLES.SEED = 0
    # One folder per style, >= 2 of them, for SOURCE "folders": STYLE/VIDEO/frame_00001.jpg (or
    # 000001.png, or STYLE/VIDEO.mp4), each video under the same name in all.
    bias.STYLES.DIRS = []
    # File with the names of the videos to measure, one a row; "": all that every style has.
    bias.STYLES.LIST = ""

    # StaticDropout: drop the most static channels before the classifier more often.
    bias.STATIC_DROPOUT = drop = CfgNode()
    drop.ENABLE = False
    # "static" (StaticDropout), or a baseline in its place: "standard" (uniform, same rate), "none".
    # Whichever it is takes the place of MODEL.DROPOUT_RATE.
    drop.KIND = "static"
    # Share of channels dropped, in (0, 1).
    drop.RATE = 0.3
    # Iterations between estimates of the static scores, >= 1.
    drop.PERIOD = 30
    # Softmax temperature of eq. (4), > 0; 1.0 is the paper's.
    drop.TEMPERATURE = 1.0
    # One draw per "sample" or per "batch".
    drop.MASK = "sample"
    # Share of the previous estimate kept at each new one, in [0, 1).
    drop.EMA = 0.0
    # Epochs after SOLVER.MAX_EPOCH without any dropout, >= 0.
    drop.FINETUNE_EPOCHS = 0
    # Learning rate of those epochs.
    drop.FINETUNE_LR = 1e-5

    # Shuffled-frame baselines: which splits are seen with their frames in random order (TRAIN: new
    # orders in every epoch; TEST: beside the ordered clips, in run_net's test).
    bias.SHUFFLE = CfgNode()
    bias.SHUFFLE.TRAIN = False
    bias.SHUFFLE.VAL = False
    bias.SHUFFLE.TEST = False
    # Random orders that the test averages over, >= 1; reversed and frozen clips are tested too.
    bias.SHUFFLE.ORDERS = 3

    # Silence units of a layer at inference and watch the accuracy.
    bias.ABLATION = CfgNode()
    bias.ABLATION.ENABLE = False
    bias.ABLATION.LAYER = "s5"
    # Which units go first: "static", "dynamic", "random".
    bias.ABLATION.FACTORS = ["static", "dynamic", "random"]
    # Shares of the layer's units that are silenced, in [0, 1].
    bias.ABLATION.FRACTIONS = [0.0, 0.1, 0.2, 0.4]
    # Seeds of the random order.
    bias.ABLATION.SEEDS = [0, 1, 2]

    # Videos (TRAIN.DATASET and TEST.DATASET "videos"): lists of real videos.
    bias.DATA = data = CfgNode()
    # How the lists in DATA.PATH_TO_DATA_DIR are written: "csv" (`path label` a row), "kinetics",
    # "ssv2", "something_else", "diving48", "activitynet", "ucf101", "hmdb51", "folders".
    data.FORMAT = "csv"
    # Names of the lists of train, val and test; [] for those that their publisher gave.
    data.LISTS = []
    # Frames of a clip: "window" (DATA.SAMPLING_RATE apart) or "segments" (one of each of
    # DATA.NUM_FRAMES even parts of the video, as SlowFast main does for SSv2).
    data.SAMPLING = "window"
    # In a window: "host" (from its first to its last frame: 8 frames at rate 8 come 9 apart, as the
    # model zoo was trained) or "exact" (DATA.SAMPLING_RATE apart).
    data.STRIDE = "host"
    # A video shorter than the window: "clamp" (its last frame stays, as SlowFast) or "loop".
    data.SHORT = "clamp"
    # "pyav" or "torchcodec"; one for a whole study, as decoders round colours differently.
    data.DECODER = "pyav"
    # Frames per second of folders of pictures, > 0.
    data.FOLDER_FPS = 30.0
    # The val list shows the middle of each video, in time and space; False: a random view, as
    # SlowFast, the same one in every epoch.
    data.VAL_CENTRAL = True
    # Training stops when a larger share of its list cannot be read, in [0, 1].
    data.MAX_BAD_SHARE = 0.01

    # Toyvideos: clips rendered on the fly from (seed, index).
    bias.TOY = toy = CfgNode()
    # What moves how: "orbit4", "orbit2", "osc3" or "ramp2".
    toy.MOTION = "orbit4"
    # What the label is: "static" (texture), "dynamic" (motion), "both", "correlated".
    toy.LABELS = "dynamic"
    # How often texture agrees with motion when LABELS is "correlated", in [0, 1].
    toy.RHO = 1.0
    # Texture and motion always disagree in the val and test lists.
    toy.CUE_CONFLICT = False
    # Seed of the world.
    toy.SEED = 0
    # Clips in the lists.
    toy.NUM_TRAIN = 256
    toy.NUM_VAL = 128
    toy.NUM_TEST = 128
