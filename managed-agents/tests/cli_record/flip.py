"""Changes bytes of every file of a pack, one at a time, and sees each noticed: flip.py PACK KEY, beside verify.py.

MANAGED_AGENTS_EVERY_BYTE=1 changes every byte there is.
"""
import importlib.util
import io
import os
import sys
from contextlib import redirect_stderr

pack, key = sys.argv[1:]
beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "verify.py")
spec = importlib.util.spec_from_file_location("verify", beside)
verify = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify)


def code():
    sys.argv = ["verify.py", pack, "--quiet", "--key", key]
    with redirect_stderr(io.StringIO()):
        return verify.main()


assert code() == 0, "it verifies before anything is changed"
every = bool(os.environ.get("MANAGED_AGENTS_EVERY_BYTE"))
changes = 0
for folder, _, names in os.walk(pack):
    for name in names:
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            data = file.read()
        # the one file that nothing else vouches for has every byte changed
        step = 1 if every or name == "manifest.note" else max(1, len(data) // 2)
        for at in range(0, len(data), step):
            changed = bytearray(data)
            changed[at] ^= 1 << at % 8
            with open(path, "wb") as file:
                file.write(changed)
            assert code() == 2, "%s: byte %d was changed and not noticed" % (path, at)
            changes += 1
        # cut, and longer by one
        for other in ([data[:-1]] if data else []) + [data + b"\n"]:
            with open(path, "wb") as file:
                file.write(other)
            assert code() == 2, "%s: another length was not noticed" % path
            changes += 1
        with open(path, "wb") as file:
            file.write(data)
assert code() == 0, "it verifies when everything is as it was"
assert changes > 200, changes
print("%d changes of a byte were noticed" % changes)
