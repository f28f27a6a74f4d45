"""Keys of the measurement, of its styles, and of tests with changed frames or networks."""

from __future__ import annotations

from slowfast_bias.config.options.option import Option

OPTIONS = (
    Option("BIAS.ENABLE", False,
           "Measure static and dynamic bias: after training, or alone on a checkpoint."),
    Option("BIAS.TASK", "classification",
           "What is learnt and scored: classification (of a clip) or segmentation (of a frame)."),
    Option("BIAS.PERIOD", 0,
           "Epochs between measurements during training. The last epoch is always measured when "
           "BIAS.ENABLE; 0 means the last one only.", low=0),
    Option("BIAS.LAYERS", ["auto"], texts=True, doc=
           "Modules by their named_modules() name, or patterns such as s* (* is anything but a "
           "dot, ** anything). auto: every stage or block, each pathway of it, and "
           "what the classifier gets (head)."),
    Option("BIAS.PAIRS", "auto",
           "The maker of pairs, by name. auto: static_dynamic, or static_dynamic_folders when "
           "BIAS.STYLES.SOURCE is folders; flow_jitter for BIAS.TASK segmentation, which has "
           "flow_swap too."),
    Option("BIAS.SPLIT", "val", "The list of the data set that is measured.",
           choices=("val", "test")),
    Option("BIAS.NUM_VIDEOS", 0,
           "Videos measured, spread evenly over the list; 0 for all of it. Below 500 the unit "
           "counts are biased and the report says so.", low=0),
    Option("BIAS.THRESHOLD", 0.5,
           "A unit encodes a factor when its correlation exceeds this.", low=-1, high=1),
    Option("BIAS.STATISTIC", "pearson",
           "The statistic that score and percent of the table use: pearson (the paper's text) or "
           "pooled (the CVPR code). The JSON report holds both.", choices=("pearson", "pooled")),
    Option("BIAS.SEED", 0,
           "Decides frame orders and pairs of styles, together with the video's index; nothing "
           "else does."),
    Option("BIAS.BATCH_SIZE", 0,
           "Videos a step over all processes of a machine; 0 for TEST.BATCH_SIZE. It does not "
           "change the numbers.", low=0),
    Option("BIAS.ORDER", "clip",
           "Frame order of the shuffled view: clip (one for all pathways) or pathway (one each, as "
           "the CVPR code does).", choices=("clip", "pathway")),
    Option("BIAS.EFFECT", False,
           "Also show the other style in the shuffled order, a fourth view: how much of a unit the "
           "order of frames changes, and whether in the same way in both looks."),
    Option("BIAS.PRECISION", "fp32",
           "Arithmetic of the forward passes: fp32 (on a GPU too, where torch itself would round "
           "to tf32), tf32 (a GPU's: faster, features to about 1e-3), or bf16 (faster, features to "
           "about 3e-3). What the hardware lacks is refused; bf16! computes in bf16 although it is "
           "many times slower. Statistics are float64 always.",
           choices=("fp32", "tf32", "bf16", "bf16!")),
    Option("BIAS.FOLD_BATCHNORM", True,
           "Measure a copy whose batch norms are folded into the convolutions before them and that "
           "lacks pools of one value: the same numbers but for rounding, compared on the first "
           "batch. The copy takes the memory of the weights once more."),
    Option("BIAS.CHANNELS_LAST", "auto",
           "Measure a copy whose tensors have channels last in memory, compared on the first "
           "batch. auto: where that is faster, for networks of convolutions over time and space in "
           "fp32 on a CPU.", choices=("auto", "always", "never")),
    Option("BIAS.COMPILE", False,
           "Measure a copy compiled by torch.compile, compared on the first batch: a minute or "
           "more of compiling, which only long lists of videos earn back."),
    Option("BIAS.REUSE_PREFIX", True,
           "Reuse, for the shuffled view, the stages that see one frame at a time: same numbers, "
           "less work."),
    Option("BIAS.BASELINE", False,
           "Also measure the same network with its initial random weights, from the same views: a "
           "reference in table and figure. The command `measure` does unless --no-baseline is "
           "given; training's own measurements never do."),
    Option("BIAS.TWINS", [], texts=True, doc=
           "Files of other weights of the same network, measured from the same views: epochs of a "
           "run, seeds, a network trained against bias. One reading of the videos for all. Their "
           "reports are bias/twin_NAME.json; `compare` pairs them with the network's own. "
           "Training's own measurements leave them out."),
    Option("BIAS.TOP_CLIPS", 0,
           "Clips shown of either end of a unit: those that drive it most and those that drive it "
           "least, of the trained network, as film strips beside bias/top_clips.json; 0: none. No "
           "second pass of the network: what is shown is decoded twice, 200 clips at most.",
           low=0, high=100),
    Option("BIAS.TOP_UNITS", 3,
           "Units of each layer and kind (static, dynamic, joint, residual) whose clips are shown: "
           "those with most look-only, motion-only, content, and least of both factors.", low=1),
    Option("BIAS.ALLOW_PARTIAL_WEIGHTS", False,
           "Accept a checkpoint that lacks some of the network's weights or has others."),
    Option("BIAS.STYLES.SOURCE", "generated",
           "The looks between which a dynamic pair changes: generated on the fly, or folders of "
           "styled frames.", choices=("generated", "folders")),
    Option("BIAS.STYLES.FAMILY", "colour",
           "Kind of generated styles: colour (cleanest), randconv (stronger: textures too), or "
           "grade (mild: networks trained on real videos still recognise about half).",
           choices=("colour", "randconv", "grade")),
    Option("BIAS.STYLES.NUM", 4, "Number of generated styles.", low=2),
    Option("BIAS.STYLES.SEED", 0, "Seed of the bank of generated styles."),
    Option("BIAS.STYLES.DIRS", [], texts=True, doc=
           "For SOURCE folders: one folder per style, two or more: STYLE/VIDEO/frame_00001.jpg (or "
           "000001.png, or STYLE/VIDEO.mp4), each video under the same name in all."),
    Option("BIAS.STYLES.LIST", "",
           "File with the names of the videos to measure, one a row; empty: all that every style "
           "has."),
    Option("BIAS.SHUFFLE.TRAIN", False,
           "Train on clips with their frames in random order, new orders in every epoch."),
    Option("BIAS.SHUFFLE.VAL", False, "Validate on clips with their frames in random order."),
    Option("BIAS.SHUFFLE.TEST", False,
           "Test with frames ordered, shuffled, reversed and frozen."),
    Option("BIAS.SHUFFLE.ORDERS", 3, "Random orders that this test averages over.", low=1),
    Option("BIAS.ABLATION.ENABLE", False,
           "Silence units of a layer at inference and test without them."),
    Option("BIAS.ABLATION.LAYER", "s5", "The layer, as reports name it."),
    Option("BIAS.ABLATION.LAYERS", [], texts=True, doc=
           "Several layers in place of LAYER, each with curves of its own, by name or by a pattern "
           "such as fuse*."),
    Option("BIAS.ABLATION.FACTORS", ["static", "dynamic", "random"],
           "Which units go first: static, dynamic, random."),
    Option("BIAS.ABLATION.FRACTIONS", [0.0, 0.1, 0.2, 0.4],
           "Shares of the layer's units that are silenced, from 0 to 1."),
    Option("BIAS.ABLATION.SEEDS", [0, 1, 2], "Seeds of the random order."),
    Option("BIAS.ABLATION.RANDOM_FROM", "all",
           "What random units are drawn from: all of the layer, or least_biased, the paper's for "
           "masks: to silence a share of x, those x + 5 % that are least biased to the factor, "
           "static or dynamic, that the layer has the larger share of.",
           choices=("all", "least_biased")),
)  # fmt: skip
