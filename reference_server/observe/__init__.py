"""Those who watch: the log, the SIP trace in it, the JSONL trace and the frames shown live."""
