"""Publishing a generator: as an ONNX file, one file of weights, a site, an upload for the Hub."""
