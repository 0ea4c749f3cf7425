"""Documents people write: ``pyproject.toml``, requirements files, inline script metadata, dependency groups.

Texts and values come in, values go out: no files, no network, no clock, no environment variables.  A document is
read in two steps, lenient raw and then strict rich, and every fault is reported at once with its place.  This
package imports nothing itself, because ``versions``, ``markers`` and ``requirement`` inside it are hot.

    versions           PEP 440: order, normal form, specifiers as bit masks          (hot)
    markers            PEP 508 and PEP 751 markers: parse, normal form, evaluate     (hot)
    requirement        PEP 508 requirements                                          (hot)
    groups             PEP 735 dependency groups
    scripts            PEP 723 inline script metadata
    positions          at which line of a TOML document a key stands
    faults             collecting what is wrong with a document
    fields             reading fields of tables
    declared           a requirement and where it stands
    cutoff             exclude-newer: moments and durations
    entry              a requirement, a path or a URL as people write them
    pyproject          ``pyproject.toml`` as a whole
    tool_table         ``[tool.accord]``
    requirements_file  the requirements file format, as pip reads it
"""
