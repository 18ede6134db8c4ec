"""Export a trained generator: ONNX, a web page, films, and checkpoints with scores."""
