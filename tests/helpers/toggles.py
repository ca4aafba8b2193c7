"""Another value for every argument of every family of models."""

from __future__ import annotations

# One other value for every argument of every family; a new argument must be added here.
LRN = {
    "lrn_radius": {"lrn": True, "lrn_radius": 1},
    "lrn_bias": {"lrn": True, "lrn_bias": 2.0},
    "lrn_alpha": {"lrn": True, "lrn_alpha": 0.1},
    "lrn_beta": {"lrn": True, "lrn_beta": 0.5},
}
SHARED = LRN | {
    "pool": {"pool": (2, 2)},
    "batch_norm": {"batch_norm": True},
    "dropout": {"dropout": 0.5},
    "initializer": {"initializer": "tutorial"},
}
CHANGES = {
    "alex": SHARED
    | {"convs": {"convs": ((5, 64), (3, 64))}, "hidden": {"hidden": (384,)}, "lrn": {"lrn": False}}
    | {"final_relu": {"final_relu": True}, "local": {"local": ((3, 8),)}},
    "nin": SHARED
    | {"blocks": {"blocks": ((3, 64, 64, 64),)}, "last_block": {"last_block": (5, 64, 32)}, "lrn": {"lrn": True}}
    | {"final_relu": {"final_relu": False}},
    "squeeze": SHARED
    | {"stem": {"stem": (5, 64)}, "stages": {"stages": (((16, 64, 64),),)}, "lrn": {"lrn": True}}
    | {"final_relu": {"final_relu": False}},
    "resnet": {
        "blocks": {"blocks": 2},
        "widths": {"widths": (16, 32)},
        "residual": {"residual": False},
        "shortcut": {"shortcut": "projected"},
        "batch_norm": {"batch_norm": False},
        "initializer": {"initializer": "xavier"},
    },
    "separable": {
        "stem": {"stem": (5, 32)},
        "stages": {"stages": ((48, 48), (96, 64))},
        "depthwise": {"depthwise": False},
        "residual": {"residual": False},
        "batch_norm": {"batch_norm": False},
        "dropout": {"dropout": 0.5},
        "initializer": {"initializer": "xavier"},
    },
}
