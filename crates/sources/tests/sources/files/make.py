"""How do the tests get compressed copies of a products file? They are written by python make.py (needs zstandard)."""

import gzip

import zstandard

TEXT = b"product_id,product_name,price_minor\np1,Milk,120\np2,Bread,250\np3,Salt,90\n"
with open("products.csv.gz", "wb") as file:
    file.write(gzip.compress(TEXT, mtime=0))
with open("products.csv.zst", "wb") as file:
    file.write(zstandard.compress(TEXT))
