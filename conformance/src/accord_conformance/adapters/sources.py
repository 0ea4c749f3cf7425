"""The one index that a project of Poetry or PDM is to take everything from, for the adapters that write such projects."""

# Twice the address.
SOURCES = """
[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "suite"
url = "%s"
priority = "primary"

[tool.pdm]
distribution = false

[[tool.pdm.source]]
name = "pypi"
url = "%s"
verify_ssl = true
"""
