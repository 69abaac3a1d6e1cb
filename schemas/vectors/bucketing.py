"""Which bucket does every golden case fall into? Writes bucketing.json beside it: python3 bucketing.py

SipHash-1-3 (Aumasson & Bernstein 2012, doi:10.1007/978-3-642-34931-7_28) of salt, 0x1f and customer id in
UTF-8, written from the paper, so that the vectors hang on no library of ours. What is in the file stays:
cases are only added.
"""

import json
from pathlib import Path

MASK = (1 << 64) - 1
KEYS = ["000102030405060708090a0b0c0d0e0f", "f0e1d2c3b4a5968778695a4b3c2d1e0f"]
SALTS = ["holdout", "exploration", "engine_ab"]
EXPERIMENTS = ["engine_ab:autumn-2026", "engine_ab:autumn-2027", "engine_ab:a"]
CUSTOMERS = [
    "", "1", "17", "2500", "C-000017", " 17", "Zo\u00eb", "Zoe\u0308", "\u9867\u5ba217", "\U0001f600",
    "a\u001fb", "x" * 1000, "18446744073709551616",
]


def rotated(x, bits):
    return ((x << bits) | (x >> (64 - bits))) & MASK


def siphash13(key, data):
    k0, k1 = (int.from_bytes(key[at:at + 8], "little") for at in (0, 8))
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def round():
        v[0] = (v[0] + v[1]) & MASK
        v[1] = rotated(v[1], 13) ^ v[0]
        v[0] = rotated(v[0], 32)
        v[2] = (v[2] + v[3]) & MASK
        v[3] = rotated(v[3], 16) ^ v[2]
        v[0] = (v[0] + v[3]) & MASK
        v[3] = rotated(v[3], 21) ^ v[0]
        v[2] = (v[2] + v[1]) & MASK
        v[1] = rotated(v[1], 17) ^ v[2]
        v[2] = rotated(v[2], 32)

    whole = len(data) // 8 * 8
    last = data[whole:] + bytes(7 - (len(data) - whole)) + bytes([len(data) & 0xFF])
    for at in range(0, whole + 8, 8):
        word = int.from_bytes((data[:whole] + last)[at:at + 8], "little")
        v[3] ^= word
        round()
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(3):
        round()
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def case(key, salt, customer):
    value = siphash13(bytes.fromhex(key), f"{salt}\u001f{customer}".encode())
    return {"key": key, "salt": salt, "customer_id": customer, "hash": f"{value:016x}", "bucket": value * 10_000 >> 64}


def main():
    cases = [case(*of) for of in (
        [(key, salt, customer) for key in KEYS for salt in SALTS for customer in CUSTOMERS]
        + [(key, salt, customer) for key in KEYS for salt in EXPERIMENTS for customer in CUSTOMERS]
    )]
    lines = ",\n".join("  " + json.dumps(one, ensure_ascii=False) for one in cases)
    Path(__file__).with_name("bucketing.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
