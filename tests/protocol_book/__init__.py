"""What is generated of the specification, and what it says of the codecs."""
