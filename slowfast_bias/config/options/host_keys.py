"""What keys of the host may be; their defaults and, but for two, meanings are the host's."""

from __future__ import annotations

from slowfast_bias.config.options.option import Option

_WEIGHT_FILES = ("pytorch", "caffe2")
_HINT = "Not needed: what a file of weights is follows from its content. Either value is valid."

OPTIONS = (
    Option("TRAIN.CHECKPOINT_TYPE", doc=_HINT, choices=_WEIGHT_FILES),
    Option("TEST.CHECKPOINT_TYPE", doc=_HINT, choices=_WEIGHT_FILES),
    Option("BN.NORM_TYPE", choices=("batchnorm", "sync_batchnorm")),
    Option("SOLVER.LR_POLICY", choices=("cosine", "steps_with_relative_lrs", "poly")),
    Option("SOLVER.OPTIMIZING_METHOD", choices=("sgd", "adam", "adamw")),
    Option("MODEL.LOSS_FUNC", choices=("cross_entropy", "soft_cross_entropy")),
    Option("BN.NUM_BATCHES_PRECISE", low=1),
    Option("DATA.NUM_FRAMES", low=1),
    Option("DATA.SAMPLING_RATE", low=1),
    Option("DATA.TEST_CROP_SIZE", low=1),
    Option("DATA.TRAIN_CROP_SIZE", low=1),
    Option("DATA_LOADER.NUM_WORKERS", low=0),
    Option("LOG_PERIOD", low=1),
    Option("MODEL.DROPOUT_RATE", low=0, high=1),
    Option("MODEL.NUM_CLASSES", low=1),
    Option("NUM_GPUS", low=0),
    Option("NUM_SHARDS", low=1),
    Option("RESNET.WIDTH_PER_GROUP", low=1),
    Option("SLOWFAST.ALPHA", low=1),
    Option("SLOWFAST.BETA_INV", low=1),
    Option("SOLVER.BASE_LR", low=0),
    Option("SOLVER.CLIP_GRAD_L2NORM", low=0),
    Option("SOLVER.CLIP_GRAD_VAL", low=0),
    Option("SOLVER.DAMPENING", low=0),
    Option("SOLVER.MAX_EPOCH", low=1),
    Option("SOLVER.MOMENTUM", low=0),
    Option("SOLVER.WARMUP_EPOCHS", low=0),
    Option("SOLVER.WEIGHT_DECAY", low=0),
    Option("TEST.BATCH_SIZE", low=1),
    Option("TEST.NUM_ENSEMBLE_VIEWS", low=1),
    Option("TEST.NUM_SPATIAL_CROPS", low=1),
    Option("TRAIN.BATCH_SIZE", low=1),
    Option("TRAIN.CHECKPOINT_PERIOD", low=1),
    Option("TRAIN.EVAL_PERIOD", low=1),
)
