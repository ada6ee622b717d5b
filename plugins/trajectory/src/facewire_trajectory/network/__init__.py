"""The network as it learns (PyTorch) and as it is shipped (ONNX). For training only."""
