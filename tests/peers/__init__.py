"""Unmodified drachtio-srf applications on the reference server; far ends: SIPp, baresip, sipsak, Kamailio."""
