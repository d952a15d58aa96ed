"""asyncio adapters to the applications: the admin listener, one connection each, and the registry of who wants what."""
