"""Parameters that decide on the values of a stack and on what is added to them."""

from __future__ import annotations

from typing import Final

from .parameter import Chooser, Group, Kind, Parameter

VALUES: Final = (
    Parameter(
        "STATIC_LAYERS",
        Kind.CHOICE,
        "Static layers",
        "Elevation, look vectors, incidence angles and water mask hardly differ between "
        "products. once: one copy for the stack, with the largest difference recorded. "
        "per_pair: one copy for each product.",
        group=Group.VALUES,
        default="once",
        choices=("once", "per_pair"),
        plain=("Once for the stack", "Once for each product"),
    ),
    Parameter(
        "ON_BAD_PRODUCT",
        Kind.CHOICE,
        "On a bad product",
        "What to do with a product that is damaged or lacks a requested layer. stop: end the "
        "run and name it. skip: leave it out, say so, and count it in SKIPPED.",
        group=Group.PRODUCTS,
        default="stop",
        choices=("stop", "skip"),
        plain=("Stop and name it", "Leave it out"),
    ),
    Parameter(
        "REFERENCE_POINT",
        Kind.TEXT,
        "Reference point",
        "Interferograms only. Each HyP3 pair has a reference point of its own; this references "
        "unw_phase, los_disp and vert_disp of all pairs to one pixel, whose value is "
        "subtracted from each pair and recorded. Coordinates as x,y [EPSG:code] (without a "
        "code in the CRS of the grid), or auto: the pixel of highest mean coherence among "
        "those with data in all pairs. Empty: values stay as HyP3 delivers them.",
        empty="each pair has its own, as HyP3 delivers it",
        chooser=Chooser.POINT,
    ),
    Parameter(
        "MERGE_PASSES",
        Kind.FLAG,
        "Merge the frames of a pass",
        "Backscatter only. Yes: frames that one satellite took one after the other become one "
        "date, and the layer source_frame says from which frame each pixel comes. No: each "
        "frame is a date of its own.",
        group=Group.VALUES,
        default=False,
    ),
    Parameter(
        "SCALE",
        Kind.CHOICE,
        "Scale",
        "Backscatter only. Scale of the stack; products of several scales need one to be "
        "chosen. Whatever the scale, backscatter is warped as power.",
        group=Group.VALUES,
        default="as_delivered",
        choices=("as_delivered", "power", "amplitude", "decibel"),
        plain=("As delivered", "Power", "Amplitude", "Decibel"),
    ),
    Parameter(
        "KEEP_BITS",
        Kind.LIST,
        "Bits to keep",
        "Empty: values are stored exactly. Otherwise values are rounded so that files get "
        "smaller: layer=bits, for example corr=7,amp=8, or one number for all layers of "
        "floating point numbers, or both. With n of the 23 mantissa bits a value changes by at "
        "most 2^-(n+1) of its size: 0.4 % with 7, 0.05 % with 10. Missing data, 0 and masks "
        "stay exact; the stack records what was rounded, and the log says by how much values "
        "change at most.",
        group=Group.VALUES,
        empty="all, values are exact",
    ),
    Parameter(
        "MASKS",
        Kind.FLAG,
        "Masks",
        "Yes: add data_mask (0 no data, 1 valid, 2 invalid) and mask_reason (why not) for each "
        "pair or date; CEOS-ARD asks for the former. They are made from unw_phase and corr, or "
        "from backscatter and ls_map; without these layers there are none. No: leave them out, "
        "which saves time and disk.",
        group=Group.VALUES,
        default=True,
    ),
    Parameter(
        "LOOK_VECTORS",
        Kind.FLAG,
        "Look vectors as grids",
        "Interferograms only. Yes: add look_vector_x, look_vector_y, look_vector_z, the unit "
        "vector from the satellite to each pixel in Earth-centered, Earth-fixed coordinates "
        "(CEOS-ARD 2.12). Needs the layers lv_theta and lv_phi; takes disk and time. No: only "
        "the vector in the center of the scene is kept.",
        group=Group.VALUES,
        default=False,
    ),
    Parameter(
        "ENRICH",
        Kind.FLAG,
        "Ask the ASF catalog",
        "Yes: look the source scenes up in ASF's catalog and add what HyP3's products do not "
        "hold: when and by which version they were processed, their outlines and ends, and the "
        "parallel baseline of each pair. Needs the internet but no login; the stack is made "
        "without it where the catalog is out of reach.",
        group=Group.METADATA,
        default=False,
    ),
)
