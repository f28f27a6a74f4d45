"""Keys of the behavioural battery: what a network still knows of changed clips."""

from __future__ import annotations

from slowfast_bias.config.options.option import Option

OPTIONS = (
    Option("BIAS.BEHAVIOUR.ENABLE", False,
           "Test with changed clips, all from one decode: frames shuffled (also within windows), "
           "reversed, frozen, a few of them; other looks; and how far outputs move. Of masks: "
           "image or flow of another sequence, at rest or grey, and which of the two they follow."),
    Option("BIAS.BEHAVIOUR.K_FRAMES", ["auto"],
           "Numbers of different frames that clips are reduced to, evenly spread and each held in "
           "its turn. auto: 1, 2, 4 and so on below DATA.NUM_FRAMES; []: none."),
    Option("BIAS.BEHAVIOUR.WINDOWS", [2, 4],
           "Lengths of windows within which frames are shuffled; []: none."),
    Option("BIAS.BEHAVIOUR.SINGLE_FRAMES", 8,
           "Single frames, evenly spread, that best_frame tries: a video counts if any of them is "
           "enough, an upper bound. 0: all of DATA.NUM_FRAMES; 1: the middle one alone.", low=0),
    Option("BIAS.BEHAVIOUR.STYLES", True,
           "Also show the clips in each look of the bank of BIAS.STYLES; folders of styled videos "
           "are left out."),
    Option("BIAS.BEHAVIOUR.PARTNERS", "",
           "File of classes that change into each other when a video is reversed: `class,partner` "
           "(or a tab) a row, by name or number, # begins a comment. A row counts both ways."),
    Option("BIAS.BEHAVIOUR.LISTS", [], texts=True, doc=
           "Parts of the test list to give accuracies of: k400_temporal, k400_static, "
           "ssv1_temporal, ssv1_static (Only Time Can Tell), files with a class a row, JSON files "
           "{split: [video, ...]} (UTD), or csv files label,youtube_id,time_start,time_end "
           "(Mimetics)."),
    Option("BIAS.BEHAVIOUR.ALLOW_MISSING", False,
           "Accept lists with videos or classes that the test list lacks; they are counted."),
    Option("BIAS.BEHAVIOUR.CLASS_NAMES", "",
           "File of the names of classes, for lists whose labels are numbers: a name a row, "
           "`name number` rows, or JSON {name: number}."),
    Option("BIAS.BEHAVIOUR.BOOTSTRAP", 1000,
           "Resamples behind the intervals of divergences.", low=100),
)  # fmt: skip
