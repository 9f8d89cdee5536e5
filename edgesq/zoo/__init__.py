"""SqueezeNets to start from: architectures, pretrained weights and the bundled demo model.

Only `edgesq.zoo.demo` can be imported without Keras; import the other modules by name.
"""
