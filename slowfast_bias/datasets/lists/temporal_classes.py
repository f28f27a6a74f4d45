"""Temporal and static classes of Kinetics-400 and Something-Something V1, by name.

Those of Sevilla-Lara et al., "Only Time Can Tell" (WACV 2021, arXiv 1907.08340): classes that
people cannot name from frames in random order, and as many beside them. The numbers that were
published with the experiments are rows of the lists of classes, from 0. Row 63 of V1, `Lifting up
one end of something, then letting it drop down`, is in both of its lists there, and therefore in
none here: 17 each. What sets the static ones of Kinetics-400 apart is not known (long jump and shot
put are among them).
"""

from __future__ import annotations

SHIPPED: dict[str, tuple[str, ...]] = {
    "k400_temporal": (
        "bouncing on trampoline", "breakdancing", "busking", "cartwheeling", "cleaning shoes",
        "country line dancing", "drop kicking", "gymnastics tumbling", "hammer throw", "high kick",
        "jumpstyle dancing", "kitesurfing", "parasailing", "playing cards", "playing cymbals",
        "playing drums", "playing ice hockey", "robot dancing", "shining shoes", "shuffling cards",
        "side kick", "ski jumping", "skiing (not slalom or crosscountry)", "skiing crosscountry",
        "skiing slalom", "snowboarding", "somersaulting", "tap dancing", "throwing ball",
        "throwing discus", "vault", "wrestling",
    ),
    "k400_static": (
        "belly dancing", "bending back", "blasting sand", "blowing nose", "changing wheel",
        "clapping", "curling hair", "deadlifting", "dining", "doing aerobics",
        "dribbling basketball", "eating doughnuts", "filling eyebrows", "getting a tattoo",
        "laying bricks", "long jump", "lunge", "making bed", "moving furniture", "mowing lawn",
        "peeling apples", "playing badminton", "playing controller", "playing cricket", "pull ups",
        "riding camel", "shot put", "testifying", "trimming trees", "waxing eyebrows", "yawning",
        "yoga",
    ),
    "ssv1_temporal": (
        "Turning something upside down",
        "Approaching something with your camera",
        "Moving something away from the camera",
        "Moving away from something with your camera",
        "Moving something towards the camera",
        "Lifting something with something on it",
        "Moving something away from something",
        "Moving something closer to something",
        "Uncovering something",
        "Pretending to turn something upside down",
        "Covering something with something",
        "Lifting something up completely without letting it drop down",
        "Moving something and something closer to each other",
        "Moving something and something away from each other",
        "Lifting something up completely, then letting it drop down",
        "Stuffing something into something",
        "Moving something and something so they collide with each other",
    ),
    "ssv1_static": (
        "Folding something",
        "Turning the camera upwards while filming something",
        "Holding something next to something",
        "Pouring something into something",
        "Pretending to throw something",
        "Squeezing something",
        "Holding something in front of something",
        "Touching (without moving) part of something",
        "Lifting up one end of something without letting it drop down",
        "Showing something next to something",
        "Poking something so that it falls over",
        "Wiping something off of something",
        "Scooping something up with something",
        "Letting something roll down a slanted surface",
        "Sprinkling something onto something",
        "Pushing something so it spins",
        "Twisting (wringing) something wet until water comes out",
    ),
}  # fmt: skip
