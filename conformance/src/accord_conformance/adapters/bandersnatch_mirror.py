"""One run of the mirror in FOLDER, of the index at UPSTREAM: what its operator has in a timetable."""

import pathlib
import subprocess
import sys

program, folder, upstream = sys.argv[1:]
home = pathlib.Path(folder)
# A web server is there before anything was mirrored, and stays when a first run fails: it then serves no pages.
(home / "web" / "simple").mkdir(parents=True, exist_ok=True)
settings = {
    "directory": home,
    "master": upstream,
    "allow-non-https": "true",
    # The only way since version 8, and a choice before.
    "api-method": "simple",
    "workers": 1,
}
lines = [f"{name} = {value}" for name, value in settings.items()]
conf = home / "bandersnatch.conf"
first = not conf.exists()
conf.write_text("[mirror]\n" + "\n".join(lines) + "\n", encoding="utf-8")
code = subprocess.call([program, "--config", str(conf), "mirror"])
sys.exit(0 if first else code)
