"""An emulation of Twilio Proxy, written from its documents alone: it shares no code with the client.

A request comes in by ``server/`` (HTTP with limits and faults), or in process by the client's own transport, as a
value of ``context``. ``behaviour`` finds its handler in ``ROUTES`` and makes a ``Context``: one transaction of
``world/store`` and the rules in force. The handlers are in ``api/``, a file a resource; a ``Collection`` finds, shows
and lists one kind. What a request owes to the application, ``callbacks/`` delivers after the commit. A handler that has
to ask it something returns an ``Ask``, which goes on in a second transaction.
"""
