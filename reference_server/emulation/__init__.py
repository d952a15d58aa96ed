"""The defects of the genuine server, reproduced on purpose (``--emulate 0.9``; docs/emulation.md).

For tests of the suite, which must find them, and of applications that have to live with them. Nothing here runs unless
that is asked for, and a line in the log says so: the holes in security of the genuine server are open, too.

Most defects are reproduced at the edges of the server, which knows nothing of it: what applications send and get passes
``frames``, octets of their connections ``door``, what goes to the SIP network and comes from there ``network``. What
cannot be done there the core does where a field of ``core/defects.py`` says so. ``table`` says which row of
docs/deviations.md is reproduced where, and which is not, and why.
"""
