"""How much of the protocol layers their own tests reach, branch by branch: ``make coverage``."""
