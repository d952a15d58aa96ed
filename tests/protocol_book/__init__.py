"""What is generated of the specification, and what it says of the codecs.

``facts``, ``texts`` and ``suite`` are tested by test_machine.py, ``tokens``, ``frames_to_server`` and
``frames_to_application`` by test_frames.py, ``site_pages`` by test_site.py, ``reference_pages`` and ``__main__`` by
test_files.py.
"""
