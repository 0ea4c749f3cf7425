"""packageurl-python, asked for package URLs."""

from packageurl import PackageURL
from speak import serve


def build(parts):
    return PackageURL(**parts).to_string()


def parse(purl):
    return PackageURL.from_string(purl).to_dict()


serve(
    {
        "purl-build": build,
        "purl-parse": parse,
        "purl-normalise": lambda purl: PackageURL.from_string(purl).to_string(),
    },
    refusals=(ValueError,),
)
