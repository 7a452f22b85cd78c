"""What a Python user expects to work: files, hashing, JSON, regular expressions, decimals, generators, exceptions, sorting."""
import collections
import decimal
import hashlib
import json
import os
import re
import struct
import sys
import zlib

path, top = sys.argv[1], int(sys.argv[2])
with open(path, encoding="utf-8") as file:
    text = file.read()
words = collections.Counter(re.findall(r"[a-z]+", text.lower()))
for word, count in sorted(words.items(), key=lambda item: (-item[1], item[0]))[:top]:
    print(f"{count:>4} {word}")
print(hashlib.sha256(text.encode()).hexdigest(), zlib.crc32(text.encode()))

packed = zlib.compress(text.encode() * 50, 9)
assert zlib.decompress(packed) == text.encode() * 50
decimal.getcontext().prec = 60
print(decimal.Decimal(2).sqrt(), 2**200 % 10**9, 0.1 + 0.2, struct.pack("<dI", 1.5, 7).hex())


def primes():
    found = []
    n = 2
    while True:
        if all(n % p for p in found if p * p <= n):
            found.append(n)
            yield n
        n += 1


stream = primes()
print([next(stream) for _ in range(25)])
folder = os.path.join(os.path.dirname(path), "made")
os.mkdir(folder)
with open(os.path.join(folder, "ä.json"), "w") as file:
    json.dump({"top": words.most_common(1), "nested": [1, 2.5, None, True]}, file)
with open(os.path.join(folder, "ä.json")) as file:
    print(json.load(file), os.listdir(folder), os.stat(file.name).st_size)
try:
    open("/etc/passwd")
except OSError as error:
    print(type(error).__name__)


def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)


print(deep(500))
try:
    deep(10**6)
except RecursionError as error:
    print(error)
sys.exit(9)
