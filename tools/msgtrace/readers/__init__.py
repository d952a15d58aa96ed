"""One file for each kind of recording: blocks of octets in, entries out. They know nothing of what is shown."""
