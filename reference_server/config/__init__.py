"""The configuration of one server: one frozen value, and the three places that it is read from.

Only cli, server and the adapters (net, admin, observe) may import it; core never does.
"""
