"""Building: from a source tree to metadata and wheels (PEP 517, PEP 660), and from a direct reference to a tree.

``frontend`` drives a build backend in an isolated environment; ``sources`` turns a direct reference (a path, an
archive's URL, a git repository) into something that can be built or read.  The room runs code of strangers, so it
is the room that scrubs environments, bounds time and output, and asks the policy first.  It resolves nothing and
installs nothing: isolated environments come through the port :class:`accord.build.ports.BuildEnvironments`.
"""
