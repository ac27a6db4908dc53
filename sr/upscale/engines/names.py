"""The names of the engines, apart from them, so that a command line can name them at once."""

ENGINES = ("auto", "torch", "compiled", "onnx", "openvino", "tensorrt")
