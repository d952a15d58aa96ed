"""Runs the SIPp scenarios of sipp/ and judges them by the statistics that SIPp writes."""
