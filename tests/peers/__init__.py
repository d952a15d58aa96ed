"""Unmodified drachtio-srf applications on the reference server, called by SIPp."""
