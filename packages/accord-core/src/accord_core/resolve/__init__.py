"""Version solving: conflict-driven search (PubGrub) over bit masks.

The theory, for a reader who has not met it:

* A **universe** is the closed, ordered tuple of candidate versions of one project from one source.  A *set of
  versions* is an ``int``: bit *i* stands for ``versions[i]``, and one more bit, the highest, for *absent* (the
  project is not in the solution).  A positive and a negative term are then the same thing, a mask.
* The solver keeps, for each **node** (a project, or an extra of a project), the mask ``current`` of what is still
  possible.  A term ``(node, mask)`` is *satisfied* when ``current & ~mask == 0``, *contradicted* when
  ``current & mask == 0``.
* An **incompatibility** is a set of terms that must not all hold.  "a 1.0 needs b>=2" is
  ``{a: bit(1.0), b: everything but >=2}``, absent included.  When all terms but one are satisfied, the versions of
  the last one are struck out (unit propagation); when all are, there is a conflict, from which a new
  incompatibility is derived that jumps back over everything that had no part in it.
* An extra is a node of two values, *wanted* and *absent*: ``{a: mask, a[x]: wanted, b: bad}`` says that with extra x
  the versions ``mask`` of a need b.  So extras share the universe of their project and cost nothing when unused.
* Every derived incompatibility remembers its two parents: a failure is a tree of causes, put into words by
  :mod:`accord_core.resolve.explain` only when there is somebody to read it.

The room knows no network, no clock, no environment.  What it needs it asks of a :class:`~.port.Provider`.  Where the
target is one environment the provider decides markers before it answers; a *fork* is another provider over the same
sources, and what is learnt in a solver stays within that solver, so forks over markers need no change here.
"""
