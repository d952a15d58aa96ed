"""asyncio adapters to the SIP network: UDP and TCP transports, and the one clock that all timers run on."""
