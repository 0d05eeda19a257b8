//! Models written as ONNX and read again.
