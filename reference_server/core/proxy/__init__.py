"""Requests that are passed on (RFC 3261 §16, family PROXY): for an application, or by a Route that names this server.

``verb`` is the application's ``proxy`` message, ``loose_routing`` what comes back by our Record-Route. Both make a
``proxied_request``, the response context, with a ``branch`` for each copy that is sent. ``observer`` is who may watch.
Nothing here knows how records are written; of the application it knows the ``report`` that it is owed.
"""
