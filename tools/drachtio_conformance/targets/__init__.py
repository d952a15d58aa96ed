"""What is tested: a server in this process (the one file that imports it) or one that somebody else runs."""
