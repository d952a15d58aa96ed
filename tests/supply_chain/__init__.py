"""What the project is made of and whether that is known to be unsafe: ``make sbom``, ``make audit``."""
