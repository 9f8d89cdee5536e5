"""How large a model or image may be: checked before anything of that size is allocated.

They are far above what a microcontroller takes, and low enough that a hostile file costs seconds.
"""

MAX_VALUES = 1 << 26
"""Values of one tensor, batch 1: an image of 4,096 x 4,096 in three channels."""

MAX_NODES = 20_000
"""Operators or layers of one model, with all functions and nested models written out."""

MAX_EXTENT = 1 << 24
"""Largest number in a shape, window, stride or list of sizes."""

MAX_FILE_BYTES = 1 << 30
"""Largest model file, with all files that belong to it, in bytes."""

MAX_VALUES_TOGETHER = 1 << 26
"""Values of all activations of one model, batch 1: VGG-16 at 224 has 2^24."""

MAX_LAYERS = 1 << 10
"""Operators between image and result: Keras takes milliseconds for each. EfficientNet-B7 has about
as many."""

MAX_PRODUCTS = 1 << 35
"""Multiplications of one model for one image: VGG-16 at 224 has 2^34."""

MAX_DEPTH = 64
"""Deepest nesting of functions, models or blocks."""

MAX_CODE_BYTES = 1 << 26
"""Largest description of the operators of a model once its functions are inlined, without weights,
in bytes."""

MAX_DIMENSIONS = 16
"""Largest number of dimensions of a tensor."""

MAX_SIDE = 1 << 14
"""Height or width of an image or map, in pixels: a plan takes seconds for each 10,000 rows."""

MAX_UINT16 = (1 << 16) - 1
"""Heights, widths, channels, strides and bytes of a pixel are uint16 on the device."""

MAX_LOADING_BYTES = 2 << 30
"""Memory that a model may take while a child process reads it."""

MAX_LOADING_SECONDS = 60
"""Time that a child process may take to read a model."""

MAX_TEXT_BYTES = 1 << 24
"""Largest manifest, report or file of class names, in bytes."""

MAX_SET_VALUES = 1 << 26
"""Values of all images that are held at once, as calibration does: about 1 GB with what they are
made into. 445 images of 224 x 224, 21,845 of 32 x 32."""

MAX_SET_IMAGES = 1 << 12
"""Largest number of images held at once."""

MAX_COUNT = 1 << 32
"""Of images or bytes that a caller may ask for."""

TIMEOUTS_S = (0.1, 86_400.0)
"""Shortest and longest silence after which a board may be given up."""

TIMEOUT_S = 5.0
"""That silence where nobody says another."""

MAX_ACCURACY_S = 86_400
"""Longest search for an int8 model closer to the float one."""

MAX_INPUTS = 8
"""Most inputs of a model. Mirror: ESQ_MAX_INPUTS in firmware/app/info.h."""

MAX_OBSERVED = 32
"""Most outputs, and logits before a softmax, of a model. Mirror: ESQ_MAX_OBSERVED in
firmware/app/info.c."""
