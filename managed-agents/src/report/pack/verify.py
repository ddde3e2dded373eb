#!/usr/bin/env python3
"""Verifies an evidence pack: python3 verify.py [DIR] [--key KEY] [--witness-key KEY]... [--quiet]

Needs Python 3.8 and nothing else: neither the program that made the pack, nor any library. The formats are public ones:
c2sp.org/signed-note, tlog-checkpoint, tlog-proof and tlog-cosignature, RFC 6962 and RFC 9162, RFC 8032 (Ed25519).

KEY is the log's key, as whoever is trusted to know it gave it; without it, the pack's own is taken, and then all that is shown is
that the pack agrees with itself. Exit code: 0 when everything holds, 2 when something does not, 1 when it cannot be read.
"""
import argparse
import base64
import hashlib
import json
import os
import sys

# Ed25519 (RFC 8032): points of the curve as (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, d - c, d + c, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    out = (0, 1, 1, 0)
    while number:
        if number & 1:
            out = add(out, point)
        point, number = add(point, point), number >> 1
    return out


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point(data):
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(public, message, signature):
    a, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or a is None or r is None or s >= L:
        return False
    # keys and points of small order would fit many messages
    if same(times(8, a), (0, 1, 1, 0)) or same(times(8, r), (0, 1, 1, 0)):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return same(times(s, BASE), add(r, times(k, a)))


class Bad(Exception):
    """What does not hold."""


def need(holds, why):
    if not holds:
        raise Bad(why)


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64 that is not written in one way only")
    return data


class Key:
    """A key as a note has it: name+id+base64 of a byte for its kind and the public key."""

    def __init__(self, text, kind):
        self.text = text.strip()
        self.name, number, data = self.text.split("+", 2)
        data = unbase64(data)
        need(len(data) == 33 and data[0] == kind, "%s is no key of that kind" % self.name)
        self.public = data[1:]
        self.id = hashlib.sha256(self.name.encode() + b"\n" + data).digest()[:4]
        need(number == self.id.hex(), "the id of the key %s is not its own" % self.name)


class Note:
    """A text, an empty line, and a line for each signature."""

    def __init__(self, data):
        text = data.decode("utf-8")
        body, empty, lines = text.rpartition("\n\n")
        need(empty and lines.endswith("\n"), "it is no signed note")
        self.text, self.lines = body + "\n", lines[:-1].split("\n")

    def signatures(self, key, length):
        for line in self.lines:
            need(line.startswith("\u2014 ") and line.count(" ") == 2, "a signature line is no signature line")
            _, name, data = line.split(" ")
            data = unbase64(data)
            if name == key.name and data[:4] == key.id:
                need(len(data) == 4 + length, "a signature has the wrong length")
                yield data[4:]

    def by_log(self, key):
        found = list(self.signatures(key, 64))
        need(len(found) == 1 and signed(key.public, self.text.encode(), found[0]), "the log did not sign it")

    def by_witness(self, key):
        for data in self.signatures(key, 72):
            time = int.from_bytes(data[:8], "big")
            message = "cosignature/v1\ntime %d\n%s" % (time, self.text)
            need(signed(key.public, message.encode(), data[8:]), "the witness %s did not sign it" % key.name)
            return time
        raise Bad("the witness %s did not sign it" % key.name)


def head(note, key):
    """Size and root of a checkpoint."""
    note.by_log(key)
    origin, size, root, rest = note.text.split("\n", 3)
    need(origin == key.name and not rest, "it is a checkpoint of another log")
    need(size == str(int(size)), "its size is no number")
    return int(size), unbase64(root)


def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def included(index, size, data, proof, root):
    """RFC 9162, section 2.1.3.2."""
    need(index < size, "its place is beyond the head")
    fn, sn, r = index, size - 1, leaf(data)
    for p in proof:
        need(sn, "its proof is too long")
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and r == root, "it is not at its place in the log")


def grew(first, second, proof, root1, root2):
    """RFC 9162, section 2.1.4.2."""
    need(first <= second, "the log shrank")
    if first == 0:
        need(not proof and root1 == hashlib.sha256(b"").digest(), "nothing has another root")
        return
    if first == second:
        need(not proof and root1 == root2, "two heads of one size differ")
        return
    if first & (first - 1) == 0:
        proof = [root1] + proof
    need(proof, "there is no proof")
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        need(sn, "the proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and fr == root1 and sr == root2, "the later head does not continue the earlier")


def sample(seed, first, end, count):
    """The places that a seed draws: whoever names the seed draws the sample."""
    if count >= end - first:
        return list(range(first, end))
    places, number = set(), 0
    while len(places) < count:
        drawn = hashlib.sha256(b"ma-sample/1\0" + seed.encode() + b"\0" + str(number).encode()).digest()
        places.add(first + int.from_bytes(drawn[:16], "big") % (end - first))
        number += 1
    return sorted(places)


def no_twice(pairs):
    names = [name for name, _ in pairs]
    need(len(names) == len(set(names)), "a name is given twice")
    return dict(pairs)


class Pack:
    def __init__(self, place, say):
        self.place, self.say = place, say

    def read(self, name):
        with open(os.path.join(self.place, *name.split("/")), "rb") as file:
            return file.read()

    def json(self, name):
        return json.loads(self.read(name).decode("utf-8"), object_pairs_hook=no_twice)

    def files(self):
        for folder, _, names in os.walk(self.place):
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.place).replace(os.sep, "/")

    def verify(self, key_text, witnesses):
        manifest = self.json("manifest.json")
        need(manifest.get("v") == "ma-evidence/1", "manifest.json is of another format")
        key = Key(key_text or manifest["log"]["key"], 1)
        need(manifest["log"]["key"] == key.text, "the pack is of a log with another key")
        if not key_text:
            self.say("NOTE: no --key was given, so the pack's own key is taken. Ask for it elsewhere: " + key.text)

        note = Note(self.read("manifest.note"))
        note.by_log(key)
        need(len(note.lines) == 1, "manifest.note has further signatures")
        digest = hashlib.sha256(self.read("manifest.json")).hexdigest()
        need(note.text == "ma-evidence/1 %s\n%s\n" % (key.name, digest), "manifest.note is about another manifest")
        self.say("manifest.json is signed with the log's key")

        listed = {file["name"]: file for file in manifest["files"]}
        found = set(self.files()) - {"manifest.json", "manifest.note"}
        need(found == set(listed), "files that are missing or too many: %s" % sorted(found ^ set(listed))[:5])
        for name, file in listed.items():
            data = self.read(name)
            need(len(data) == file["bytes"], "%s has another length" % name)
            need(hashlib.sha256(data).hexdigest() == file["sha256"], "%s was changed" % name)
        self.say("%d files are as the manifest says, and there are no others" % len(listed))

        begin_size, begin_root = 0, hashlib.sha256(b"").digest()
        if "checkpoint-begin.txt" in listed:
            begin_size, begin_root = head(Note(self.read("checkpoint-begin.txt")), key)
        end_note = Note(self.read("checkpoint-end.txt"))
        end_size, end_root = head(end_note, key)
        for witness in witnesses:
            self.say("the head at the end was seen by %s at %d s since 1970" % (witness.name, end_note.by_witness(witness)))
        proof = [unbase64(line) for line in self.read("consistency.txt").decode().split("\n")[:-1]]
        grew(begin_size, end_size, proof, begin_root, end_root)
        self.say("the log only grew from %d to %d entries, both heads signed" % (begin_size, end_size))

        population = self.json("population.json")
        first, end = population["first"], population["end"]
        need(begin_size <= first <= end <= end_size, "the heads do not enclose the population")
        need(sum(population["types"].values()) == end - first, "the population's types do not add up")
        self.say("the population is %d entries, %d to before %d" % (end - first, first, end))

        entries = {}
        for name in listed:
            if name.startswith("entries/") and name.endswith(".json"):
                place, entry = self.entry(name[:-5], key, end_note.text, end_size, end_root)
                entries[place] = entry
        need(len(entries) * 2 == sum(name.startswith("entries/") for name in listed), "an entry or receipt has no other half")
        self.say("%d entries are in the log, each by its receipt" % len(entries))

        drawn = self.json("sample.json")
        places = sample(drawn["seed"], first, end, drawn["count"])
        need(places == drawn["places"], "the sample is not what its seed draws")
        need(all(place in entries for place in places), "an entry of the sample is missing")
        self.say("the sample is the %d places that the seed %r draws" % (len(places), drawn["seed"]))
        if len(places) == end - first:
            types = {}
            for place in places:
                types[entries[place]["type"]] = types.get(entries[place]["type"], 0) + 1
            need(types == population["types"], "the population's types are not those of its entries")
            self.say("the sample is the whole population, and its types were counted again")
        else:
            self.say("the population's counts by type are the log keeper's word: the sample is a part of it")

        for name in ("agents", "approvals", "drills", "erasures", "exceptions", "keys", "rules"):
            listing = self.json(name + ".json")
            for one in listing["entries"]:
                entry = entries.get(one["seq"])
                need(entry is not None and entry["type"] == one["type"], "%s.json names an entry that is not there" % name)
            left = ", %d more are not in this pack" % listing["left_out"] if listing["left_out"] else ""
            self.say("%s: %d entries%s" % (name, len(listing["entries"]), left))
        rules = self.json("rules.json")["rules"]
        for one in rules:
            for end_of in ("first", "last"):
                need(entries[one[end_of]].get("rules") == one["digest"], "a digest of rules is not in the entry that is named")
        self.say("%d digests of rules were in force, each shown by two entries" % len(rules))

    def entry(self, name, key, end_text, end_size, end_root):
        data = self.read(name + ".json")
        header, index, rest = self.read(name + ".tlog-proof").decode("utf-8").split("\n", 2)
        need(header == "c2sp.org/tlog-proof@v1" and index.startswith("index "), name + " has no receipt")
        place = int(index[6:])
        hashes, _, checkpoint = rest.partition("\n\n")
        if rest.startswith("\n"):
            hashes, checkpoint = "", rest[1:]
        proof = [unbase64(line) for line in hashes.split("\n") if line]
        note = Note(checkpoint.encode())
        # the same text as the head at the end, whose signature was checked
        need(note.text == end_text, name + " is proven in another head")
        included(place, end_size, data, proof, end_root)
        entry = json.loads(data.decode("utf-8"), object_pairs_hook=no_twice)
        need(entry["seq"] == place and int(name.split("/")[1]) == place, name + " is another entry")
        return place, entry


def main():
    parser = argparse.ArgumentParser(description="Verifies an evidence pack.")
    parser.add_argument("dir", nargs="?", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--key", help="the log's key, from whoever is trusted to know it")
    parser.add_argument("--witness-key", action="append", default=[], help="a witness that must have signed the last head")
    parser.add_argument("--quiet", action="store_true", help="say nothing but what does not hold")
    arguments = parser.parse_args()
    say = (lambda line: None) if arguments.quiet else print
    try:
        witnesses = [Key(text, 4) for text in arguments.witness_key]
        Pack(arguments.dir, say).verify(arguments.key, witnesses)
    except OSError as error:
        print("cannot be read: %s" % error, file=sys.stderr)
        return 2 if isinstance(error, FileNotFoundError) else 1
    except (Bad, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        print("DOES NOT HOLD: %s" % (error or type(error).__name__), file=sys.stderr)
        return 2
    say("everything holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
