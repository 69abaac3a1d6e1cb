"""In which bucket does each customer belong, whatever the implementation?

SipHash-1-3 written from the paper (Aumasson & Bernstein 2012), independent of the Rust crate.
Writes schemas/vectors/bucketing.json. Run: python3 bucketing.py
"""

import json
import pathlib

MASK = (1 << 64) - 1


def rotl(x, b):
    return ((x << b) | (x >> (64 - b))) & MASK


def siphash(key, message, c, d):
    k0, k1 = (int.from_bytes(key[i:i + 8], "little") for i in (0, 8))
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D,
         k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rounds(n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & MASK; v[1] = rotl(v[1], 13) ^ v[0]; v[0] = rotl(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK; v[3] = rotl(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK; v[3] = rotl(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK; v[1] = rotl(v[1], 17) ^ v[2]; v[2] = rotl(v[2], 32)

    padded = message + b"\0" * (7 - len(message) % 8) + bytes([len(message) & 0xFF])
    for i in range(0, len(padded), 8):
        m = int.from_bytes(padded[i:i + 8], "little")
        v[3] ^= m
        rounds(c)
        v[0] ^= m
    v[2] ^= 0xFF
    rounds(d)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


# The published SipHash-2-4 vector proves the rounds.
assert siphash(bytes(range(16)), bytes(range(15)), 2, 4) == 0xA129CA6149BE45E5

KEYS = [bytes(range(16)), bytes.fromhex("f0e1d2c3b4a5968778695a4b3c2d1e0f")]
SALTS = ["holdout", "exploration", "engine_ab"]
IDS = ["", "1", "17", "2500", "C-000017", " 17", "Zoë", "Zoe\u0308", "顧客17", "😀", "a\u001fb",
       "x" * 1_000, "18446744073709551616"]

cases = []
for key in KEYS:
    for salt in SALTS:
        for customer_id in IDS:
            h = siphash(key, salt.encode() + b"\x1f" + customer_id.encode(), 1, 3)
            cases.append({"key": key.hex(), "salt": salt, "customer_id": customer_id,
                          "hash": f"{h:016x}", "bucket": h * 10_000 >> 64})
out = pathlib.Path(__file__).parents[4] / "schemas" / "vectors" / "bucketing.json"
lines = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in cases)
out.write_text("[\n" + lines + "\n]\n")
