"""``figment serve``: generators over HTTP, drawn in batches, with a page.

``app`` puts it together, ``server`` runs it. A request comes in by ``protocol`` (connections and their
time), ``door`` (who may ask, how much may be sent), one of the ``routes``; what it wants drawn goes by
``batching`` through an engine of ``engines``, and leaves as ``encoding`` has it. Nothing that a client says
is opened as a path, and nothing of a run is executed.
"""
