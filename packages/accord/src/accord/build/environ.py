"""The environment variables a build may see.

A build runs strangers' code, and a person's environment holds their tokens; so what passes is a list of what
compilers, build tools and networks need, not everything less a few.  ``keep`` lets a person add names.
"""

from __future__ import annotations

import os

from accord.io.digests import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["build_environment", "settings_digest"]

# Neutral ones do not change what is built, or not in a way a cache could know.
_NEUTRAL = frozenset(
    """PATH LANG LANGUAGE TZ TERM NO_COLOR USER LOGNAME HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY
    http_proxy https_proxy no_proxy all_proxy SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE
    CURL_CA_BUNDLE LD_LIBRARY_PATH SYSTEMROOT COMSPEC PATHEXT MAKEFLAGS CMAKE_BUILD_PARALLEL_LEVEL
    MAX_JOBS NPY_NUM_BUILD_JOBS RUSTUP_HOME CARGO_BUILD_JOBS MATURIN_NO_INSTALL_RUST CCACHE_DIR
    SCCACHE_DIR""".split()  # noqa: SIM905 - read as words
)
_SHAPING = frozenset(
    """CC CXX CPP FC F77 F90 AR AS LD NM RANLIB STRIP LDSHARED LDCXXSHARED BLDSHARED CFLAGS CXXFLAGS
    CPPFLAGS FFLAGS LDFLAGS OPT BASECFLAGS CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH LIBRARY_PATH
    PKG_CONFIG PKG_CONFIG_PATH PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR ARCHFLAGS
    MACOSX_DEPLOYMENT_TARGET SDKROOT SOURCE_DATE_EPOCH CMAKE CMAKE_ARGS CMAKE_GENERATOR
    CMAKE_PREFIX_PATH CMAKE_TOOLCHAIN_FILE CMAKE_BUILD_TYPE SKBUILD_CMAKE_ARGS MESON_ARGS NINJA
    RUSTFLAGS RUSTUP_TOOLCHAIN CARGO_BUILD_TARGET CUDA_HOME CUDA_PATH CUDACXX JAVA_HOME OPENSSL_DIR
    OPENSSL_LIB_DIR OPENSSL_INCLUDE_DIR LLVM_CONFIG SWIG CYTHON_FORCE_REGEN NO_CYTHON
    SETUPTOOLS_USE_DISTUTILS SETUPTOOLS_ENABLE_FEATURES DISTUTILS_DEBUG""".split()  # noqa: SIM905 - read as words
)
_SHAPING_PREFIXES = (
    "SETUPTOOLS_SCM_",
    "HATCH_BUILD_",
    "PDM_BUILD_",
    "MATURIN_PEP517_",
    "POETRY_DYNAMIC_VERSIONING_",
)

# 1980-01-01: the first instant a wheel's zip can hold, so that one sdist built twice gives the same bytes.
_EPOCH = "315532800"


def build_environment(
    environ: Mapping[str, str],
    *,
    python: str,
    home: str,
    temporary: str,
    keep: Collection[str] = (),
    user: str | None = None,
    network: bool = True,
) -> dict[str, str]:
    """The variables for a build with ``python``, whose folder comes first on ``PATH`` (PEP 517 "Build environment").

    ``home`` and ``temporary`` are private folders, as the build sees them; ``user`` is whom it takes itself for.  ``keep`` are further names to pass on from ``environ``.
    Without the ``network`` proxies are no use, and their URLs may hold passwords.
    """
    passed = {
        name: value
        for name, value in environ.items()
        if _passes(name, keep) and (network or name in keep or not name.upper().endswith("_PROXY"))
    }
    folders = [os.path.dirname(python), environ.get("PATH", os.defpath)]
    passed["PATH"] = os.pathsep.join(folder for folder in folders if folder)
    passed.update(HOME=home, TMPDIR=temporary, TEMP=temporary, TMP=temporary)
    passed.update(
        PYTHONNOUSERSITE="1",
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONIOENCODING="utf-8:backslashreplace",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
    )
    if user is not None:
        passed.update(USER=user, LOGNAME=user)
    passed.setdefault("LANG", "C.UTF-8")
    passed.setdefault("SOURCE_DATE_EPOCH", _EPOCH)
    rustup = os.path.join(environ.get("HOME", ""), ".rustup")
    if "RUSTUP_HOME" not in passed and environ.get("HOME") and os.path.isdir(rustup):
        passed["RUSTUP_HOME"] = rustup  # toolchains only; cargo's own folder holds tokens and stays behind
    if not network:
        # Without cargo maturin fetches a toolchain in the middle of the build; told not to, it says what is missing.
        # And cargo tries for ten seconds, unless it knows that there is no network.
        passed.setdefault("MATURIN_NO_INSTALL_RUST", "1")
        passed["CARGO_NET_OFFLINE"] = "true"
    return passed


def settings_digest(environ: Mapping[str, str], keep: Collection[str] = ()) -> str:
    """Digest of the variables that shape what is built: a part of a built wheel's key in the cache."""
    shaping = sorted(
        (name, value) for name, value in environ.items() if _passes(name, keep) and not _is_neutral(name)
    )
    return sha256(repr(shaping).encode()).hexdigest()


def _passes(name: str, keep: Collection[str]) -> bool:
    return _is_neutral(name) or name in _SHAPING or name.startswith(_SHAPING_PREFIXES) or name in keep


def _is_neutral(name: str) -> bool:
    return name in _NEUTRAL or name.startswith("LC_")
