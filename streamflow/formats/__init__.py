"""Codecs of file formats: bytes to arrays and arrays to bytes; no files, no stages."""
