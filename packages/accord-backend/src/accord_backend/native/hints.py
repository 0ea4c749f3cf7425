"""Which system package brings a missing library or header: data for the hints of coded errors, nothing else.

Keys are pkg-config names.  The names of packages are those of Debian (and Ubuntu) and of Fedora.
"""

from __future__ import annotations

__all__ = ["for_header", "for_library", "for_package"]

_PACKAGES = {
    "alsa": ("libasound2-dev", "alsa-lib-devel"),
    "blas": ("libblas-dev", "blas-devel"),
    "bzip2": ("libbz2-dev", "bzip2-devel"),
    "cairo": ("libcairo2-dev", "cairo-devel"),
    "dbus-1": ("libdbus-1-dev", "dbus-devel"),
    "expat": ("libexpat1-dev", "expat-devel"),
    "freetype2": ("libfreetype-dev", "freetype-devel"),
    "fuse": ("libfuse-dev", "fuse-devel"),
    "gdal": ("libgdal-dev", "gdal-devel"),
    "geos": ("libgeos-dev", "geos-devel"),
    "glib-2.0": ("libglib2.0-dev", "glib2-devel"),
    "gmp": ("libgmp-dev", "gmp-devel"),
    "gnutls": ("libgnutls28-dev", "gnutls-devel"),
    "hdf5": ("libhdf5-dev", "hdf5-devel"),
    "icu-uc": ("libicu-dev", "libicu-devel"),
    "krb5-gssapi": ("libkrb5-dev", "krb5-devel"),
    "lapack": ("liblapack-dev", "lapack-devel"),
    "libavcodec": ("libavcodec-dev", "ffmpeg-free-devel"),
    "libcurl": ("libcurl4-openssl-dev", "libcurl-devel"),
    "libffi": ("libffi-dev", "libffi-devel"),
    "libjpeg": ("libjpeg-dev", "libjpeg-turbo-devel"),
    "liblz4": ("liblz4-dev", "lz4-devel"),
    "liblzma": ("liblzma-dev", "xz-devel"),
    "libpcre2-8": ("libpcre2-dev", "pcre2-devel"),
    "libpng": ("libpng-dev", "libpng-devel"),
    "libpq": ("libpq-dev", "libpq-devel"),
    "libsodium": ("libsodium-dev", "libsodium-devel"),
    "libssh2": ("libssh2-1-dev", "libssh2-devel"),
    "libsystemd": ("libsystemd-dev", "systemd-devel"),
    "libtiff-4": ("libtiff-dev", "libtiff-devel"),
    "libuv": ("libuv1-dev", "libuv-devel"),
    "libwebp": ("libwebp-dev", "libwebp-devel"),
    "libxml-2.0": ("libxml2-dev", "libxml2-devel"),
    "libxslt": ("libxslt1-dev", "libxslt-devel"),
    "libzmq": ("libzmq3-dev", "zeromq-devel"),
    "libzstd": ("libzstd-dev", "libzstd-devel"),
    "mpfr": ("libmpfr-dev", "mpfr-devel"),
    "mysqlclient": ("libmysqlclient-dev", "mysql-devel"),
    "ncursesw": ("libncurses-dev", "ncurses-devel"),
    "openblas": ("libopenblas-dev", "openblas-devel"),
    "openssl": ("libssl-dev", "openssl-devel"),
    "proj": ("libproj-dev", "proj-devel"),
    "python3": ("python3-dev", "python3-devel"),
    "readline": ("libreadline-dev", "readline-devel"),
    "sdl2": ("libsdl2-dev", "SDL2-devel"),
    "sqlite3": ("libsqlite3-dev", "sqlite-devel"),
    "x11": ("libx11-dev", "libX11-devel"),
    "yaml-0.1": ("libyaml-dev", "libyaml-devel"),
    "zlib": ("zlib1g-dev", "zlib-devel"),
}
_HEADERS = {
    "Python.h": "python3", "bzlib.h": "bzip2", "curl/curl.h": "libcurl", "expat.h": "expat", "ffi.h": "libffi",
    "gmp.h": "gmp", "hdf5.h": "hdf5", "jpeglib.h": "libjpeg", "libpq-fe.h": "libpq", "libxml/parser.h": "libxml-2.0",
    "lz4.h": "liblz4", "lzma.h": "liblzma", "mpfr.h": "mpfr", "mysql.h": "mysqlclient", "openssl/ssl.h": "openssl",
    "openssl/evp.h": "openssl", "png.h": "libpng", "readline/readline.h": "readline", "sodium.h": "libsodium",
    "sqlite3.h": "sqlite3", "tiffio.h": "libtiff-4", "yaml.h": "yaml-0.1", "zlib.h": "zlib", "zmq.h": "libzmq",
    "zstd.h": "libzstd",
}  # fmt: skip
_LIBRARIES = {
    "bz2": "bzip2", "crypto": "openssl", "curl": "libcurl", "ffi": "libffi", "icuuc": "icu-uc", "jpeg": "libjpeg",
    "lz4": "liblz4", "lzma": "liblzma", "png": "libpng", "pq": "libpq", "sodium": "libsodium", "ssl": "openssl",
    "tiff": "libtiff-4", "xml2": "libxml-2.0", "yaml": "yaml-0.1", "z": "zlib", "zmq": "libzmq", "zstd": "libzstd",
}  # fmt: skip


def for_package(name: str) -> str:
    """What to install for a pkg-config name."""
    debian, fedora = _PACKAGES.get(name, (None, None))
    if debian is None:
        return f"install the development files of {name} (Debian: apt-file search {name}.pc; Fedora: dnf install 'pkgconfig({name})')"
    return f"Debian, Ubuntu: apt install {debian}; Fedora: dnf install {fedora}"


def for_header(name: str) -> str:
    """What to install, or where to look, for a header."""
    package = _HEADERS.get(name)
    if package is not None:
        return for_package(package)
    return f"install the package that brings {name}, or name its folder: include-dirs for the project's own, pkg-config for a library's"


def for_library(name: str) -> str:
    """What to install for ``-lNAME``."""
    package = _LIBRARIES.get(name, name)
    if package in _PACKAGES:
        return for_package(package)
    return f"install the development files that bring lib{name}.so"
